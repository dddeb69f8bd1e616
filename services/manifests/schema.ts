import { z } from 'zod'

const name = z.string().regex(/^[a-zA-Z][a-zA-Z0-9-]{0,63}$/, 'a name of letters, digits and "-"')
const version = z.string().regex(/^\d+\.\d+\.\d+$/, 'a version such as 1.0.0')
const file = z.string().regex(/^[\w.-]+$/, 'a file name beside the manifest')
const label = z.enum(['dataProvider', 'computeProvider'])
const inputs = z
  .strictObject({ min: z.int().nonnegative(), max: z.int().positive() })
  .refine((value) => value.min <= value.max, 'min at most max')

export const serviceManifest = z.strictObject({
  service: name,
  version,
  label,
  inputs,
  next: z.array(name),
  invalidIn: z.array(name),
  parameters: file,
  description: z.string().optional()
})

export const algorithmManifest = z.strictObject({
  algorithm: name,
  version,
  label,
  inputs,
  invalidIn: z.array(name),
  /** Whether partial states of several parties can be merged to the result over all their rows. */
  mergeable: z.boolean(),
  /** false: it draws lots, so that two runs over the same rows may differ by more than the last digits. */
  deterministic: z.boolean().optional(),
  parameters: file,
  title: z.string(),
  description: z.string(),
  /** Result columns that are in the unit of a column of the query: their name to the parameter that names that column. */
  units: z.record(z.string(), name).optional(),
  example: z.record(z.string(), z.unknown()).optional()
})

export const roleName = z.enum(['data', 'algorithm', 'infrastructure', 'recipient'])
const many = z.enum(['one', 'many'])

const condition = z
  .string()
  .regex(
    /^(data|algorithm|infrastructure|recipient) (==|!=) (data|algorithm|infrastructure|recipient)$/,
    'two roles compared, such as "infrastructure != data"'
  )

export const archetypeManifest = z.strictObject({
  archetype: name,
  description: z.string().optional(),
  roles: z.strictObject({ data: many, algorithm: many, infrastructure: many, recipient: many }),
  where: z.array(condition),
  steps: z
    .array(
      z.strictObject({
        service: name,
        at: roleName,
        forEach: roleName.optional(),
        /** required: an agreement says so. several: more than one data provider. asked: the request says so. */
        when: z.enum(['required', 'several', 'asked']).optional()
      })
    )
    .min(1),
  output: z.strictObject({ to: roleName })
})
