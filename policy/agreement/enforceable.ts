import { MAX_APPROVAL_MS, type Terms } from '../../protocol/documents/index.ts'
import { parsePredicate } from '../predicate/index.ts'
import { formatDuration, isTimezone, parseDuration } from './quantities.ts'
import { quasiIdentifiers } from './quasi.ts'

export interface Unenforceable {
  clause: string
  reason: string
}

type Check = (terms: Terms) => string | undefined

/** More than any group that people compare. */
const MAX_GROUP_SIZE = 1_000_000

const LATER = 'this agent cannot enforce it yet'

function approvalObjection({ by, when, within }: NonNullable<Terms['approval']>): string | undefined {
  if (by.length === 0) return 'nobody is named who could approve: expected by: [steward@vu.nl]'
  if (when !== 'always' && when !== 'firstTime') return `expected when: always or firstTime, found ${when}`
  if (within === 0 || within > MAX_APPROVAL_MS)
    return `expected within: more than no time and at most P30D, found ${formatDuration(within)}`
  const long = by.find((one) => one.length > 256)
  return long === undefined ? undefined : 'expected names of at most 256 characters in by'
}

/** Each clause that does not bind here, unless it says what happens anyway. */
const CHECKS: Readonly<Record<string, Check>> = {
  'output.minGroupSize': ({ output }) =>
    (output.minGroupSize ?? 0) > MAX_GROUP_SIZE
      ? `expected at most ${MAX_GROUP_SIZE}, found ${output.minGroupSize}`
      : undefined,
  'anonymize.k': ({ anonymize }) =>
    anonymize !== undefined && (anonymize.k ?? 0) > 1 && quasiIdentifiers(anonymize).length === 0
      ? 'nothing to count by: name the columns in `quasi` or `generalise`'
      : undefined,
  'anonymize.quasi': ({ anonymize }) =>
    anonymize?.quasi !== undefined && anonymize.k === undefined ? 'expected `k` with it' : undefined,
  approval: ({ approval }) => (approval === undefined ? undefined : approvalObjection(approval)),
  privacy: ({ privacy }) => (privacy === undefined ? undefined : LATER),
  // A limit on keeping: whoever keeps nothing is within it.
  cache: ({ cache }) => {
    const unread = [cache?.extract, cache?.results].find((one) => one !== undefined && !isKeeping(one))
    return unread === undefined ? undefined : `expected none or a duration such as P7D, found ${unread}`
  },
  onward: ({ onward }) =>
    onward === undefined || onward === 'none'
      ? undefined
      : 'this agent knows no sharing of results beyond the recipients: expected none',
  timezone: ({ timezone }) =>
    isTimezone(timezone) ? undefined : `"${timezone}" is no time zone that this agent knows`
}

function isKeeping(text: string): boolean {
  return text === 'none' || parseDuration(text) !== undefined
}

/** A signed agreement may come from an agent that reads more than this one does. */
function unreadablePredicates({ tables }: Terms): Unenforceable[] {
  if (tables === '*') return []
  return Object.entries(tables).flatMap(([name, { where }]) => {
    if (where === undefined) return []
    try {
      parsePredicate(where)
      return []
    } catch (error) {
      return [
        { clause: `tables.${name}.where`, reason: error instanceof Error ? error.message : 'unreadable' }
      ]
    }
  })
}

/**
 * Why nobody could hold a result back: whoever would have to wait for the provider's last word makes the result, and is the
 * one that it is for.
 *
 * @param use who would compute, null for the provider itself, and who would get the result
 */
export function unenforceableRelease(
  { releaseAsk }: Pick<Terms, 'releaseAsk'>,
  { infrastructure, recipients }: { infrastructure: string | null; recipients: readonly string[] }
): Unenforceable | null {
  if (releaseAsk !== true || infrastructure === null || !recipients.includes(infrastructure)) return null
  return {
    clause: 'releaseAsk',
    reason: `${infrastructure} would compute the result and receive it, so that nobody could hold it back; name another recipient or compute provider`
  }
}

/**
 * The clauses of an agreement that this agent would not enforce. One is enough: a clause is never skipped, so every request
 * under such an agreement is refused `clause-not-enforceable`.
 */
export function unenforceableClauses(terms: Terms): Unenforceable[] {
  const later = Object.entries(CHECKS).flatMap(([clause, check]) => {
    const reason = check(terms)
    return reason === undefined ? [] : [{ clause, reason }]
  })
  return [...later, ...unreadablePredicates(terms)]
}
