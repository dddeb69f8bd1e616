import { z } from 'zod'
import {
  anyOrNames,
  bytes,
  count,
  digest,
  documentId,
  duration,
  header,
  identifier,
  instant,
  name,
  organisation,
  text,
  user
} from './fields.ts'

/** 30 days: nobody waits longer for somebody's approval. */
export const MAX_APPROVAL_MS = 2_592_000_000

const columns = z.union([z.literal('*'), z.array(identifier).max(2000)])
export const tableGrant = z.strictObject({ columns, where: z.string().max(8192).optional() })
const decimal = z.string().regex(/^-?\d{1,18}(\.\d{1,9})?$/, 'expected a decimal number')
const value = z.string().max(256)

/** Of the file that a value map was made of; what is applied is the map, which is what was signed. */
const hierarchySource = z.strictObject({ name: value, level: z.int().min(1).max(16), sha256: digest })

export const MAX_MAPPED_VALUES = 4096
/**
 * How a column is made coarser: to a part of a date, to bins of one width, to the first characters, to bins between edges, or
 * to what a map says of each value. A value that the map lacks becomes `otherwise`, or NULL: never what it was.
 */
export const generalisation = z.union([
  z.enum(['year', 'quarter', 'month']),
  z.int().positive(),
  z.strictObject({ prefix: z.int().min(1).max(128) }),
  z.strictObject({ edges: z.array(decimal).min(1).max(256) }),
  z.strictObject({
    values: z
      .record(value, value)
      .refine((map) => Object.keys(map).length <= MAX_MAPPED_VALUES, 'expected fewer values'),
    otherwise: value.optional(),
    hierarchy: hierarchySource.optional()
  })
])
export type Generalisation = z.infer<typeof generalisation>

/** Clauses of an agreement. What is absent is closed or unlimited as CONTRACT says clause by clause; `null`-free on purpose. */
export const terms = z.strictObject({
  consumers: z.array(z.union([z.strictObject({ user }), z.strictObject({ organisation })])).max(256),
  purposes: anyOrNames,
  archetypes: anyOrNames,
  computeProviders: anyOrNames,
  recipients: anyOrNames,
  tables: z.union([z.literal('*'), z.record(identifier, tableGrant)]),
  algorithms: anyOrNames,
  services: z.strictObject({ require: z.array(name).max(32), forbid: z.array(name).max(32) }),
  output: z.strictObject({
    unit: identifier.optional(),
    minGroupSize: count.optional(),
    maxRows: count.optional(),
    aggregatesOnly: z.boolean().optional()
  }),
  anonymize: z
    .strictObject({
      pseudonymise: z.array(identifier).max(256),
      generalise: z.record(identifier, generalisation),
      suppress: z.array(identifier).max(256),
      k: count.optional(),
      /** Columns by whose combination `k` counts; absent: those that `generalise` names. */
      quasi: z.array(identifier).min(1).max(32).optional()
    })
    .optional(),
  limits: z.strictObject({ requests: count, per: duration }).optional(),
  approval: z.strictObject({ by: z.array(text).max(32), when: text, within: duration }).optional(),
  privacy: z.strictObject({ epsilonMicros: count, budgetMicros: count, per: duration }).optional(),
  cache: z.strictObject({ extract: text, results: text }).optional(),
  valid: z.strictObject({ from: instant.optional(), until: instant.optional() }),
  sandbox: z.enum(['required', 'none']).optional(),
  onward: text.optional(),
  /** Each result waits for the provider's last word. */
  releaseAsk: z.boolean().optional(),
  revocation: z.strictObject({ effect: z.enum(['stop', 'finish']), notice: duration }).optional(),
  timezone: text,
  about: z.record(z.string().max(64), text),
  cedar: z.string().max(65_536).optional()
})
export type Terms = z.infer<typeof terms>

/** In force once a steward of the provider and one of every consumer organisation signed the same id. */
export const agreement = z.strictObject({
  ...header('agreement'),
  name,
  provider: organisation,
  dataset: name,
  /** Organisations that must sign: the provider and the consumers'. */
  parties: z.array(organisation).min(1).max(64),
  terms,
  /** What the named archetypes and algorithms were when it was signed: name to sha2-256 of the manifest. */
  pins: z.record(z.string().max(256), digest),
  /** The version it replaces. */
  supersedes: z.string().max(128).optional(),
  /** The proposal it answers with other terms. */
  counters: documentId.optional(),
  /**
   * The standing offer that a consumer took, whole: the provider's steward signed that one, and the agent it names signs this
   * one, so that whoever holds the agreement can check both.
   */
  standing: z.strictObject({ payload: bytes, signatures: z.array(bytes).min(1).max(4) }).optional()
})

/** Short enough for the names of the agreements that come of it. */
export const MAX_OFFER_NAME = 60
/** Members that may take one standing offer. */
export const MAX_TAKERS = 1000

/**
 * An agreement without consumers, signed by a steward of the provider: each organisation of `takers` may become the consumer
 * of an agreement with exactly these terms, until `expires`, `max` of them in all. The agent `issuer` counts them.
 */
export const standingOffer = z.strictObject({
  ...header('standing-offer'),
  name: name.max(MAX_OFFER_NAME),
  provider: organisation,
  dataset: name,
  takers: z.union([z.literal('*'), z.array(organisation).min(1).max(256)]),
  max: count.min(1).max(MAX_TAKERS),
  terms: terms.extend({ consumers: z.array(z.never()).max(0) }),
  pins: z.record(z.string().max(256), digest)
})

/** What people of other organisations read. */
const reason = z.string().max(1000)

/** A party's no to a proposed agreement, signed by its agent: it does not come into force under that id. */
export const agreementRefusal = z.strictObject({
  ...header('agreement-refusal'),
  agreement: documentId,
  organisation,
  reason
})

/**
 * To an organisation that is no party of what replaced an agreement or a proposal of which it was one; signed by an agent of
 * the party that knows. Which other terms the others agreed on is not its business.
 */
export const agreementReplaced = z.strictObject({
  ...header('agreement-replaced'),
  agreement: documentId,
  organisation
})

/**
 * A party ends an agreement, signed by its steward. `effect` and `notice` repeat its clause; it is in force no longer from
 * `issuedAt + notice` on.
 */
export const revocation = z.strictObject({
  ...header('revocation'),
  agreement: documentId,
  organisation,
  effect: z.enum(['stop', 'finish']),
  notice: duration,
  reason
})
