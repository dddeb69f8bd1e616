import { z } from 'zod'
import { sandbox } from './capability.ts'
import { refusalCode } from './codes.ts'
import {
  anyOrNames,
  bytes,
  column,
  count,
  documentId,
  duration,
  header,
  identifier,
  instant,
  logPosition,
  name,
  organisation,
  peer,
  text,
  user
} from './fields.ts'

/** One candidate: an archetype, and the compute provider that would play `infrastructure` (null: each data provider itself). */
export const row = z.strictObject({ archetype: name, infrastructure: peer.nullable() })
export type Row = z.infer<typeof row>

export const MAX_ROWS = 64
const MAX_CHOICES = 8

/** The candidates of a request. Each is decided about by each hop, so that none is there twice. */
const rows = z
  .array(row)
  .min(1)
  .max(MAX_ROWS)
  .refine(
    (all) => new Set(all.map((one) => `${one.archetype} ${one.infrastructure}`)).size === all.length,
    'expected each candidate once'
  )
  .refine(
    (all) =>
      new Set(all.map((one) => one.archetype)).size <= MAX_CHOICES &&
      new Set(all.flatMap((one) => one.infrastructure ?? [])).size <= MAX_CHOICES,
    `expected at most ${MAX_CHOICES} archetypes and ${MAX_CHOICES} compute providers`
  )

export const requestOptions = z.strictObject({
  aggregate: z.boolean(),
  anonymize: z.boolean(),
  graph: z.boolean()
})

const MAX_DATASETS = 8
const datasets = z
  .array(name)
  .min(1)
  .max(MAX_DATASETS)
  .refine((all) => new Set(all).size === all.length, 'expected each dataset once')

/** What is asked. The common part is this payload; the query part is a salted section that only data holders under an agreement get. */
export const request = z.strictObject({
  ...header('request'),
  nonce: bytes.refine(({ byteLength }) => byteLength >= 16 && byteLength <= 32, 'expected 16 to 32 bytes'),
  organisation,
  user,
  purpose: name,
  datasets,
  /** Data providers that were asked, by agent. */
  providers: z.array(peer).min(1).max(64),
  rows,
  algorithm: name,
  options: requestOptions,
  recipients: z.array(organisation).min(1).max(8),
  /** Agreements that the requester wishes, by provider organisation: one, or one for each dataset. */
  agreements: z.record(organisation, z.union([name, z.record(name, name)])),
  deadline: duration,
  /** Who runs again what the compute provider runs, so that the recipient can compare; absent: nobody. */
  verify: peer.optional(),
  /** Digest of the query part. */
  query: documentId
})

export const parameterValue: z.ZodType<ParameterValue> = z.lazy(() =>
  z.union([
    z.string().max(65_536),
    z.int(),
    z.boolean(),
    z.null(),
    z.array(parameterValue).max(4096),
    z.record(z.string(), parameterValue)
  ])
)
/** Parameters of algorithms: integers, strings, lists; a fraction is written as a decimal string. */
export type ParameterValue =
  | string
  | number
  | boolean
  | null
  | ParameterValue[]
  | { [key: string]: ParameterValue }
export const parameters = z.record(identifier, parameterValue)

export const queryPart = z.strictObject({ sql: z.string().min(1).max(65_536), parameters })
export type QueryPart = z.infer<typeof queryPart>

/** What travels with a result: the terms of all inputs, combined mechanically. */
export const resultTerms = z.strictObject({
  recipients: anyOrNames,
  purposes: anyOrNames,
  until: instant.nullable(),
  services: z.array(name).max(32),
  forbid: z.array(name).max(32),
  maxRows: count.nullable(),
  /** What is made of the data are aggregates, each of at least so many units at each provider; absent: no such limit. */
  minGroupSize: count.optional(),
  /** A result goes to its recipient when each data provider that says so has released it; absent: without. */
  releaseAsk: z.literal(true).optional(),
  onward: z.literal('none')
})
export type ResultTerms = z.infer<typeof resultTerms>

/** An answer that says no: hop, code and clause, and what would be acceptable to an asker entitled to know. */
export const refusal = z.strictObject({
  code: refusalCode,
  /** `agreement#clause`; null for askers that are no party to it. */
  clause: z.string().max(256).nullable(),
  reason: text,
  acceptable: z.record(z.string().max(64), z.union([text, z.array(text).max(256), z.int()])).nullable(),
  /** Character offset in the asker's own SQL. */
  position: count.nullable()
})
export type Refusal = z.infer<typeof refusal>

export const rowAnswer = z.discriminatedUnion('verdict', [
  z.strictObject({
    row: count,
    verdict: z.literal('permit'),
    /** Services that must be in the chain at this hop. */
    services: z.array(name).max(32),
    clauses: z.array(z.string().max(256)).max(64),
    terms: resultTerms.nullable()
  }),
  z.strictObject({ row: count, verdict: z.literal('refuse'), refusal })
])
export type RowAnswer = z.infer<typeof rowAnswer>

/** One agent's answer to every row of a request. */
export const offer = z.strictObject({
  ...header('offer'),
  request: documentId,
  organisation,
  /** As what it was asked. */
  as: z
    .array(z.enum(['data', 'infrastructure', 'recipient']))
    .min(1)
    .max(3),
  rows: z.array(rowAnswer).min(1).max(MAX_ROWS),
  sandbox,
  /** Id of the policy that decided. */
  policy: z.string().max(128),
  /** Digest of the salted {@link offerDetails}, which only the requester gets. */
  details: documentId
})

/** A column that a query yields; the unit of one that is a column of a table, unchanged. */
export const grantedColumn = z.strictObject({ ...column.shape, unit: text.optional() })
export type GrantedColumn = z.infer<typeof grantedColumn>

/** For the requester alone. Counts are powers of two, from the stored profile, and ignore literals. */
export const offerDetails = z.strictObject({
  /** Under which agreements, one for each dataset, the permitted rows would run, and what columns the query yields there. Empty at other hops than data. */
  grants: z
    .array(
      z.strictObject({
        rows: z.array(count).min(1).max(MAX_ROWS),
        agreements: z
          .array(z.strictObject({ dataset: name, id: documentId, name }))
          .min(1)
          .max(MAX_DATASETS),
        columns: z.array(grantedColumn).max(2000)
      })
    )
    .max(MAX_ROWS),
  estimates: z.strictObject({
    rows: count,
    bytes: count,
    milliseconds: count,
    millijoules: count,
    /** milligrams CO2e */
    carbon: count,
    /** millionths of the currency */
    cost: count,
    /** thousandths of the cores in use */
    load: count
  }),
  notes: z.array(text).max(64)
})
export type OfferDetails = z.infer<typeof offerDetails>

export const archetypeStep = z.strictObject({
  service: name,
  at: z.enum(['data', 'infrastructure', 'recipient', 'algorithm']),
  forEach: z.literal('data').optional(),
  when: z.enum(['required', 'asked', 'several']).optional()
})
/** The archetype itself travels in the contract, so that all mean the same. */
export const archetypeBody = z.strictObject({
  name,
  roles: z.strictObject({
    data: z.enum(['one', 'many']),
    algorithm: z.enum(['one', 'many']),
    infrastructure: z.enum(['one', 'many']),
    recipient: z.enum(['one', 'many'])
  }),
  where: z.array(z.string().max(128)).max(16),
  steps: z.array(archetypeStep).min(1).max(32),
  output: z.strictObject({ to: z.enum(['recipient', 'infrastructure', 'data']) })
})
export type ArchetypeBody = z.infer<typeof archetypeBody>

export const partyRole = z.enum(['data', 'infrastructure', 'recipient'])
export type PartyRole = z.infer<typeof partyRole>

export const party = z.strictObject({
  peer,
  organisation,
  roles: z.array(partyRole).min(1).max(3),
  /** The offer this party's place rests on; null for a recipient that only takes what it asked for. */
  offer: documentId.nullable(),
  sandbox,
  /** Digest of this party's section. */
  section: documentId
})
export type Party = z.infer<typeof party>

export const placedStep = z.strictObject({ step: count, service: name, at: peer })
export type PlacedStep = z.infer<typeof placedStep>

/** Data moving from one hop to another: the output of step `from.step`. */
export const flow = z.strictObject({ flow: count, from: peer, to: peer, step: count })
export type Flow = z.infer<typeof flow>

/** The header of a contract: what every party may see. Signed by the requester's agent. */
export const contract = z.strictObject({
  ...header('contract'),
  request: documentId,
  /** 1 to {@link MAX_EPOCHS}; a later epoch replaces an earlier one. */
  epoch: z.int().min(1).max(3),
  organisation,
  user,
  purpose: name,
  datasets,
  algorithm: name,
  archetype: archetypeBody,
  parties: z.array(party).min(1).max(80),
  chain: z.array(placedStep).min(1).max(512),
  flows: z.array(flow).max(512),
  recipients: z.array(organisation).min(1).max(8),
  terms: resultTerms,
  /** How long a party may take, from its start. */
  deadline: duration,
  /** The compute provider that runs again what the other one runs; as in the request. */
  verify: peer.optional()
})

export const MAX_EPOCHS = 3

const stepParameters = z.strictObject({ step: count, parameters })
const flowInput = z.strictObject({
  flow: count,
  /** Whose rows it carries. */
  organisations: z.array(organisation).min(1).max(64),
  columns: z.array(column).max(2000)
})

/** What one party needs to do its share, and nobody else may see. */
export const section = z.discriminatedUnion('as', [
  z.strictObject({
    as: z.literal('data'),
    /** Under which agreement each dataset is shown, in the order of the contract's datasets. */
    agreements: z
      .array(z.strictObject({ dataset: name, agreement: documentId }))
      .min(1)
      .max(MAX_DATASETS),
    query: queryPart,
    /** Phase in which this party runs the algorithm, when it does. */
    algorithm: z.enum(['complete', 'partial']).nullable(),
    steps: z.array(stepParameters).max(32)
  }),
  z.strictObject({
    as: z.literal('infrastructure'),
    parameters,
    /** merge: what arrives are states. */
    algorithm: z.enum(['complete', 'partial', 'merge']).nullable(),
    inputs: z.array(flowInput).min(1).max(64),
    union: z.boolean()
  }),
  z.strictObject({
    as: z.literal('recipient'),
    parameters,
    inputs: z.array(flowInput).min(1).max(64),
    union: z.boolean(),
    merge: z.boolean(),
    /** The same results once more, of the party that runs the steps again; only to be compared. */
    again: z.array(flowInput).min(1).max(64).optional(),
    /** A specification of the picture as JSON text, where the asker gives one. */
    graph: z.string().max(65_536).optional()
  })
])
export type Section = z.infer<typeof section>
/** The sections of one party: one for each role it plays. */
export const sections = z.array(section).min(1).max(3)

/** A party's word that it will do its share of the contract, if it is started in time. */
export const acceptance = z.strictObject({
  ...header('acceptance'),
  contract: documentId,
  request: documentId,
  epoch: z.int().min(1).max(3),
  organisation,
  /** Milliseconds from the signature within which it must be started. */
  startBy: duration,
  statusNumber: count,
  resultTerms: resultTerms.nullable(),
  /** This provider's share of the pseudonym key, sealed to every other data provider. */
  shares: z.array(z.strictObject({ to: peer, sealed: bytes })).max(64),
  log: logPosition
})

/** A party's word that it will not: takes the place of an acceptance. */
export const decline = z.strictObject({
  ...header('decline'),
  contract: documentId,
  request: documentId,
  epoch: z.int().min(1).max(3),
  organisation,
  refusal
})
