import type { Offered } from './offered.ts'

type Table = Offered['dataset']['tables'][number]
type Column = Table['columns'][number]

const MOST_TOLD = 200
const MOST_CODES = 10

/** In words, where providers describe one dataset otherwise than the first of them that has the table or column. */
export function differencesOf(offered: readonly Offered[]): string[] {
  const differences: string[] = []
  const tables = namesOf(offered.map(({ dataset }) => dataset.tables))
  for (const table of tables) {
    const having = offered.flatMap(({ organisation, dataset }) => {
      const found = dataset.tables.find(({ name }) => name === table)
      return found === undefined ? [] : [{ organisation, found }]
    })
    differences.push(...missing(`table ${table}`, offered, having))
    differences.push(...tableDifferences(table, having))
  }
  if (differences.length <= MOST_TOLD) return differences
  return [...differences.slice(0, MOST_TOLD), `and ${differences.length - MOST_TOLD} more`]
}

function tableDifferences(
  table: string,
  offered: readonly { organisation: string; found: Table }[]
): string[] {
  const [first, ...others] = offered
  const differences = others.flatMap(({ organisation, found: { subject } }) =>
    subject === first?.found.subject
      ? []
      : [
          `a row of ${table} is about ${subject ?? 'nobody that is told'} at ${organisation}, about ${first?.found.subject ?? 'nobody that is told'} at ${first?.organisation}`
        ]
  )
  for (const name of namesOf(offered.map(({ found }) => found.columns))) {
    const having = offered.flatMap(({ organisation, found }) => {
      const column = found.columns.find((one) => one.name === name)
      return column === undefined ? [] : [{ organisation, column }]
    })
    differences.push(...missing(`${table}.${name}`, offered, having))
    const [expected, ...rest] = having
    if (expected === undefined) continue
    for (const other of rest) differences.push(...columnDifferences(`${table}.${name}`, expected, other))
  }
  return differences
}

interface Said {
  organisation: string
  column: Column
}

function columnDifferences(name: string, first: Said, other: Said): string[] {
  const differences: string[] = []
  if (other.column.type !== first.column.type)
    differences.push(
      `${name} is ${other.column.type} at ${other.organisation}, ${first.column.type} at ${first.organisation}`
    )
  const [unit, expected] = [unitOf(other.column), unitOf(first.column)]
  if (unit !== expected)
    differences.push(
      `${name} is in ${unit} at ${other.organisation}, in ${expected} at ${first.organisation}`
    )
  return [...differences, ...codeDifferences(name, first, other)]
}

function unitOf({ unit }: Column): string {
  return unit === undefined || unit === '' ? 'no unit that is told' : unit
}

function codeDifferences(name: string, first: Said, other: Said): string[] {
  const [codes, expected] = [other.column.values, first.column.values]
  if (codes === undefined && expected === undefined) return []
  if (codes === undefined || expected === undefined) {
    const silent = codes === undefined ? other : first
    const told = codes === undefined ? first : other
    return [`${name} has codes that ${told.organisation} tells and ${silent.organisation} does not`]
  }
  const codesAlone = (one: Said, all: readonly string[], others: readonly string[]): string[] => {
    const more = all.filter((code) => !others.includes(code))
    return more.length === 0 ? [] : [`${name} has at ${one.organisation} alone the codes ${listed(more)}`]
  }
  const alone = [...codesAlone(other, codes, expected), ...codesAlone(first, expected, codes)]
  return alone.map((text) => `${text} (of ${first.organisation} and ${other.organisation})`)
}

function listed(codes: readonly string[]): string {
  const more = codes.length - MOST_CODES
  return codes.slice(0, MOST_CODES).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

function missing(
  what: string,
  all: readonly { organisation: string }[],
  having: readonly { organisation: string }[]
): string[] {
  const names = having.map(({ organisation }) => organisation)
  const without = all.map(({ organisation }) => organisation).filter((one) => !names.includes(one))
  if (without.length === 0) return []
  return names.length < without.length
    ? [`only ${names.join(' and ')} has ${what}`]
    : without.map((one) => `${one} has no ${what}`)
}

/** In the order in which they are met. */
function namesOf(lists: readonly (readonly { name: string }[])[]): Set<string> {
  return new Set(lists.flatMap((list) => list.map(({ name }) => name)))
}
