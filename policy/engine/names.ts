import type { AnyOrNames } from '../../protocol/documents/index.ts'
import type { Value } from './engine.ts'

/** A list that is written out, or any, as the rules see it. */
export function namesValue(names: AnyOrNames): Value {
  return names === '*' ? { any: true, names: [] } : { any: false, names }
}

function escaped(name: string): string {
  return name.replaceAll(/[\\.]/g, (character) => `\\${character}`)
}

/** `table.column`; a dot or backslash in a name stands behind a backslash, so that two columns never look the same. */
export function columnKey(table: string, column: string): string {
  return `${escaped(table)}.${escaped(column)}`
}

/** For people: `one, two and three`, cut after some. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ')
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown === '' ? 'none' : shown
}
