const SIZES = ['B', 'kB', 'MB', 'GB', 'TB']

/** 1234567 as `1.2 MB`. */
export function bytesInWords(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < SIZES.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${SIZES[unit]}`
}

/** Milliseconds as `20 ms`, `1.3 s` or `2 min 5 s`. */
export function timeInWords(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  const seconds = milliseconds / 1000
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

/** `1 row`, `2 rows`. */
export function rowsInWords(rows: number): string {
  return `${rows} ${rows === 1 ? 'row' : 'rows'}`
}
