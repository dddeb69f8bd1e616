import { chunks } from './census.ts'
import { RecordScanner, type Shape } from './records.ts'

/** The first line of a CSV file that breaks its shape, in words that hold no value; undefined when the shape is sound. */
export async function describeCsvProblem(path: string, shape: Shape): Promise<string | undefined> {
  let expected: number | undefined
  let problem: string | undefined
  const scanner = new RecordScanner(shape, {
    record(fields, line) {
      expected ??= fields
      if (fields !== expected) problem ??= `line ${line}: expected ${expected} fields, found ${fields}`
    }
  })
  for await (const chunk of chunks(path)) {
    scanner.scan(chunk)
    if (problem !== undefined) return problem
  }
  const open = scanner.openQuote
  if (open !== undefined) return `line ${open}: a quoted field is never closed`
  scanner.end()
  return problem
}
