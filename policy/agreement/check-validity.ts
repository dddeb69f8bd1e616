import type { Add } from './check-clauses.ts'
import type { AgreementDraft } from './draft.ts'
import { clockChange, formatDuration, formatInstant, isTimezone } from './quantities.ts'

function checkClock(add: Add, { terms, written = {} }: AgreementDraft): void {
  if (!isTimezone(terms.timezone)) return
  for (const bound of ['from', 'until'] as const) {
    const text = written[bound]
    const instant = terms.valid[bound]
    if (text === undefined || instant === undefined) continue
    const change = clockChange(text, terms.timezone)
    const time = text.includes('T') ? text : `${text}T00:00`
    if (change === 'skipped')
      add(
        'warning',
        `valid.${bound}`,
        `clocks in ${terms.timezone} are put forward and never show ${time}; it counts as ${formatInstant(instant)}. Write the time with its offset, such as 2026-03-29T03:00+02:00, if you mean another`
      )
    if (change === 'twice')
      add(
        'warning',
        `valid.${bound}`,
        `clocks in ${terms.timezone} are put back and show ${time} twice; the first counts, ${formatInstant(instant)}. Write the time with its offset, such as 2026-10-25T02:00+01:00, if you mean the second`
      )
  }
}

/** When it is in force: contradictions of the bounds, times that clocks skip or show twice, and what outlasts it. */
export function checkValidity(add: Add, draft: AgreementDraft, now: number | undefined): void {
  const { valid, revocation, approval } = draft.terms
  const { from, until } = valid
  checkClock(add, draft)
  if (from !== undefined && until !== undefined && from >= until) {
    add('error', 'valid', 'expected `from` before `until`, which is exclusive: it is never in force')
    return
  }
  if (until === undefined) return
  if (now !== undefined && until <= now) {
    add('warning', 'valid.until', `it ended ${formatInstant(until)}; choose a later day to have it in force`)
    return
  }
  const start = Math.max(from ?? 0, now ?? 0)
  const left = until - start
  if (start > 0 && revocation !== undefined && revocation.notice > left)
    add(
      'warning',
      'revocation.notice',
      `it never binds: the agreement ends ${formatInstant(until)}, sooner than ${formatDuration(revocation.notice)} after anybody could revoke it; shorten the notice, or let it last longer`
    )
  if (start > 0 && approval !== undefined && approval.within > left)
    add(
      'warning',
      'approval.within',
      `the agreement ends ${formatInstant(until)}, before ${formatDuration(approval.within)} have passed; who approves has less time than it says`
    )
}
