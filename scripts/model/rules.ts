import { changedDurably } from '../../agent/negotiation/index.ts'
import { advance, type Effect } from '../../protocol/negotiation/index.ts'
import type { Rules } from './world.ts'

export function isSigned(effect: Effect): boolean {
  return effect.do.startsWith('sign-') || effect.do === 'run-share'
}

/** The machines of production, and the driver's own rule of what is stored before anything leaves. */
export const RULES: Rules = {
  hop: (hop, event) => advance(hop, event),
  coordinator: (coordinator, event) => advance(coordinator, event),
  stores: (before, after, effects) => effects.some(isSigned) || changedDurably(before, after),
  runsOnce: true
}
