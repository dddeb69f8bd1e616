import type { Column, SourceTable } from '../job/index.ts'
import { quoteText } from '../sql/index.ts'
import type { Binding } from './bind-columns.ts'

const OPTIONS = 'maximum_object_size = 67108864'

/** Finds out what a JSON file holds: one array, or objects one after the other. */
export function lookAtJson({ path }: SourceTable): string {
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

/** JSON is a text to whoever asks: its type has operators of its own. */
function withoutJson(type: string): string {
  return type === 'JSON' ? 'VARCHAR' : type.replaceAll(/\bJSON\b(?=[\],)[]|$)/g, 'VARCHAR')
}
