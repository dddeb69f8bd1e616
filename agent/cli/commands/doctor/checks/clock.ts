import { MAX_CLOCK_SKEW_MS } from '../../../../membership/index.ts'
import { type Check, type Found, isLacking } from '../check.ts'

const WORTH_A_WORD_MS = 30_000
const SET = 'set the clock of this machine (timedatectl set-ntp true), or of theirs'

function middle(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

/** This agent's clock against the others': the one in the middle says who is wrong. */
export const clock: Check = {
  name: 'clock',
  look: ({ running }) => {
    if (isLacking(running)) return []
    const { encounters } = running.marketplace
    const found: Found[] = []
    const refused = encounters.filter(({ refusedUs }) => refusedUs === 'clock-skew')
    if (refused.length > 0)
      found.push({
        level: 'error',
        code: 'clock-skew',
        message: `${refused.length} of ${encounters.length} agents refuse this one, whose clock is more than ${MAX_CLOCK_SKEW_MS / 1000} s off theirs`,
        mend: SET
      })
    const ahead = encounters.flatMap(({ clockAheadMs }) => clockAheadMs ?? [])
    if (ahead.length === 0) return found
    const off = middle(ahead)
    const seconds = Math.round(Math.abs(off) / 1000)
    const where = `this clock is ${seconds} s ${off > 0 ? 'behind' : 'ahead of'} the one in the middle of ${ahead.length}`
    if (Math.abs(off) > MAX_CLOCK_SKEW_MS)
      found.push({ level: 'error', code: 'clock-skew', message: where, mend: SET })
    else if (Math.abs(off) > WORTH_A_WORD_MS)
      found.push({
        level: 'warning',
        message: `${where}; at ${MAX_CLOCK_SKEW_MS / 1000} s agents refuse each other`,
        mend: SET
      })
    else if (found.length === 0) found.push({ level: 'ok', message: where })
    return found
  }
}
