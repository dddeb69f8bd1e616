import { z } from 'zod'
import type { Evaluation, Value, Values } from '../../policy/index.ts'

/** The form of what is sent and answered. It grows by optional keys; anything else would be another version. */
export const VERSION = 1
export const MAX_QUESTION_BYTES = 256 * 1024
export const MAX_ANSWER_BYTES = 64 * 1024

const text = z.string().max(500)

/** What a decision point may answer; anything else is no answer. */
export const answer = z.strictObject({
  version: z.literal(VERSION),
  verdict: z.enum(['permit', 'forbid']),
  /** Why, for `forbid`; shown to whoever asked. */
  reasons: z
    .array(z.strictObject({ rule: z.string().min(1).max(64), message: text.optional() }))
    .max(16)
    .optional(),
  /** For the decision point's own records; not read. */
  facts: z.unknown().optional()
})
export type PointAnswer = z.infer<typeof answer>

type Json = boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

function jsonOf(value: Value): Json {
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) return value
  if ('datetime' in value) return new Date(value.datetime).toISOString()
  if ('entities' in value) return value.entities.map(({ type, id }) => ({ type, id }))
  if ('any' in value) return { any: value.any, names: value.names }
  if ('record' in value) return jsonsOf(value.record)
  throw new TypeError('expected a value of a fact')
}

function jsonsOf(values: Values): { readonly [name: string]: Json } {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, jsonOf(value)]))
}

/** The question as it is sent: the same facts that the rules here were asked with, under the same names. */
export function questionBody(evaluation: Evaluation): string {
  const { question, subject, principal, resource, context } = evaluation
  return JSON.stringify({
    version: VERSION,
    question,
    requestType: 'sqlDataRequest',
    principal: { type: 'User', organisation: principal.organisation, name: principal.name },
    resource: { type: subject, id: resource.id, attributes: jsonsOf(resource.attributes) },
    context: jsonsOf(context)
  })
}
