import { Failure } from '../failure/index.ts'

export type Coarseness = 'year' | 'quarter' | 'month' | number

export interface AnonymizeParameters {
  pseudonymise: readonly string[]
  generalise: ReadonlyMap<string, Coarseness>
  suppress: readonly string[]
  /** Prefixed to each value before it is pseudonymised. */
  domain: string
}

const KNOWN = new Set(['pseudonymise', 'generalise', 'suppress', 'domain'])

/** @throws {Failure} anonymize-parameters */
export function parseAnonymize(parameters: Record<string, unknown>): AnonymizeParameters {
  for (const key of Object.keys(parameters)) {
    if (!KNOWN.has(key)) throw refused(`"${key}" is not known here, expected ${[...KNOWN].join(', ')}`)
  }
  const generalise = new Map<string, Coarseness>()
  const coarse: unknown = parameters.generalise ?? {}
  if (typeof coarse !== 'object' || coarse === null || Array.isArray(coarse))
    throw refused('"generalise": expected columns with year, quarter, month or a bin width')
  for (const [column, to] of Object.entries(coarse)) {
    if (to === 'year' || to === 'quarter' || to === 'month') generalise.set(column, to)
    else if (typeof to === 'number' && Number.isFinite(to) && to > 0) generalise.set(column, to)
    else
      throw refused(`"generalise", column "${column}": expected year, quarter, month or a bin width above 0`)
  }
  const parsed = {
    pseudonymise: names(parameters, 'pseudonymise'),
    generalise,
    suppress: names(parameters, 'suppress'),
    domain: typeof parameters.domain === 'string' ? parameters.domain : ''
  }
  const seen = new Set<string>()
  for (const column of [...parsed.pseudonymise, ...generalise.keys(), ...parsed.suppress]) {
    if (seen.has(column.toLowerCase())) throw refused(`column "${column}" is named twice`)
    seen.add(column.toLowerCase())
  }
  return parsed
}

function names(parameters: Record<string, unknown>, key: string): string[] {
  const value = parameters[key] ?? []
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string'))
    throw refused(`"${key}": expected a list of column names`)
  return value
}

export function refused(hint: string): Failure {
  return new Failure('anonymize-parameters', `anonymize: ${hint}`, { hint })
}
