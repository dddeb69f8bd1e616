import type { Submission } from './submission.ts'

const MICRO = 1e6
const SECOND = 1000

/** A request as an analyst would write it: parsed again, it is the same request. */
export function submissionFileOf(submission: Submission): Record<string, unknown> {
  const { archetypes, within, deadline, specification, options, verify, ...same } = submission
  const { time, cost } = within
  const limits = {
    ...(time === undefined ? {} : { time: durationOf(time) }),
    ...(cost === undefined ? {} : { cost: cost / MICRO })
  }
  return {
    ...same,
    options: { ...options, ...(specification === undefined ? {} : { graph: JSON.parse(specification) }) },
    ...(archetypes.length === 0 ? {} : { archetype: archetypes }),
    ...(Object.keys(limits).length === 0 ? {} : { within: limits }),
    ...(verify === undefined ? {} : { verify: { at: verify } }),
    deadline: durationOf(deadline)
  }
}

function durationOf(milliseconds: number): string {
  return `PT${milliseconds / SECOND}S`
}
