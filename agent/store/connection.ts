import { z } from 'zod'
import { StateCorrupt } from './errors.ts'
import type { Value } from './handle.ts'

/** What a table needs of the database. Inside a transaction it sees that transaction; outside, what was committed. */
export interface Connection {
  /** @returns how many rows changed */
  run(sql: string, values?: readonly Value[]): Promise<number>
  all<T>(schema: z.ZodType<T>, sql: string, values?: readonly Value[]): Promise<T[]>
  get<T>(schema: z.ZodType<T>, sql: string, values?: readonly Value[]): Promise<T | undefined>
  /** Several statements as one: joins the transaction it is in, or is one of its own. */
  atomically<T>(work: (connection: Connection) => Promise<T>): Promise<T>
}

/** Rows are believed only after they matched what this version writes. @throws {StateCorrupt} */
export function parseRows<T>(schema: z.ZodType<T>, rows: readonly unknown[], file: string): T[] {
  return rows.map((row) => {
    const parsed = schema.safeParse(row)
    if (parsed.success) return parsed.data
    const issue = parsed.error.issues[0]
    throw new StateCorrupt(
      file,
      `a row whose ${issue?.path.join('.') ?? 'content'} is not as it was written`,
      {
        cause: parsed.error
      }
    )
  })
}

export const storedBytes = z
  .instanceof(Uint8Array)
  .transform((bytes): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))

/** JSON in a text column. What it means is checked by whoever reads it; that it is JSON, here. */
export const storedJson = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue('expected JSON')
    return z.NEVER
  }
})

/** Instants and counts. */
export const storedInteger = z.int()
