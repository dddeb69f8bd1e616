import { isMap, isNode, isScalar, parseDocument } from 'yaml'
import { UsageError } from '../../exit.ts'
import { type DescribedTable, tableLines } from './description.ts'

/**
 * The text of a dataset file with more tables after those it has. What is there stays as it is, to the byte: its steward wrote
 * some of it.
 *
 * @throws {UsageError} when a table is there already, or the file is written so that nothing can be put in
 */
export function withTables(text: string, tables: readonly DescribedTable[], file: string): string {
  const list = parseDocument(text).get('tables', true)
  if (!isMap(list) || list.flow === true || list.items.length === 0)
    throw new UsageError(
      `${file}: expected \`tables\` with one table under the other; write the table into it yourself, or --force writes the file anew`
    )
  const keys = list.items.map(({ key }) => (isScalar(key) ? key : undefined))
  const twice = tables.find(({ found }) =>
    keys.some((key) => String(key?.value).toLowerCase() === found.name.toLowerCase())
  )
  if (twice !== undefined)
    throw new UsageError(
      `${file} has a table ${twice.found.name} already; --table names it otherwise, --force writes the file anew`
    )
  const first = keys[0]?.range?.[0] ?? 0
  const indent = text.slice(text.lastIndexOf('\n', first - 1) + 1, first)
  const last = list.items.at(-1)?.value
  const end = isNode(last) && last.range ? last.range[1] : text.length
  const at = lineEnd(text, end)
  const added = tables.map((table) => tableLines(table, indent)).join('\n')
  const before = text.slice(0, at)
  return `${before}${before.endsWith('\n') ? '' : '\n'}${added}\n${text.slice(at)}`
}

/** Where the next line starts, after a node that ends here: a block's end may be the start of a line already. */
function lineEnd(text: string, end: number): number {
  if (text[end - 1] === '\n') return end
  const next = text.indexOf('\n', end)
  return next === -1 ? text.length : next + 1
}
