import type { z } from 'zod'
import type { profiledColumn } from '../job/index.ts'
import { quoteText } from '../sql/index.ts'

export type Shape = NonNullable<z.infer<typeof profiledColumn>['shape']>

interface Form {
  shape: Shape
  /** Digits without leading zeros count as numbers to a file's reader. */
  of: 'texts' | 'texts and whole numbers'
  /** Which share of the values makes the column one of these. */
  share: number
  /** So many different values: one number may look like anything. */
  distinct: number
  holds(text: string): string
}

const matches = (text: string, pattern: string): string =>
  `regexp_full_match(${text}, ${quoteText(pattern)}, 's')`

/** Weights of the eleven-test of a Dutch citizen service number, from its first digit on. */
const ELEVEN = [9, 8, 7, 6, 5, 4, 3, 2, -1]

function elevenTest(text: string): string {
  const number = `TRY_CAST(${text} AS BIGINT)`
  const terms = ELEVEN.map((weight, index) => `${weight} * ((${number} // ${10 ** (8 - index)}) % 10)`)
  return `(${matches(text, '\\d{8,9}')} AND ${number} > 0 AND (${terms.join(' + ')}) % 11 = 0)`
}

/** What values of a column look like that often belong to a person; where several fit, the first is told. */
export const FORMS: readonly Form[] = [
  // one address among a hundred remarks tells as much of its owner
  {
    shape: 'mail address',
    of: 'texts',
    share: 0.1,
    distinct: 1,
    holds: (text) => matches(text, '\\s*[^@\\s]+@[^@\\s]+[.][^@\\s.]+\\s*')
  },
  {
    shape: 'account number',
    of: 'texts',
    share: 0.1,
    distinct: 1,
    holds: (text) => matches(`upper(replace(${text}, ' ', ''))`, '[A-Z]{2}\\d{2}[A-Z0-9]{11,30}')
  },
  {
    shape: 'citizen service number',
    of: 'texts and whole numbers',
    share: 0.9,
    distinct: 3,
    holds: elevenTest
  },
  {
    shape: 'telephone number',
    of: 'texts',
    share: 0.8,
    distinct: 3,
    holds: (text) =>
      `(${matches(text, '([+]|00|0)[ (]*[1-9][\\d ()./-]*')} AND length(regexp_replace(${text}, '\\D', '', 'g')) BETWEEN 9 AND 15)`
  },
  {
    shape: 'network address',
    of: 'texts',
    share: 0.8,
    distinct: 1,
    holds: (text) => matches(text, '\\d{1,3}([.]\\d{1,3}){3}')
  },
  {
    shape: 'postal code',
    of: 'texts',
    share: 0.8,
    distinct: 3,
    holds: (text) => matches(text, '[1-9]\\d{3} ?[A-Za-z]{2}')
  }
]

/** From so many values on, and with this share of different ones, a column tells rows apart. */
const UNIQUE_FROM = 20
const UNIQUE_SHARE = 0.9

const WHOLE = /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/

/** What columns of a type may be asked about, by their values as text. */
export function asked(type: string): {
  any: boolean
  forms: readonly Form[]
  unique: boolean
  codes: boolean
} {
  const text = type === 'VARCHAR'
  const whole = WHOLE.test(type)
  return {
    any: text || whole || type === 'UUID',
    forms: FORMS.filter(({ of }) => text || (whole && of === 'texts and whole numbers')),
    unique: text || whole || type === 'UUID',
    codes: text || whole
  }
}

/** @param fitting by form, how many of the values hold it */
export function shapeOf(
  forms: readonly Form[],
  fitting: readonly number[],
  { values, distinct, unique }: { values: number; distinct: number; unique: boolean }
): Shape | undefined {
  const form = forms.find((one, index) => {
    const share = (fitting[index] ?? 0) / Math.max(1, values)
    return values > 0 && share >= one.share && distinct >= one.distinct
  })
  if (form !== undefined) return form.shape
  return unique && values >= UNIQUE_FROM && distinct >= UNIQUE_SHARE * values ? 'unique' : undefined
}
