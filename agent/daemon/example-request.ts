import type { Terms } from '../../protocol/documents/index.ts'
import type { DatasetView } from '../api/index.ts'

type TableView = DatasetView['tables'][number]

const SHOWN = 2
const NUMBER = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*)$/
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** The words that the engine takes for no name (`duckdb_keywords()`, reserved). */
const RESERVED = new Set(
  (
    'all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create default ' +
    'deferrable desc describe distinct do else end except false fetch for foreign from group having in initially ' +
    'intersect into lambda lateral leading limit not null offset on only or order pivot pivot_longer pivot_wider ' +
    'placing primary qualify references returning select show some summarize symmetric table then to trailing true ' +
    'union unique unpivot using variadic when where window with'
  ).split(' ')
)
const PLAIN_WORD = /^[A-Za-z0-9._@/-]+$/

export type ExampleRequest = NonNullable<DatasetView['example']>

/**
 * A request that asks for something of a dataset. It keeps to the first agreement that opens a table at all; without one it
 * shows the form.
 */
export function exampleOf(
  dataset: string,
  tables: readonly TableView[],
  agreements: readonly Terms[]
): ExampleRequest {
  for (const terms of agreements) {
    const opened = openedBy(tables, terms)
    const purpose = terms.purposes === '*' ? 'PURPOSE' : terms.purposes[0]
    if (opened !== undefined && purpose !== undefined)
      return example(dataset, opened, purpose, algorithmOf(opened, terms))
  }
  return example(dataset, tables[0], 'PURPOSE', undefined)
}

/** The same as one line for a shell. */
export function askCommand(dataset: string, { query, purpose, algorithm }: ExampleRequest): string {
  const words = ['dynamos', 'ask', query, '--dataset', dataset, '--purpose', purpose]
  if (algorithm !== undefined) words.push('--algorithm', algorithm.name)
  if (algorithm?.value !== undefined) words.push('--value', algorithm.value)
  return words.map(shellWord).join(' ')
}

function openedBy(tables: readonly TableView[], terms: Terms): TableView | undefined {
  for (const table of tables) {
    const open = columnsOpen(terms, table.name)
    const suppressed = terms.anonymize?.suppress ?? []
    const columns = table.columns.filter(
      ({ name }) => (open === '*' || open.includes(name)) && !suppressed.includes(name)
    )
    if (columns.length > 0) return { ...table, columns }
  }
  return undefined
}

function columnsOpen({ tables }: Terms, table: string): '*' | readonly string[] {
  if (tables === '*') return '*'
  return Object.hasOwn(tables, table) ? (tables[table]?.columns ?? []) : []
}

/** Rows themselves need the algorithm `table`; where that is closed, a mean of what can be averaged. */
function algorithmOf(
  { columns, subject }: TableView,
  { algorithms }: Terms
): ExampleRequest['algorithm'] | undefined {
  if (algorithms === '*' || algorithms.includes('table')) return undefined
  const numbers = columns.filter(({ name, type }) => NUMBER.test(type) && name !== subject)
  const value = (numbers.find(({ unit }) => unit !== undefined) ?? numbers[0])?.name
  if (!algorithms.includes('average') || value === undefined) return { name: algorithms[0] ?? 'NAME' }
  return { name: 'average', value }
}

function example(
  dataset: string,
  table: TableView | undefined,
  purpose: string,
  algorithm: ExampleRequest['algorithm'] | undefined
): ExampleRequest {
  const value = algorithm?.value
  const names = table?.columns.map(({ name }) => name) ?? []
  // what the algorithm works on has to be among what the query gives
  const first = value === undefined ? names : [value, ...names.filter((name) => name !== value)]
  const list = first.slice(0, SHOWN).map(sqlName).join(', ') || '*'
  const query = `SELECT ${list} FROM ${sqlName(table?.name ?? dataset)}`
  return { query, purpose, ...(algorithm === undefined ? {} : { algorithm }) }
}

function sqlName(name: string): string {
  return PLAIN_NAME.test(name) && !RESERVED.has(name.toLowerCase()) ? name : `"${name.replaceAll('"', '""')}"`
}

/** Names come from other organisations: pasted into a shell they shall stay one word. */
function shellWord(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
