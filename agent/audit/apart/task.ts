import { z } from 'zod'
import { fields } from '../../../protocol/documents/index.ts'

/** What the process is given: the file of the store, and what of its log to check. */
export const task = z.strictObject({
  file: z.string(),
  after: fields.logPosition.exactOptional(),
  expected: fields.logPosition.exactOptional()
})
export type Task = z.infer<typeof task>

/** What it says at its end. */
export const verdict = z.discriminatedUnion('intact', [
  z.strictObject({ intact: z.literal(true), position: fields.logPosition }),
  z.strictObject({ intact: z.literal(false), sequence: z.int(), reason: z.string() })
])
