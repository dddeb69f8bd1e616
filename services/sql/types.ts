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
 * the engine writes one as DOUBLE. A part's DECIMAL(38,0) is read back as HUGEINT.
 */
export function transportType(type: string): string | undefined {
  if (type === 'HUGEINT' || type === 'UHUGEINT') return 'DECIMAL(38,0)'
  if (/HUGEINT/.test(type)) return type.replaceAll(/U?HUGEINT/g, 'DECIMAL(38,0)')
  if (/^(BIT|UNION\(|VARIANT|BIGNUM|GEOMETRY)/.test(type)) return 'VARCHAR'
  return undefined
}
