import type { Column, SourceTable } from '../job/index.ts'
import { quoteName, quoteText } from '../sql/index.ts'
import type { Binding } from './bind-columns.ts'
import type { RowReader } from './infer.ts'

const OPTIONS = 'maximum_object_size = 67108864'

/** Finds out what a JSON file holds: one array, or objects one after the other. */
export function lookAtJson({ path }: Pick<SourceTable, 'path'>): string {
  return `read_json(${quoteText(path)}, sample_size = -1, ${OPTIONS})`
}

/**
 * Reads it with each column's type said: one that is declared is read as that, so that a text which looks like a date keeps its
 * spelling. What has values of several types, or none, is text.
 */
export function readJson(
  { path }: SourceTable,
  found: readonly Column[],
  bindings: readonly Binding[]
): string {
  const declared = new Map(bindings.map(({ from, type }) => [from, type]))
  const types = found.map(({ name, type }) => {
    const read = declared.get(name) ?? withoutJson(type)
    return `${quoteText(name)}: ${quoteText(read)}`
  })
  return `read_json(${quoteText(path)}, columns = {${types.join(', ')}}, ${OPTIONS})`
}

/**
 * A name that the file does not have: to the engine `id` and `Id` are one, so it calls the second `Id_1`, and would read that as a
 * key that no object has.
 */
export async function renamedIn(
  { path }: SourceTable,
  found: readonly Column[],
  engine: RowReader
): Promise<string | undefined> {
  const names = new Set(found.map(({ name }) => name.toLowerCase()))
  const likely = found.filter(
    ({ name }) => names.has(name.replace(/_\d+$/, '').toLowerCase()) && /_\d+$/.test(name)
  )
  if (likely.length === 0) return undefined
  const counts = likely.map(({ name }) => `count(${quoteName(name)})`).join(', ')
  const keys = likely.map(({ name }) => `${quoteText(name)}: 'JSON'`).join(', ')
  const [guessed = []] = await engine.rows(`SELECT ${counts} FROM ${lookAtJson({ path })}`)
  const [there = []] = await engine.rows(
    `SELECT ${counts} FROM read_json(${quoteText(path)}, columns = {${keys}}, ${OPTIONS})`
  )
  return likely.find((_, index) => Number(guessed[index]) !== Number(there[index]))?.name
}

/** JSON is a text to whoever asks: its type has operators of its own. */
function withoutJson(type: string): string {
  return type === 'JSON' ? 'VARCHAR' : type.replaceAll(/\bJSON\b(?=[\],)[]|$)/g, 'VARCHAR')
}
