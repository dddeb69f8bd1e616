import { z } from 'zod'
import {
  anyOrNames,
  count,
  digest,
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
export const generalisation = z.union([z.enum(['year', 'quarter', 'month']), z.int().positive()])

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
      k: count.optional()
    })
    .optional(),
  limits: z.strictObject({ requests: count, per: duration }).optional(),
  approval: z.strictObject({ by: z.array(text).max(32), when: text, within: duration }).optional(),
  privacy: z.strictObject({ epsilonMicros: count, budgetMicros: count, per: duration }).optional(),
  cache: z.strictObject({ extract: text, results: text }).optional(),
  valid: z.strictObject({ from: instant.optional(), until: instant.optional() }),
  sandbox: z.enum(['required', 'none']).optional(),
  onward: text.optional(),
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
  supersedes: z.string().max(128).optional()
})
