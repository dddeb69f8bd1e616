const INTEGERS = new Set([
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'HUGEINT',
  'UTINYINT',
  'USMALLINT',
  'UINTEGER',
  'UBIGINT',
  'UHUGEINT'
])

export function isInteger(type: string): boolean {
  return INTEGERS.has(type)
}

export function isDecimal(type: string): boolean {
  return type.startsWith('DECIMAL(') && !type.endsWith(']')
}

export function isDouble(type: string): boolean {
  return type === 'DOUBLE' || type === 'FLOAT'
}

export function isTemporal(type: string): boolean {
  return type === 'DATE' || (type.startsWith('TIMESTAMP') && !type.endsWith(']'))
}

/**
 * The type in which a column travels in Parquet, when its own would be changed silently: Parquet has no 128-bit integer, and
 * the engine writes one as DOUBLE. A part's DECIMAL(38,0) is read back as HUGEINT. An interval there has milliseconds only, and
 * none that is negative.
 */
export function transportType(type: string): string | undefined {
  if (type === 'HUGEINT' || type === 'UHUGEINT') return 'DECIMAL(38,0)'
  const plain = outsideQuotes(type, (text) =>
    text.replaceAll(/\bU?HUGEINT\b/g, 'DECIMAL(38,0)').replaceAll(/\bINTERVAL\b/g, 'VARCHAR')
  )
  if (/^(BIT|UNION\(|VARIANT|BIGNUM|GEOMETRY)/.test(type)) return 'VARCHAR'
  return plain === type ? undefined : plain
}

/** Names of fields and values of an ENUM stand in quotes; they are no types, whatever they say. */
function outsideQuotes(type: string, change: (text: string) => string): string {
  return type
    .split(/("(?:[^"]|"")*"|'(?:[^']|'')*')/)
    .map((part, index) => (index % 2 === 1 ? part : change(part)))
    .join('')
}
