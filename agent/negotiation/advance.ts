import {
  advance,
  type CoordinatorEvent,
  type Effect,
  type HopEvent
} from '../../protocol/negotiation/index.ts'
import type { Machines } from './commit.ts'

/** An event, and the machine of the request that it is for. */
export type Queued = (
  | { machine: 'hop'; event: HopEvent }
  | { machine: 'coordinator'; event: CoordinatorEvent }
) & {
  /** Told once it was taken, or could not be. */
  taken?: () => void
}

/**
 * Both machines of a request after one event, with what is to be done now. Nothing happens to a machine that is not there.
 *
 * @throws what the machine throws about an event that it cannot take
 */
export function advanceMachine(
  machines: Machines,
  queued: Queued
): { machines: Machines; effects: readonly Effect[] } {
  const { hop, coordinator } = machines
  if (queued.machine === 'hop' && hop !== null) {
    const { exchange, effects } = advance(hop, queued.event)
    return { machines: { hop: exchange, coordinator }, effects }
  }
  if (queued.machine === 'coordinator' && coordinator !== null) {
    const { exchange, effects } = advance(coordinator, queued.event)
    return { machines: { hop, coordinator: exchange }, effects }
  }
  return { machines, effects: [] }
}
