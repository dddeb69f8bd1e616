import type { Engine } from '../engine/index.ts'
import { jsonOf } from './json-value.ts'

/** What rows may take in an answer; the rest is in the files. */
const MAX_BYTES = 4 * 1024 * 1024

/** The first rows of a relation as JSON values. Never used for more than an answer shows. */
export async function jsonRows(
  engine: Engine,
  sql: string,
  most: number
): Promise<{ rows: unknown[][]; truncated: boolean }> {
  const result = await engine.result(`SELECT * FROM (${sql}) AS q LIMIT ${most}`)
  const columns = result.columnTypes().map(jsonOf)
  const rows: unknown[][] = []
  let bytes = 0
  for (const row of await result.getRows()) {
    const values = row.map((value, index) => columns[index]?.(value) ?? null)
    bytes += JSON.stringify(values).length
    if (bytes > MAX_BYTES) return { rows, truncated: true }
    rows.push(values)
  }
  return { rows, truncated: false }
}
