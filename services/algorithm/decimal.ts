import { algorithmRefused } from './algorithm.ts'

/** An exact fraction: `top / 10^places`. Signed documents hold no floats, so a fraction of a parameter comes as a decimal text. */
export interface Decimal {
  top: bigint
  places: number
}

/** As long as the smallest double written out. */
const MAX_LENGTH = 400
const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/

/** A parameter that is a number: a whole one, or a decimal text such as "0.5" or "-1e-3". @throws {Failure} algorithm-parameters */
export function decimalParameter(value: unknown, parameter: string): Decimal {
  const text = typeof value === 'number' && Number.isFinite(value) ? String(value) : value
  if (typeof text === 'string' && text.length <= MAX_LENGTH) {
    const [, sign = '', whole = '', fraction = '', power = '0'] = FORM.exec(text.trim()) ?? []
    // a number that no double can hold could not be shown in the result
    if (whole + fraction !== '' && Number.isFinite(Number(text))) {
      const digits = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`)
      const places = fraction.length - Number(power)
      return places >= 0 ? { top: digits, places } : { top: digits * 10n ** BigInt(-places), places: 0 }
    }
  }
  const shown = typeof value === 'string' ? `, found "${value.slice(0, 40)}"` : ''
  throw algorithmRefused(`${parameter}: expected a finite number, or one in quotes such as "0.5"${shown}`)
}
