/**
 * Compares an answer with the same figure computed straight from the package's rows: `check.ts ANSWER.json VU UVA`. Exits 1
 * when they differ.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { averageWage, HOLDERS, readSample } from './sample.ts'

/** Sums of doubles in another order differ in the last digits; nobody's wage does. */
const TOLERANCE = 1e-9

const answer = z.looseObject({
  results: z.tuple([
    z.looseObject({
      columns: z.array(z.string()),
      rows: z.array(z.tuple([z.enum(['female', 'male']), z.number(), z.number()]))
    })
  ])
})

/** @returns what differs; nothing when the answer is right */
export function differences(found: unknown, holders: readonly string[]): string[] {
  const expected = averageWage(z.array(z.enum(HOLDERS)).parse(holders), readSample())
  const parsed = answer.safeParse(found)
  if (!parsed.success)
    return [`expected one result of gender, average and count: ${z.prettifyError(parsed.error)}`]
  const [{ rows, columns }] = parsed.data.results
  const wrong: string[] = []
  if (columns.join() !== 'gender,average,count')
    wrong.push(`expected columns gender, average, count, found ${columns.join(', ')}`)
  if (rows.length !== expected.size) wrong.push(`expected ${expected.size} rows, found ${rows.length}`)
  for (const [gender, average, count] of rows) {
    const right = expected.get(gender)
    if (right === undefined || count !== right.count || Math.abs(average - right.average) > TOLERANCE)
      wrong.push(`${gender}: expected ${right?.average} over ${right?.count}, found ${average} over ${count}`)
  }
  return wrong
}

const [, script, file, ...holders] = process.argv
if (script === fileURLToPath(import.meta.url)) {
  if (file === undefined) throw new Error('expected the file of an answer and the organisations it is from')
  const wrong = differences(JSON.parse(await readFile(file, 'utf8')), holders)
  for (const line of wrong) process.stderr.write(`${line}\n`)
  if (wrong.length > 0) process.exitCode = 1
  else
    process.stdout.write(
      `The same figures come from the ${holders.join(' and ')} rows of the sample itself.\n`
    )
}
