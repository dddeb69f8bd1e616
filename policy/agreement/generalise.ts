import { z } from 'zod'
import { type Generalisation, MAX_MAPPED_VALUES } from '../../protocol/documents/index.ts'

/** Text of a file that lies beside the agreement, by the name the agreement gives it; undefined when it was not handed over. */
export type Attached = (name: string) => string | undefined

const MAX_NAME = 256
const MAX_EDGES = 256
const DECIMAL = /^-?\d{1,18}(\.\d{1,9})?$/

const edgeError = 'expected a number of at most 18 digits before and 9 after the point'
const edge = z
  .union([z.number(), z.string()], { error: edgeError })
  .transform((written) => String(written))
  .refine((written) => DECIMAL.test(written), edgeError)

/** @returns below 0 when `one` is the lower; exact, where Number would round */
function compareDecimals(one: string, other: string): number {
  const scaled = (text: string): bigint => {
    const [whole = '', fraction = ''] = text.replace('-', '').split('.')
    const size = BigInt(whole + fraction.padEnd(9, '0'))
    return text.startsWith('-') ? -size : size
  }
  const difference = scaled(one) - scaled(other)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

const mappedError = `expected a text of at most ${MAX_NAME} characters`
const mapped = z
  .union([z.string(), z.int()], { error: mappedError })
  .transform((written) => String(written))
  .refine((written) => written.length <= MAX_NAME, mappedError)

const WAYS = ['prefix', 'edges', 'values', 'hierarchy'] as const

const levelError = 'expected a whole number from 1, the column of the file that is next to the value'
const detailed = z
  .strictObject(
    {
      prefix: z.int({ error: 'expected a whole number from 1' }).min(1).max(128).optional(),
      edges: z
        .array(edge, { error: 'expected a list of numbers, such as [0, 18, 65]' })
        .min(1)
        .max(MAX_EDGES)
        .refine(
          (edges) =>
            edges.every((one, index) => index === 0 || compareDecimals(edges[index - 1] ?? '', one) < 0),
          'expected edges in ascending order, each once'
        )
        .optional(),
      values: z
        .record(z.string().max(MAX_NAME, mappedError), mapped, {
          error: 'expected what each value becomes, such as {E10: diabetes, E11: diabetes}'
        })
        .refine(
          (map) => Object.keys(map).length <= MAX_MAPPED_VALUES,
          `expected at most ${MAX_MAPPED_VALUES} values`
        )
        .optional(),
      hierarchy: z.string({ error: 'expected the name of a file' }).min(1).max(MAX_NAME).optional(),
      level: z.int({ error: levelError }).min(1, levelError).max(16).optional(),
      otherwise: mapped.optional()
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? undefined
          : 'expected {prefix: 2}, {edges: […]}, {values: {…}} or {hierarchy: FILE, level: 1}'
    }
  )
  .superRefine((value, context) => {
    const ways = WAYS.filter((way) => value[way] !== undefined)
    const complain = (message: string) => context.addIssue({ code: 'custom', message })
    if (ways.length !== 1) return complain(`expected one of ${WAYS.join(', ')}, found ${ways.length}`)
    const [way] = ways
    if (value.level !== undefined && way !== 'hierarchy') complain(`"level" goes with "hierarchy" only`)
    if (value.otherwise !== undefined && (way === 'prefix' || way === 'edges'))
      complain(`"otherwise" goes with "values" and "hierarchy" only`)
  })

/** How a steward writes what becomes of a column. */
export const generaliseForm = z.union([z.enum(['year', 'quarter', 'month']), z.int().positive(), detailed], {
  error:
    'expected year, quarter, month, a whole number above 0, {prefix: 2}, {edges: […]}, {values: {…}} or {hierarchy: FILE, level: 1}'
})
export type GeneraliseForm = z.infer<typeof generaliseForm>

/** The keys that may stand there. */
export const GENERALISE_KEYS: readonly string[] = Object.keys(detailed.shape)

/** The file that has still to be read, or what is signed. */
export function generalisationOf(
  form: GeneraliseForm
): Generalisation | { hierarchy: string; level: number; otherwise: string | undefined } {
  if (typeof form !== 'object') return form
  const { prefix, edges, values, hierarchy, level = 1, otherwise } = form
  if (prefix !== undefined) return { prefix }
  if (edges !== undefined) return { edges }
  if (hierarchy !== undefined) return { hierarchy, level, otherwise }
  return { values: values ?? {}, ...(otherwise === undefined ? {} : { otherwise }) }
}
