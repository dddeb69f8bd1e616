import {
  DuckDBArrayType,
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBFloatType,
  DuckDBListType,
  DuckDBListValue,
  DuckDBMapType,
  DuckDBMapValue,
  DuckDBStructType,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBUnionValue,
  type DuckDBValue
} from '@duckdb/node-api'

/** A value as JSON has it. */
export type ToJson = (value: DuckDBValue) => unknown

/**
 * How values of a type become JSON: DECIMAL and integers beyond 2^53 as strings, NaN and infinities as strings, dates and
 * times in ISO 8601, bytes in base64, a map as a list of pairs. The type matters for 32-bit floats alone, which have a shorter
 * form than their value as a number.
 */
export function jsonOf(type: DuckDBType): ToJson {
  if (type instanceof DuckDBFloatType)
    return (value) => (typeof value === 'number' ? floatOf(value) : jsonValue(value))
  if (!holdsFloats(type)) return jsonValue
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) {
    const item = jsonOf(type.valueType)
    return (value) =>
      value instanceof DuckDBListValue || value instanceof DuckDBArrayValue ? value.items.map(item) : null
  }
  if (type instanceof DuckDBStructType) {
    const fields = new Map(
      type.entryNames.map((name, index) => [name, jsonOf(type.entryTypes[index] ?? type)])
    )
    return (value) =>
      value instanceof DuckDBStructValue
        ? Object.fromEntries(
            Object.entries(value.entries).map(([name, field]) => [
              name,
              (fields.get(name) ?? jsonValue)(field)
            ])
          )
        : null
  }
  if (type instanceof DuckDBMapType) {
    const [key, item] = [jsonOf(type.keyType), jsonOf(type.valueType)]
    return (value) =>
      value instanceof DuckDBMapValue
        ? value.entries.map((entry) => [key(entry.key), item(entry.value)])
        : null
  }
  return jsonValue
}

function holdsFloats(type: DuckDBType): boolean {
  if (type instanceof DuckDBFloatType) return true
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) return holdsFloats(type.valueType)
  if (type instanceof DuckDBStructType) return type.entryTypes.some(holdsFloats)
  return type instanceof DuckDBMapType && (holdsFloats(type.keyType) || holdsFloats(type.valueType))
}

/** One value, of whatever type. */
export function jsonValue(value: DuckDBValue): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'bigint')
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
      ? Number(value)
      : String(value)
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(jsonValue)
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([key, field]) => [key, jsonValue(field)]))
  }
  if (value instanceof DuckDBMapValue)
    return value.entries.map((entry) => [jsonValue(entry.key), jsonValue(entry.value)])
  if (value instanceof DuckDBUnionValue) return jsonValue(value.value)
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64')
  if (value instanceof DuckDBDateValue) {
    if (!value.isFinite) return value.days > 0 ? 'infinity' : '-infinity'
    return isoInstant(String(value))
  }
  if (value instanceof DuckDBTimestampTZValue) return isoInstant(String(value)).replace(/\+00(:00)?$/, 'Z')
  if (
    value instanceof DuckDBTimestampValue ||
    value instanceof DuckDBTimestampSecondsValue ||
    value instanceof DuckDBTimestampMillisecondsValue ||
    value instanceof DuckDBTimestampNanosecondsValue
  ) {
    return isoInstant(String(value))
  }
  return String(value)
}

/** The shortest decimal that is this 32-bit float: 0.1, not 0.10000000149011612. */
function floatOf(value: number): number | string {
  if (!Number.isFinite(value)) return String(value)
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return value
}

/** ISO 8601 has a `T` before the time, and a signed year, in which 1 BC is 0000, for years that have not four digits. */
function isoInstant(text: string): string {
  const found = /^(?<year>\d+)(?<days>-\d\d-\d\d)(?: (?<time>\d\d:\S+))?(?<before> \(BC\))?$/.exec(text)
  if (found?.groups === undefined) return text
  const { year = '', days = '', time, before } = found.groups
  const astronomical = before === undefined ? Number(year) : 1 - Number(year)
  return `${isoYear(astronomical)}${days}${time === undefined ? '' : `T${time}`}`
}

function isoYear(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, '0')
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`
}
