import type { Terms } from '../../protocol/documents/index.ts'
import type { Add } from './check-clauses.ts'
import { listInWords } from './list-in-words.ts'
import { didYouMean } from './suggestion.ts'

export interface KnownTable {
  name: string
  columns: readonly { name: string; type?: string | undefined }[]
  /** Its description names some columns only: of the others nothing is known. */
  partial?: boolean
}

const NUMBER = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|REAL|DECIMAL.*)$/i

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/** The tables that the agreement shows, with the columns it shows; undefined where not all are known. */
function shownTables(terms: Terms, known: readonly KnownTable[]): KnownTable[] | undefined {
  if (known.some(({ partial }) => partial)) return undefined
  if (terms.tables === '*') return [...known]
  const shown = Object.entries(terms.tables).map(([name, { columns }]) => {
    const table = known.find((one) => one.name === name)
    if (table === undefined || columns === '*') return table
    const found = table.columns.filter((column) => columns.some((one) => same(one, column.name)))
    return found.length === columns.length ? { name, columns: found } : undefined
  })
  return shown.every((table) => table !== undefined) ? shown : undefined
}

/**
 * What the columns of the dataset make of the agreement: a unit that none of them is, and algorithms for which anonymising
 * leaves nothing to compute with.
 *
 * @param needsNumbers whether an algorithm cannot be asked for without a column of numbers
 */
export function checkColumns(
  add: Add,
  terms: Terms,
  known: readonly KnownTable[],
  needsNumbers: (algorithm: string) => boolean
): void {
  const shown = shownTables(terms, known)
  if (shown === undefined || shown.length === 0) return
  const { unit } = terms.output
  if (unit !== undefined) {
    const all = known
      .filter((table) => shown.some(({ name }) => name === table.name))
      .flatMap(({ columns }) => columns.map(({ name }) => name))
    if (!all.some((name) => same(name, unit)))
      add(
        'error',
        'output.unit',
        `no table of the agreement has a column "${unit}"${didYouMean(unit, all) || '; name the column that tells people apart, or leave it out for the subject of each table'}`
      )
  }
  const { pseudonymise = [], generalise = {}, suppress = [] } = terms.anonymize ?? {}
  const columns = shown.flatMap((table) => table.columns)
  const left = columns.filter(({ name }) => !suppress.some((one) => same(one, name)))
  if (columns.length > 0 && left.length === 0) {
    add('error', 'anonymize.suppress', 'every column is suppressed: nothing is left to ask for; keep one')
    return
  }
  const changed = [
    ...pseudonymise,
    ...Object.keys(generalise).filter((name) => typeof generalise[name] !== 'number')
  ]
  const isNumber = ({ type }: KnownTable['columns'][number]) => type === undefined || NUMBER.test(type)
  const numbers = left.filter((column) => isNumber(column) && !changed.some((one) => same(one, column.name)))
  if (numbers.length > 0 || terms.algorithms === '*') return
  const lost = columns.filter(isNumber).map(({ name }) => name)
  // Who has texts alone may still cast them, which no agreement can tell
  if (lost.length === 0) return
  terms.algorithms.forEach((name, index) => {
    if (needsNumbers(name))
      add(
        'warning',
        `algorithms.${index}`,
        `${name} needs a column of numbers, and \`anonymize\` leaves none of ${listInWords([...new Set(lost)].slice(0, 8))} as it is; leave one of both out`
      )
  })
}
