const SAME: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  smallint: 'SMALLINT',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  oid: 'BIGINT',
  real: 'FLOAT',
  'double precision': 'DOUBLE',
  date: 'DATE',
  uuid: 'UUID',
  bytea: 'BLOB'
}

/** The engine's type for one of PostgreSQL, as `format_type` writes it; text where the engine has none that holds every value. */
export function engineType(type: string): string {
  const same = SAME[type]
  if (same !== undefined) return same
  if (/^timestamp(\(\d\))? without time zone$/.test(type)) return 'TIMESTAMP'
  if (/^timestamp(\(\d\))? with time zone$/.test(type)) return 'TIMESTAMP WITH TIME ZONE'
  if (/^time(\(\d\))? without time zone$/.test(type)) return 'TIME'
  const [, width, scale] = /^numeric\((\d+),(-?\d+)\)$/.exec(type) ?? []
  if (width !== undefined && Number(width) <= 38 && Number(scale) >= 0 && Number(scale) <= Number(width))
    return `DECIMAL(${width},${scale})`
  return 'VARCHAR'
}
