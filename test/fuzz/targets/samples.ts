import { z } from 'zod'

/** The parts of a schema's definition that a value is made by. */
const definition = z.looseObject({
  type: z.string(),
  shape: z.record(z.string(), z.custom<z.ZodType>()).optional(),
  element: z.custom<z.ZodType>().optional(),
  options: z.array(z.custom<z.ZodType>()).optional(),
  innerType: z.custom<z.ZodType>().optional(),
  in: z.custom<z.ZodType>().optional(),
  values: z.array(z.unknown()).optional(),
  entries: z.record(z.string(), z.unknown()).optional(),
  keyType: z.custom<z.ZodType>().optional(),
  valueType: z.custom<z.ZodType>().optional(),
  getter: z.custom<() => z.ZodType>().optional(),
  items: z.array(z.custom<z.ZodType>()).optional()
})

const PEER = '12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB'
const DOCUMENT_ID = `bafyrei${'a'.repeat(52)}`
const TEXTS = [
  'name',
  PEER,
  DOCUMENT_ID,
  'a'.repeat(64),
  '1.5',
  'PT5M',
  '2026-01-31',
  'some-code',
  '1.0.0',
  'file.json',
  '/a',
  'infrastructure == data',
  '4GiB',
  '127.0.0.1:7700',
  '/ip4/127.0.0.1/tcp/4001',
  'analyst@uva.nl'
]
const NUMBERS = [1, 0, 10, 1_767_225_600_000]

/**
 * A value that a schema takes, found from its definition; where no simple text or number fits, one that it refuses. It is
 * where fuzzing begins: the whole form with every optional key, which no handwritten sample has.
 */
export function sampleOf(schema: z.ZodType, depth = 0): unknown {
  const parsed = definition.safeParse(schema.def)
  if (!parsed.success || depth > 8) return null
  const { type, shape, element, options, innerType, values, entries, valueType, keyType, getter, items } =
    parsed.data
  const inner = innerType ?? parsed.data.in
  switch (type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(shape ?? {}).map(([key, field]) => [key, sampleOf(field, depth + 1)])
      )
    case 'array':
      return element === undefined ? [] : [sampleOf(element, depth + 1)]
    case 'tuple':
      return (items ?? []).map((item) => sampleOf(item, depth + 1))
    case 'union':
      return sampleOf(options?.[0] ?? z.null(), depth + 1)
    case 'literal':
      return values?.[0]
    case 'enum':
      return Object.values(entries ?? {})[0]
    case 'record': {
      const key = keyType === undefined ? 'name' : String(sampleOf(keyType, depth + 1))
      return valueType === undefined ? {} : { [key]: sampleOf(valueType, depth + 1) }
    }
    case 'boolean':
      return true
    case 'number':
    case 'int':
      return NUMBERS.find((number) => schema.safeParse(number).success) ?? 1
    case 'string':
      return TEXTS.find((text) => schema.safeParse(text).success) ?? 'name'
    case 'custom':
      return new Uint8Array(16)
    case 'lazy':
      return getter === undefined ? null : sampleOf(getter(), depth + 1)
    default:
      return inner === undefined ? null : sampleOf(inner, depth + 1)
  }
}
