import { z } from 'zod'
import { readSource } from '../config/index.ts'
import { ApiProblem } from './problem.ts'

/** Ids and names in paths and queries. */
export const shortText = z.string().min(1).max(256)
export const byId = z.object({ id: shortText })

/** @throws {ApiProblem} 400 naming the place */
export function parseInput<T>(value: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = issue?.path.join('.') ?? ''
  throw new ApiProblem(
    400,
    'bad-request',
    `${path === '' ? '' : `${path}: `}${issue?.message ?? 'not as expected'}`
  )
}

/** The body as a value: JSON was parsed by then, YAML is now. @throws {ConfigInvalid} */
export function valueOfBody(body: unknown): unknown {
  return typeof body === 'string' ? readSource(body, 'body').value : body
}

/** Printable ASCII, as the draft on Idempotency-Key asks; one per request. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'expected an Idempotency-Key of 1 to 255 visible ASCII characters')
  .optional()
