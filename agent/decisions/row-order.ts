import type { Row } from '../../protocol/documents/index.ts'

/**
 * The rows of a request in the order in which they are decided about: first those that differ in archetype and in compute
 * provider from all before, so that after eight of 64 all has been asked that any of them depends on.
 *
 * @returns numbers of rows, each once
 */
export function widestFirst(rows: readonly Row[]): number[] {
  const met = new Set<string>()
  const first: number[] = []
  const later: number[] = []
  for (const [index, { archetype, infrastructure }] of rows.entries()) {
    const names = [`archetype ${archetype}`, `infrastructure ${infrastructure ?? ''}`]
    const widens = names.every((name) => !met.has(name))
    if (widens) for (const name of names) met.add(name)
    ;(widens ? first : later).push(index)
  }
  return [...first, ...later]
}
