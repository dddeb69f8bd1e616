import type { Generalisation, Terms } from '../../protocol/documents/index.ts'
import { quasiIdentifiers } from './quasi.ts'

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

function mapInWords(column: string, map: Extract<Generalisation, { values: unknown }>): string {
  const { values, otherwise, hierarchy } = map
  const source =
    hierarchy === undefined
      ? ''
      : ` by level ${hierarchy.level} of ${hierarchy.name} (sha2-256 ${hierarchy.sha256.slice(0, 12)}…)`
  const from = Object.keys(values).length
  const to = new Set(Object.values(values)).size
  const rest = otherwise === undefined ? 'empties every other value' : `turns every other into "${otherwise}"`
  return `turns ${from} values of ${column} into ${to}${source} and ${rest}`
}

function generalisedInWords(column: string, to: Generalisation): string {
  if (typeof to === 'number') return `rounds ${column} down to multiples of ${to}`
  if (typeof to === 'string') return `reduces ${column} to the ${to}`
  if ('prefix' in to)
    return `keeps the first ${to.prefix === 1 ? 'character' : `${to.prefix} characters`} of ${column}`
  if ('edges' in to)
    return `rounds ${column} down to the nearest of ${list(to.edges)}, and empties what is below`
  return mapInWords(column, to)
}

/** What `anonymize` does under these terms, in parts of a sentence whose subject it is; empty where they order nothing. */
export function anonymisationInWords({ anonymize }: Pick<Terms, 'anonymize'>): string[] {
  if (anonymize === undefined) return []
  const { pseudonymise, generalise, suppress } = anonymize
  const k = anonymize.k ?? 0
  const quasi = quasiIdentifiers(anonymize)
  return [
    ...(pseudonymise.length > 0 ? [`replaces ${list(pseudonymise)} by pseudonyms`] : []),
    ...Object.entries(generalise).map(([column, to]) => generalisedInWords(column, to)),
    ...(suppress.length > 0 ? [`removes ${list(suppress)}`] : []),
    ...(k > 1 && quasi.length > 0
      ? [
          `leaves out the rows of each table whose ${quasi.length > 1 ? 'combination of ' : ''}${list(quasi)} fewer than ${k} subjects share`
        ]
      : [])
  ]
}
