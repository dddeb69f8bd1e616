import { instantText } from '../../protocol/errors/index.ts'

const DURATION = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/
const WEEK_TO_SECOND = [604_800_000, 86_400_000, 3_600_000, 60_000, 1000]

/** An ISO 8601 duration in milliseconds. Years and months have no fixed length, so they are none. */
export function parseDuration(text: string): number | undefined {
  const parts = DURATION.exec(text)?.slice(1)
  if (parts === undefined || text.endsWith('T') || parts.every((part) => part === undefined)) return undefined
  const milliseconds = parts.reduce(
    (sum, part, index) => sum + Number(part ?? 0) * (WEEK_TO_SECOND[index] ?? 0),
    0
  )
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined
}

/** @param milliseconds a whole number; fractions of a second are written as milliseconds */
export function formatDuration(milliseconds: number): string {
  if (milliseconds % 1000 !== 0) return `${milliseconds} ms`
  let rest = milliseconds
  const [days, hours, minutes, seconds] = WEEK_TO_SECOND.slice(1).map((unit) => {
    const amount = Math.floor(rest / unit)
    rest -= amount * unit
    return amount
  })
  const date = days ? `${days}D` : ''
  const time = `${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${seconds ? `${seconds}S` : ''}`
  return time === '' ? `P${date === '' ? 'T0S' : date}` : `P${date}T${time}`
}

const clocks = new Map<string, Intl.DateTimeFormat>()

function clockOf(timezone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timezone)
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-GB', {
      timeZone: timezone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric'
    })
    clocks.set(timezone, clock)
  }
  return clock
}

/** Whether the platform knows an IANA time zone of that name. */
export function isTimezone(timezone: string): boolean {
  // The first formatter of a process takes 50 ms, which most agreements never need
  if (timezone === 'UTC') return true
  try {
    clockOf(timezone)
    return true
  } catch {
    return false
  }
}

/** What a clock on the wall shows in `timezone` at `instant`, as if it were UTC. */
function wallClock(instant: number, timezone: string): number {
  if (timezone === 'UTC') return instant
  const parts = new Map(
    clockOf(timezone)
      .formatToParts(instant)
      .map((part) => [part.type, Number(part.value)])
  )
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0
  const milliseconds = ((instant % 1000) + 1000) % 1000
  return (
    Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) +
    milliseconds
  )
}

/** The hour, 0 to 23, on a clock in `timezone`. @throws {RangeError} for a time zone the platform does not know */
export function hourAt(instant: number, timezone: string): number {
  return new Date(wallClock(instant, timezone)).getUTCHours()
}

const A_DAY = 86_400_000

/**
 * The first instant at which clocks in `timezone` show `wall`. A time that is skipped in spring is as much later, as on a
 * clock that nobody has put forward yet.
 */
function instantAt(wall: number, timezone: string): number {
  const before = wallClock(wall - A_DAY, timezone) - (wall - A_DAY)
  const after = wallClock(wall + A_DAY, timezone) - (wall + A_DAY)
  const shown = [wall - before, wall - after].filter((instant) => wallClock(instant, timezone) === wall)
  return shown.length > 0 ? Math.min(...shown) : wall - before
}

/** Whether clocks in `timezone` never show a date's midnight or a local time, or show it twice. */
export function clockChange(text: string, timezone: string): 'skipped' | 'twice' | undefined {
  const wall = Date.parse(DAY.test(text) ? `${text}T00:00:00Z` : `${text}Z`)
  if ((!DAY.test(text) && !LOCAL.test(text)) || Number.isNaN(wall)) return undefined
  const offsets = [wall - A_DAY, wall + A_DAY].map((near) => wallClock(near, timezone) - near)
  const shown = new Set(
    offsets.map((offset) => wall - offset).filter((instant) => wallClock(instant, timezone) === wall)
  )
  return shown.size === 0 ? 'skipped' : shown.size > 1 ? 'twice' : undefined
}

const DAY = /^\d{4}-\d{2}-\d{2}$/
const LOCAL = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2})?$/
const ABSOLUTE = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/

/** `Date` rolls 31 February over into March: the round trip tells. */
function isDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`)
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(day)
}

/**
 * A date (00:00 in `timezone`), a local date and time, or one with offset, as an instant in milliseconds; undefined when it
 * is none of them or lies before 1970.
 */
export function parseInstant(text: string, timezone: string): number | undefined {
  let instant: number
  if (DAY.test(text) && isDay(text)) instant = instantAt(Date.parse(`${text}T00:00:00Z`), timezone)
  else if (LOCAL.test(text) && isDay(text.slice(0, 10))) instant = instantAt(Date.parse(`${text}Z`), timezone)
  else if (ABSOLUTE.test(text) && isDay(text.slice(0, 10))) instant = Date.parse(text)
  else return undefined
  return Number.isFinite(instant) && instant >= 0 ? instant : undefined
}

/** ISO 8601 in UTC, without the time when it is midnight; the number where ECMAScript has no date that far away. */
export function formatInstant(instant: number): string {
  const text = instantText(instant)
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text
}
