import { z } from 'zod'

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40
}
const SIZE = /^(\d+(?:\.\d+)?) ?(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?$/
const DURATION =
  /^P(?=[\dT])(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const WEEK = 7 * DAY
/** A century: beyond that a duration is a mistake, and sums of two stay exact integers. */
const LONGEST = 36_525 * DAY

/** `4GiB`, `500MB`, `1024`: bytes, or undefined when it is no size. */
export function sizeInBytes(text: string): number | undefined {
  const [, figure, unit = ''] = SIZE.exec(text) ?? []
  const factor = SIZE_UNITS[unit]
  if (figure === undefined || factor === undefined) return undefined
  const bytes = Math.round(Number(figure) * factor)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/**
 * An ISO 8601 duration in milliseconds, or undefined when it is none. Years and months have no fixed length and are none.
 *
 * @example durationInMilliseconds('PT5M') // 300000
 */
export function durationInMilliseconds(text: string): number | undefined {
  const found = DURATION.exec(text)
  if (found === null) return undefined
  const [weeks, days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0))
  const total =
    (weeks ?? 0) * WEEK +
    (days ?? 0) * DAY +
    (hours ?? 0) * HOUR +
    (minutes ?? 0) * MINUTE +
    Math.round((seconds ?? 0) * SECOND)
  return total <= LONGEST ? total : undefined
}

/** Bytes, written `4GiB` or as a whole number. */
export const size = z
  .union([z.int().nonnegative(), z.string().regex(SIZE, 'expected a size such as 4GiB or 500MB')])
  .transform((value, context) => {
    const bytes = typeof value === 'number' ? value : sizeInBytes(value)
    if (bytes !== undefined) return bytes
    context.addIssue('expected a size below 8 PiB')
    return z.NEVER
  })

/** Milliseconds, written as an ISO 8601 duration. */
export const duration = z
  .string()
  .regex(DURATION, 'expected an ISO 8601 duration such as PT5M or P1D; years and months have no fixed length')
  .transform((text, context) => {
    const milliseconds = durationInMilliseconds(text)
    if (milliseconds !== undefined) return milliseconds
    context.addIssue('expected a duration of at most a hundred years')
    return z.NEVER
  })

/** A decimal figure that is kept as a whole number of a smaller unit: signed payloads hold no floats. */
export function scaled(by: number) {
  return z
    .number()
    .nonnegative()
    .max(Number.MAX_SAFE_INTEGER / by)
    .transform((value) => Math.round(value * by))
}
