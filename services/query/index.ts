/** The analyst's SQL as one statement that makes a relation. */
import { quoteName } from '../sql/index.ts'

/**
 * Wraps a statement that was checked to be a single SELECT. The text goes last, on lines of its own, so that a comment or a
 * semicolon at its end closes nothing of ours; `offset` is where it starts, in UTF-8 bytes, to place the engine's errors.
 */
export function planQuery(sql: string, as: string, materialise: boolean): { sql: string; offset: number } {
  const prefix = `CREATE ${materialise ? 'TEMP TABLE' : 'TEMP VIEW'} ${quoteName(as)} AS\n`
  return { sql: `${prefix}${sql}\n`, offset: Buffer.byteLength(prefix) }
}
