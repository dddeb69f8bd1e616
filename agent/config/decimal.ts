import { MalformedDocument, type ParameterValue } from '../../protocol/documents/index.ts'

const MAX_DEPTH = 16

/** A finite number in plain decimal digits, without an exponent: `1e-7` is `0.0000001`. */
export function plainDecimal(value: number): string {
  const [mantissa = '', exponent] = String(value).split('e')
  if (exponent === undefined) return mantissa
  const negative = mantissa.startsWith('-')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  const plain =
    point <= 0
      ? `0.${'0'.repeat(-point)}${digits}`
      : point >= digits.length
        ? digits + '0'.repeat(point - digits.length)
        : `${digits.slice(0, point)}.${digits.slice(point)}`
  return negative ? `-${plain}` : plain
}

/**
 * A parameter as a signed payload can hold it: fractions become decimal texts.
 *
 * @throws {MalformedDocument} for what has no exact form: NaN, infinities, integers beyond 2^53, deep nesting
 */
export function decimalOf(value: unknown, where: string, depth = 0): ParameterValue {
  if (depth > MAX_DEPTH) throw new MalformedDocument(`${where}: nested deeper than ${MAX_DEPTH} levels`)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return value
    if (!Number.isFinite(value))
      throw new MalformedDocument(`${where}: expected a finite number, found ${value}`)
    if (Number.isInteger(value))
      throw new MalformedDocument(`${where}: integers beyond 2^53 are not exact; write it in quotes`)
    return plainDecimal(value)
  }
  if (Array.isArray(value))
    return value.map((item, index) => decimalOf(item, `${where}[${index}]`, depth + 1))
  if (typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, decimalOf(item, `${where}.${key}`, depth + 1)])
    )
  throw new MalformedDocument(`${where}: expected a number, a text, a list or a map, found ${typeof value}`)
}
