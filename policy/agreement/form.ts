import { z } from 'zod'
import { MAX_TAKERS } from '../../protocol/documents/index.ts'
import { parsePredicate } from '../predicate/index.ts'
import { REQUESTER } from './draft.ts'
import { GENERALISE_KEYS, generaliseForm } from './generalise.ts'
import { isTimezone, parseDuration } from './quantities.ts'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const ORGANISATION = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u

const nameError = 'expected a name of letters, digits, ".", "_" or "-" (quote it when it looks like a number)'
const name = z.string({ error: nameError }).regex(NAME, nameError)
const organisationError = 'expected an organisation: at most 64 letters, digits, blanks, ".", "_" or "-"'
const organisation = z.string({ error: organisationError }).regex(ORGANISATION, organisationError)
const columnError = 'expected a name of a table or column (quote it when it looks like a number)'
const identifier = z.string({ error: columnError }).min(1, columnError).max(128, columnError)
const textError = 'expected a text of at most 4096 characters (quote it when it looks like a number)'
const text = z.string({ error: textError }).max(4096, textError)
const countError = 'expected a whole number of at least 0'
const count = z.int({ error: countError }).nonnegative(countError)

const durationError =
  'expected an ISO 8601 duration such as P1D or PT5M (years and months have no fixed length: use days)'
const duration = z.string({ error: durationError }).transform((value, context) => {
  const milliseconds = parseDuration(value)
  if (milliseconds !== undefined) return milliseconds
  context.addIssue({ code: 'custom', message: durationError })
  return z.NEVER
})

function once(list: readonly string[], context: z.RefinementCtx): void {
  const seen = new Set<string>()
  list.forEach((item, index) => {
    if (seen.has(item))
      context.addIssue({ code: 'custom', path: [index], message: 'expected each name once' })
    seen.add(item)
  })
}

function anyLength(item: z.ZodType<string, string>, what: string) {
  return z.array(item, { error: `expected a list of ${what}, such as [one, two]` }).superRefine(once)
}

function listOf(item: z.ZodType<string, string>, max: number, what: string) {
  return anyLength(item, what).max(max, `expected at most ${max} ${what}`)
}

function anyOr(item: z.ZodType<string, string>, max: number, what: string) {
  return z
    .union([z.literal('*'), anyLength(item, what)], {
      error: `expected a list of ${what}, such as [one, two], or "*" for any`
    })
    .refine(
      (value) => value === '*' || value.length <= max,
      `expected at most ${max} ${what}, or "*" for any`
    )
}

const recipient = z.union([organisation, z.literal(REQUESTER)], { error: organisationError })

function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape, what: string) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : `expected ${what}`)
  })
}

const address = 'expected a user: an address such as analyst@uva.nl, or {organisation: UVA, name: analyst}'
const consumer = mapping(
  {
    user: z
      .union(
        [
          z.string().regex(/^[^\s@]{1,128}@[^\s@]{1,127}$/),
          z.strictObject({ organisation, name: z.string().min(1).max(256) })
        ],
        { error: address }
      )
      .optional(),
    organisation: organisation.optional()
  },
  'a consumer: {organisation: UVA} or {user: analyst@uva.nl}'
).superRefine((value, context) => {
  if ((value.user === undefined) === (value.organisation === undefined)) {
    context.addIssue({ code: 'custom', message: 'expected one of {organisation: …} and {user: …}' })
  }
})

const table = mapping(
  {
    columns: anyOr(identifier, 2000, 'columns'),
    where: z
      .string({ error: 'expected a boolean expression in quotes' })
      .superRefine((value, context) => {
        try {
          parsePredicate(value)
        } catch (error) {
          context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'unreadable' })
        }
      })
      .optional()
  },
  'a table: {columns: […], where: …}'
)

const services = mapping(
  {
    require: listOf(name, 32, 'services').optional(),
    forbid: listOf(name, 32, 'services').optional()
  },
  '{require: […], forbid: […]}'
)
const output = mapping(
  {
    unit: identifier.optional(),
    minGroupSize: count.optional(),
    maxRows: count.optional(),
    aggregatesOnly: z.boolean({ error: 'expected true or false' }).optional()
  },
  '{maxRows: …}'
)
const anonymize = mapping(
  {
    pseudonymise: listOf(identifier, 256, 'columns').optional(),
    generalise: z
      .record(identifier, generaliseForm, {
        error: 'expected columns with how to generalise them, such as {born: year}'
      })
      .optional(),
    suppress: listOf(identifier, 256, 'columns').optional(),
    k: count.optional(),
    quasi: listOf(identifier, 32, 'columns').min(1, 'expected at least one column').optional()
  },
  '{pseudonymise: […], generalise: {…}, suppress: […]}'
)
const limits = mapping({ requests: count, per: duration }, '{requests: 100, per: P1D}')
const approval = mapping(
  { by: z.array(text).max(32), when: text, within: duration },
  '{by: […], when: firstTime, within: P3D}'
)
const fractionError = 'expected a number of at least 0'
const micros = z
  .number({ error: fractionError })
  .nonnegative(fractionError)
  .max(1e9, fractionError)
  .transform((value) => Math.round(value * 1e6))
const privacy = mapping(
  { epsilon: micros, budget: micros, per: duration },
  '{epsilon: 1, budget: 10, per: P30D}'
)
const cache = mapping(
  { extract: text.optional(), results: text.optional() },
  '{extract: none, results: none}'
)
const valid = mapping(
  { from: text.optional(), until: text.optional() },
  '{from: 2026-01-01, until: 2027-01-01}'
)
const takersError = `expected how many may take it: 1 to ${MAX_TAKERS}`
const revocation = mapping(
  {
    effect: z.enum(['stop', 'finish'], { error: 'expected stop or finish' }).optional(),
    notice: duration.optional()
  },
  '{effect: stop, notice: PT0S}'
)
const standing = mapping(
  {
    takers: z.union([z.literal('*'), anyLength(organisation, 'organisations').min(1).max(256)], {
      error: 'expected a list of organisations, such as [UVA], or "*" for any member'
    }),
    max: z.int({ error: takersError }).min(1, takersError).max(MAX_TAKERS, takersError).default(MAX_TAKERS),
    until: text.optional()
  },
  'a standing offer: {takers: "*", max: 20, until: 2027-01-01}'
)
const zoneError = 'expected a time zone such as UTC or Europe/Amsterdam'

/** An agreement as a steward writes it: the published file format. Unknown keys are errors at every level. */
export const agreementForm = mapping(
  {
    agreement: name,
    provider: organisation,
    dataset: name,
    consumers: z
      .array(consumer, { error: 'expected a list of consumers, such as [{organisation: UVA}]' })
      .max(256)
      .optional(),
    standing: standing.optional(),
    purposes: anyOr(name, 256, 'purposes').optional(),
    archetypes: anyOr(name, 256, 'archetypes').optional(),
    computeProviders: anyOr(organisation, 256, 'organisations').optional(),
    recipients: anyOr(recipient, 256, 'organisations').optional(),
    tables: z
      .union([z.literal('*'), z.record(identifier, table)], {
        error: 'expected tables, such as {Personen: {columns: […]}}, or "*" for all'
      })
      .optional(),
    services: services.optional(),
    algorithms: anyOr(name, 256, 'algorithms').optional(),
    output: output.optional(),
    anonymize: anonymize.optional(),
    limits: limits.optional(),
    approval: approval.optional(),
    privacy: privacy.optional(),
    cache: cache.optional(),
    valid: valid.optional(),
    sandbox: z.enum(['required', 'none'], { error: 'expected required or none' }).optional(),
    onward: text.optional(),
    releaseAsk: z.boolean({ error: 'expected true or false' }).optional(),
    revocation: revocation.optional(),
    timezone: z.string({ error: zoneError }).refine(isTimezone, zoneError).optional(),
    about: z
      .record(z.string().max(64, 'expected a key of at most 64 characters'), text, {
        error: 'expected texts, such as {reference: "2026/17"}'
      })
      .optional(),
    cedar: z
      .string({ error: 'expected Cedar text' })
      .max(65_536, 'expected at most 65536 characters')
      .optional()
  },
  'an agreement: a mapping of clauses'
)
export type AgreementForm = z.infer<typeof agreementForm>

/** The keys that may stand at each place; `*` is any name or position. */
export const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(agreementForm.shape),
  'consumers.*': ['user', 'organisation'],
  'consumers.*.user': ['organisation', 'name'],
  'tables.*': Object.keys(table.shape),
  services: Object.keys(services.shape),
  output: Object.keys(output.shape),
  anonymize: Object.keys(anonymize.shape),
  'anonymize.generalise.*': GENERALISE_KEYS,
  limits: Object.keys(limits.shape),
  approval: Object.keys(approval.shape),
  privacy: Object.keys(privacy.shape),
  cache: Object.keys(cache.shape),
  valid: Object.keys(valid.shape),
  revocation: Object.keys(revocation.shape),
  standing: Object.keys(standing.shape)
}
