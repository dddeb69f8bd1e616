import type { AnyOrNames, ResultTerms } from '../../protocol/documents/index.ts'

/** Terms under which nobody may have anything. */
export const CLOSED: ResultTerms = {
  recipients: [],
  purposes: [],
  until: null,
  services: [],
  forbid: [],
  maxRows: null,
  onward: 'none'
}

/** By code unit, so that every agent writes the same bytes whatever its locale. */
function sorted(names: Iterable<string>): string[] {
  return [...new Set(names)].sort((one, other) => (one < other ? -1 : one > other ? 1 : 0))
}

function intersection(one: AnyOrNames, other: AnyOrNames): AnyOrNames {
  if (one === '*') return other === '*' ? '*' : sorted(other)
  if (other === '*') return sorted(one)
  const allowed = new Set(other)
  return sorted(one.filter((name) => allowed.has(name)))
}

/** `null` is no limit. */
function lowest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.min(one, other)
}

/** The larger of two that may be absent. */
function highest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other)
}

function combineTwo(one: ResultTerms, other: ResultTerms): ResultTerms {
  const minGroupSize = highest(one.minGroupSize, other.minGroupSize)
  const releaseAsk = one.releaseAsk ?? other.releaseAsk
  return {
    recipients: intersection(one.recipients, other.recipients),
    purposes: intersection(one.purposes, other.purposes),
    until: lowest(one.until, other.until),
    services: sorted([...one.services, ...other.services]),
    forbid: sorted([...one.forbid, ...other.forbid]),
    maxRows: lowest(one.maxRows, other.maxRows),
    ...(minGroupSize === undefined ? {} : { minGroupSize }),
    ...(releaseAsk === undefined ? {} : { releaseAsk }),
    onward: 'none'
  }
}

/**
 * The terms of what was made from several inputs: the recipients and purposes that all allow, the earliest end, the fewest
 * rows, the largest groups, every required and every forbidden service, everybody's last word. Order and repetition of inputs do not matter, grouping neither, and the
 * answer is never wider than any input (Mahiru's derivation of result policies, kept mechanical). No inputs: nothing is
 * allowed.
 */
export function combineTerms(list: readonly ResultTerms[]): ResultTerms {
  const [first, ...rest] = list
  if (first === undefined) return CLOSED
  return rest.reduce(combineTwo, combineTwo(first, first))
}
