import { z } from 'zod'
import { decodePlain, fields, flow, hosting, user } from '../../../protocol/documents/index.ts'

const { count, documentId, peer } = fields

/** The year 9999 is the last that every date format takes. */
const instant = z.int().min(0).max(253_402_300_799_999)
const word = z.string().max(4096)
const names = z.array(word).max(4096)
const MAX_KEYED = 4096

const keyed = <T>(value: z.ZodType<T>) =>
  z
    .record(word, value)
    .refine((found) => Object.keys(found).length <= MAX_KEYED, `expected at most ${MAX_KEYED} members`)

const providerFacts = z.object({
  question: z.enum(['discover', 'offer', 'accept', 'start', 'send', 'continue', 'release']),
  now: instant,
  organisation: word,
  requester: user,
  purpose: word,
  archetype: word,
  infrastructure: word.nullable(),
  verifier: word.exactOptional(),
  recipients: names,
  dataset: word,
  datasets: names.exactOptional(),
  uses: z
    .array(z.object({ table: word, columns: names }))
    .max(4096)
    .nullable(),
  services: names.nullable(),
  algorithm: word,
  requestsInWindow: keyed(z.object({ count, freesAt: instant.nullable() })),
  approvals: keyed(
    z.object({
      state: z.enum(['missing', 'pending', 'approved', 'refused', 'expired']),
      reason: word.nullable()
    })
  )
    .nullable()
    .exactOptional(),
  sandboxes: z
    .array(z.object({ at: word, sandbox: z.enum(['bubblewrap', 'none']) }))
    .max(4096)
    .nullable(),
  pseudonymsOpenTo: names.exactOptional()
})

const shared = {
  now: instant,
  organisation: word,
  requester: user,
  purpose: word,
  archetype: word,
  algorithm: word,
  datasets: names,
  dataProviders: names,
  infrastructure: word.nullable(),
  verifier: word.exactOptional(),
  recipients: names
}

const policyCall = z.discriminatedUnion('function', [
  z.object({
    function: z.literal('provider'),
    facts: providerFacts,
    agreements: z.array(documentId).max(4096),
    wished: word.nullable()
  }),
  z.object({
    function: z.literal('host'),
    facts: z.object({ ...shared, question: z.enum(['host', 'accept', 'start', 'continue']) }),
    hosting: hosting.nullable()
  }),
  z.object({
    function: z.literal('recipient'),
    facts: z.object({
      ...shared,
      question: z.enum(['accept', 'start', 'continue', 'receive']),
      asked: z.boolean(),
      consents: z.boolean()
    })
  }),
  z.object({
    function: z.literal('flow'),
    facts: z.object({
      question: z.enum(['send', 'receive', 'release']),
      now: instant,
      self: peer,
      contract: documentId,
      flow,
      rows: count.nullable()
    })
  })
])
export type OpenedCall = z.infer<typeof policyCall>

const openingContent = z.object({
  engine: z.string().max(256),
  policy: z.string().max(128),
  rules: z.string().max(128),
  calls: z.array(policyCall).max(256),
  besides: z.string().max(128).nullable()
})
export type OpeningContent = z.infer<typeof openingContent>

/** What a decision rested on, as a file says it. @throws {MalformedDocument} for what is not of the documented form */
export function parseOpening(content: Uint8Array): OpeningContent {
  return decodePlain(content, openingContent)
}
