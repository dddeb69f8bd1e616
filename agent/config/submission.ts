import { z } from 'zod'
import {
  fields,
  MalformedDocument,
  type ParameterValue,
  parameters as signableParameters
} from '../../protocol/documents/index.ts'
import { specificationProblems } from '../../services/index.ts'
import { checkSource, problemAt } from './check.ts'
import { decimalOf } from './decimal.ts'
import { GraphSpecificationInvalid, RequestTypeNotSupported } from './errors.ts'
import { listOf, userName } from './fields.ts'
import { duration, scaled } from './quantities.ts'
import { readSource, type Source, sourceOfValue } from './source.ts'

const { identifier, name, organisation } = fields
/** No agent takes a request that lasts longer. */
const DAY_MS = 86_400_000
const MICRO = 1e6
/** Reserved by the schema; each is refused until this agent can run it. */
const LATER_TYPES = ['sqlJoinRequest', 'trainRequest', 'streamRequest']

const weight = z.number().nonnegative().max(1e6)

/** One agreement, or one for each dataset. */
const agreementWish = z.union([name, z.record(name, name)])

/** A request as an analyst writes it. */
export const submissionFile = z.strictObject({
  type: z.literal('sqlDataRequest').default('sqlDataRequest'),
  user: userName.optional(),
  purpose: name,
  datasets: listOf(name, 8, 1),
  providers: listOf(organisation, 64, 1).optional(),
  require: z.union([z.enum(['all', 'available']), z.int().positive().max(64)]).optional(),
  query: z
    .string()
    .max(65_536)
    .refine((sql) => sql.trim() !== '', 'expected a SELECT'),
  algorithm: z
    .union([
      name.transform((algorithm) => ({ name: algorithm, parameters: {} })),
      z.strictObject({ name, parameters: z.record(identifier, z.unknown()).default({}) })
    ])
    .prefault({ name: 'table' }),
  options: z
    .strictObject({
      aggregate: z.boolean().optional(),
      anonymize: z.boolean().default(false),
      /** true: a picture that suits the result; or a Vega-Lite specification. */
      graph: z.union([z.boolean(), z.record(z.string(), z.unknown())]).default(false)
    })
    .prefault({}),
  archetype: z.union([name.transform((archetype) => [archetype]), listOf(name, 8, 1)]).optional(),
  recipients: listOf(organisation, 8, 1).optional(),
  agreements: z.record(organisation, agreementWish).default({}),
  optimise: z
    .strictObject({
      energy: weight.default(0),
      carbon: weight.default(0),
      time: weight.default(0),
      cost: weight.default(0),
      load: weight.default(0)
    })
    .prefault({ energy: 1, time: 1 }),
  within: z.strictObject({ time: duration.optional(), cost: scaled(MICRO).optional() }).prefault({}),
  verify: z.strictObject({ at: organisation }).optional(),
  deadline: duration
    .refine((milliseconds) => milliseconds > 0, 'expected more than no time')
    .refine((milliseconds) => milliseconds <= DAY_MS, 'expected at most a day')
    .prefault('PT5M')
})

const milliseconds = z.int().nonnegative()

/** What an analyst asks for, checked, with its defaults: plain data, also as the store keeps it. */
export const submission = z.strictObject({
  type: z.literal('sqlDataRequest'),
  /** As `name@domain`; absent: the token's. */
  user: userName.exactOptional(),
  purpose: name,
  datasets: z.array(name),
  /** Organisations; absent: every provider found. */
  providers: z.array(organisation).exactOptional(),
  /** How many of the providers must take part. */
  require: z.union([z.enum(['all', 'available']), z.int()]),
  query: z.string(),
  /** Parameters can be signed: integers, texts, lists; a fraction has become a decimal text. */
  algorithm: z.strictObject({ name, parameters: signableParameters }),
  /** `aggregate` absent: true from two providers, which only discovery tells. */
  options: z.strictObject({
    aggregate: z.boolean().exactOptional(),
    anonymize: z.boolean(),
    graph: z.boolean()
  }),
  /** The asker's own specification of the picture, as JSON text: it may hold fractions, which nobody signs. */
  specification: z.string().exactOptional(),
  /** Wishes, the best first; empty: none is preferred. */
  archetypes: z.array(name),
  /** Organisations; absent: the requester's own. */
  recipients: z.array(organisation).exactOptional(),
  /** The agreement to run under, by provider organisation; of several datasets, by dataset. */
  agreements: z.record(organisation, agreementWish),
  /** Weights over the permitted candidates. */
  optimise: z.strictObject({ energy: weight, carbon: weight, time: weight, cost: weight, load: weight }),
  /** Hard limits: milliseconds, and millionths of the currency. */
  within: z.strictObject({ time: milliseconds.exactOptional(), cost: z.int().nonnegative().exactOptional() }),
  /** Organisation that runs again what the compute provider runs; absent: nobody. */
  verify: organisation.exactOptional(),
  /** Milliseconds, from receipt; bounds the exchange. */
  deadline: milliseconds
})
export type Submission = z.infer<typeof submission>

const typed = z.looseObject({ type: z.string().optional() })

/** A later type has keys of its own, so it is told apart before the keys are checked. */
function assertSupported(source: Source): void {
  const parsed = typed.safeParse(source.value)
  if (!parsed.success) return
  const { type } = parsed.data
  if (type !== undefined && LATER_TYPES.includes(type))
    throw new RequestTypeNotSupported(
      `${source.file}: expected type sqlDataRequest, found ${type}, which this version does not run yet`
    )
}

function signable(parameters: Record<string, unknown>, source: Source): Record<string, ParameterValue> {
  const place = ['algorithm', 'parameters']
  try {
    const decimal = Object.fromEntries(
      Object.entries(parameters).map(([key, value]) => [key, decimalOf(value, key)])
    )
    return checkSource(sourceOfValue(decimal, source.file), signableParameters)
  } catch (cause) {
    if (cause instanceof MalformedDocument) throw problemAt(source, place, cause.message)
    throw cause
  }
}

/** @throws {GraphSpecificationInvalid} naming what may not be in it, and where */
function specificationOf(graph: Record<string, unknown>, source: Source): string {
  const [problem] = specificationProblems(graph)
  if (problem === undefined) return JSON.stringify(graph)
  const { file, problems } = problemAt(source, ['options', 'graph', ...problem.path], problem.message)
  throw new GraphSpecificationInvalid(file, problems)
}

/** An agreement is about one dataset. */
function assertWishes({ agreements, datasets }: z.infer<typeof submissionFile>, source: Source): void {
  for (const [provider, wish] of Object.entries(agreements)) {
    const place = ['agreements', provider]
    if (typeof wish === 'string') {
      if (datasets.length > 1)
        throw problemAt(
          source,
          place,
          `expected the agreement of each dataset, as in {${datasets[0]}: ${wish}}, found one for ${datasets.length} datasets`
        )
      continue
    }
    const stranger = Object.keys(wish).find((dataset) => !datasets.includes(dataset))
    if (stranger !== undefined)
      throw problemAt(
        source,
        [...place, stranger],
        `expected a dataset of the request (${datasets.join(', ')}), found ${stranger}`
      )
  }
}

/**
 * A request file, or the body of an HTTP request: untrusted either way.
 *
 * @param input YAML or JSON as a text, or the value that a JSON text stood for
 * @param file what to call it in errors
 * @throws {ConfigInvalid} naming place and expectation; {GraphSpecificationInvalid}; {RequestTypeNotSupported} for reserved forms
 */
export function parseSubmission(input: unknown, file = 'request'): Submission {
  const source = typeof input === 'string' ? readSource(input, file) : sourceOfValue(input, file)
  assertSupported(source)
  const written = checkSource(source, submissionFile)
  const { providers, recipients, user } = written
  if (typeof written.require === 'number' && providers !== undefined && written.require > providers.length) {
    throw problemAt(
      source,
      ['require'],
      `expected at most the ${providers.length} providers that are named, found ${written.require}`
    )
  }
  assertWishes(written, source)
  const { aggregate, anonymize, graph } = written.options
  const { time, cost } = written.within
  return {
    type: written.type,
    ...(user === undefined ? {} : { user }),
    purpose: written.purpose,
    datasets: written.datasets,
    ...(providers === undefined ? {} : { providers }),
    require: written.require ?? (providers === undefined ? 'available' : 'all'),
    query: written.query,
    algorithm: {
      name: written.algorithm.name,
      parameters: signable(written.algorithm.parameters, source)
    },
    options: { anonymize, graph: graph !== false, ...(aggregate === undefined ? {} : { aggregate }) },
    ...(typeof graph === 'boolean' ? {} : { specification: specificationOf(graph, source) }),
    archetypes: written.archetype ?? [],
    ...(recipients === undefined ? {} : { recipients }),
    agreements: written.agreements,
    optimise: written.optimise,
    within: { ...(time === undefined ? {} : { time }), ...(cost === undefined ? {} : { cost }) },
    ...(written.verify === undefined ? {} : { verify: written.verify.at }),
    deadline: written.deadline
  }
}
