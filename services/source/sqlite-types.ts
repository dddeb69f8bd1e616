/** How values are carried from SQLite into the engine, before they are cast to a column's type. */
export type Carrier = 'BIGINT' | 'DOUBLE' | 'VARCHAR' | 'BLOB'

/** How many values of each of SQLite's storage classes a column holds; `large`: whole numbers that DOUBLE may round. */
export interface Stored {
  integer: number
  real: number
  text: number
  blob: number
  large: number
}

const NUMBERED = /^(?:DECIMAL|NUMERIC)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)$/

/**
 * The type that a column's declaration in SQLite means. Types that SQLite has no storage for are `likely`: they are taken when
 * all values fit. Undefined: SQLite keeps there whatever is written.
 */
export function declaredInSqlite(declaration: string): { type: string; likely: boolean } | undefined {
  const text = declaration.trim().toUpperCase()
  const [, width, scale = '0'] = NUMBERED.exec(text) ?? []
  if (width !== undefined)
    return Number(width) <= 38 && Number(scale) <= Number(width)
      ? { type: `DECIMAL(${Number(width)},${Number(scale)})`, likely: true }
      : undefined
  if (text.includes('BOOL')) return { type: 'BOOLEAN', likely: true }
  if (text === 'DATE' || text === 'TIME' || text === 'UUID') return { type: text, likely: true }
  if (/^TIMESTAMP(TZ| WITH TIME ZONE)$/.test(text)) return { type: 'TIMESTAMP WITH TIME ZONE', likely: true }
  if (text === 'TIMESTAMP' || text === 'DATETIME') return { type: 'TIMESTAMP', likely: true }
  // SQLite's own order of asking
  if (text.includes('INT')) return { type: 'BIGINT', likely: false }
  if (/CHAR|CLOB|TEXT|JSON/.test(text)) return { type: 'VARCHAR', likely: false }
  if (text.includes('BLOB')) return { type: 'BLOB', likely: false }
  if (/REAL|FLOA|DOUB/.test(text)) return { type: 'DOUBLE', likely: false }
  return undefined
}

/** The type of a column that has no declaration which says one: what all its values are; else text. */
export function typeOfStored({ integer, real, text, blob, large }: Stored): string {
  if (blob > 0) return 'BLOB'
  if (text > 0 || integer + real === 0) return 'VARCHAR'
  if (real === 0) return 'BIGINT'
  return large === 0 ? 'DOUBLE' : 'VARCHAR'
}

export function carrierOf(type: string): Carrier {
  if (/^U?(TINY|SMALL|BIG)INT$|^U?INTEGER$/.test(type) && type !== 'UBIGINT') return 'BIGINT'
  if (type === 'DOUBLE' || type === 'FLOAT') return 'DOUBLE'
  return type === 'BLOB' ? 'BLOB' : 'VARCHAR'
}

/** SQLite keeps a REAL to 15 digits: more of them than that were lost before we came. */
const DIGITS_OF_REAL = 15

/** SQL that holds for a value which a column of this type may not hold. */
export function misfit(column: string, type: string): string {
  const stored = `typeof(${column})`
  switch (carrierOf(type)) {
    case 'BIGINT':
      return `${stored} NOT IN ('null', 'integer')`
    case 'DOUBLE':
      return `(${stored} NOT IN ('null', 'integer', 'real') OR (${stored} = 'integer' AND ${isLarge(column)}))`
    case 'BLOB':
      return `${stored} NOT IN ('null', 'blob')`
    case 'VARCHAR': {
      const width = Number(/^DECIMAL\((\d+)/.exec(type)?.[1] ?? 0)
      return width > DIGITS_OF_REAL ? `${stored} IN ('blob', 'real')` : `${stored} = 'blob'`
    }
  }
}

export function isLarge(column: string): string {
  return `${column} NOT BETWEEN -9007199254740992 AND 9007199254740992`
}

/** SQL of a value as the driver can hand it over: it would round whole numbers beyond 2^53. */
export function carried(column: string, carrier: Carrier): string {
  if (carrier === 'DOUBLE') return `CAST(${column} AS REAL)`
  if (carrier === 'BLOB') return column
  return `CASE WHEN typeof(${column}) = 'integer' THEN CAST(${column} AS TEXT) ELSE ${column} END`
}
