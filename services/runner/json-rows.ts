import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUnionValue,
  type DuckDBValue
} from '@duckdb/node-api'
import type { Engine } from '../engine/index.ts'

/** What rows may take in an answer; the rest is in the files. */
const MAX_BYTES = 4 * 1024 * 1024

/** The first rows of a relation as JSON values. Never used for more than an answer shows. */
export async function jsonRows(
  engine: Engine,
  sql: string,
  most: number
): Promise<{ rows: unknown[][]; truncated: boolean }> {
  const result = await engine.result(`SELECT * FROM (${sql}) AS q LIMIT ${most}`)
  const rows: unknown[][] = []
  let bytes = 0
  for (const row of await result.getRows()) {
    const values = row.map(jsonValue)
    bytes += JSON.stringify(values).length
    if (bytes > MAX_BYTES) return { rows, truncated: true }
    rows.push(values)
  }
  return { rows, truncated: false }
}

/**
 * One value: DECIMAL and integers beyond 2^53 as strings, NaN and infinities as strings, instants as ISO 8601, bytes in
 * base64.
 */
export function jsonValue(value: DuckDBValue): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint')
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
      ? Number(value)
      : String(value)
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(jsonValue)
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([key, field]) => [key, jsonValue(field)]))
  }
  if (value instanceof DuckDBMapValue)
    return value.entries.map((entry) => [jsonValue(entry.key), jsonValue(entry.value)])
  if (value instanceof DuckDBUnionValue) return jsonValue(value.value)
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64')
  if (value instanceof DuckDBTimestampTZValue) return isoInstant(String(value)).replace(/\+00(:00)?$/, 'Z')
  if (
    value instanceof DuckDBTimestampValue ||
    value instanceof DuckDBTimestampSecondsValue ||
    value instanceof DuckDBTimestampMillisecondsValue ||
    value instanceof DuckDBTimestampNanosecondsValue
  ) {
    return isoInstant(String(value))
  }
  return String(value)
}

function isoInstant(text: string): string {
  return text.replace(/^(\S+-\d\d-\d\d) /, '$1T')
}
