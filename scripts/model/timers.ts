import type { Coordinator, Hop } from '../../protocol/negotiation/index.ts'
import { startedRecipient } from './planner.ts'
import { type Local, TO_COME } from './world.ts'

export interface Timer {
  machine: 'hop' | 'coordinator'
  field: 'until' | 'startBy' | 'deadline' | 'grace' | 'retryAt' | 'approval' | 'askAt'
}

/** The timers that are armed, those first that are the shortest in a real agent. */
export function armed({ hop, coordinator }: Local): Timer[] {
  return [...ofCoordinator(coordinator), ...ofHop(hop)]
}

function ofHop(hop: Hop | null): Timer[] {
  switch (hop?.stage.phase) {
    case 'idle':
      // It is remembered for longer than people may take.
      return [{ machine: 'hop', field: hop.approval === null ? 'until' : 'approval' }]
    case 'offered':
      return [{ machine: 'hop', field: 'until' }]
    case 'accepted':
      return [{ machine: 'hop', field: 'startBy' }]
    case 'started': {
      // At the requester's own agent the grace is the deadline.
      const grace = hop.stage.grace !== null && hop.self !== hop.coordinator
      const deadline: Timer = { machine: 'hop', field: 'deadline' }
      return grace ? [{ machine: 'hop', field: 'grace' }, deadline] : [deadline]
    }
    default:
      return []
  }
}

function ofCoordinator(coordinator: Coordinator | null): Timer[] {
  const deadline: Timer = { machine: 'coordinator', field: 'deadline' }
  switch (coordinator?.stage.phase) {
    case 'collecting':
      return [...ofCollecting(coordinator), deadline]
    case 'composing':
    case 'proposing':
      return [{ machine: 'coordinator', field: 'until' }, deadline]
    case 'running':
      return [{ machine: 'coordinator', field: 'retryAt' }, deadline]
    case 'closing': {
      const retry: Timer = { machine: 'coordinator', field: 'retryAt' }
      const own = startedRecipient(coordinator) === coordinator.self
      return own ? [retry] : [retry, { machine: 'coordinator', field: 'until' }]
    }
    default:
      return []
  }
}

function ofCollecting({ hops, stage }: Coordinator): Timer[] {
  const asks = (answer: string) => hops.some((hop) => hop.answer === answer)
  const timers: Timer[] = []
  if (asks('waiting')) timers.push({ machine: 'coordinator', field: 'until' })
  if (asks('approval')) timers.push({ machine: 'coordinator', field: 'approval' })
  if (stage.phase === 'collecting' && stage.askAt !== null)
    timers.push({ machine: 'coordinator', field: 'askAt' })
  return timers
}

/** The machine with that instant in the past. */
export function passedHop(hop: Hop, { field }: Timer): Hop {
  const { stage } = hop
  if (field === 'approval' && hop.approval !== null)
    return { ...hop, approval: { ...hop.approval, until: 0 } }
  switch (stage.phase) {
    case 'idle':
    case 'offered':
      return { ...hop, stage: { ...stage, until: 0 } }
    case 'accepted':
      return { ...hop, stage: { ...stage, startBy: 0 } }
    case 'started':
      return { ...hop, stage: field === 'grace' ? { ...stage, grace: 0 } : { ...stage, deadline: 0 } }
    case 'ended':
      return hop
  }
}

/** As {@link passedHop}. */
export function passedCoordinator(coordinator: Coordinator, { field }: Timer): Coordinator {
  const { stage } = coordinator
  if (field === 'deadline') return { ...coordinator, deadline: 0 }
  if (field === 'approval')
    // The hop's answer is waited for a while longer than its people may take.
    return {
      ...coordinator,
      hops: coordinator.hops.map((hop) =>
        hop.approval === null ? hop : { ...hop, approval: { ...hop.approval, until: -TO_COME } }
      )
    }
  if (field === 'askAt')
    return stage.phase === 'collecting' ? { ...coordinator, stage: { ...stage, askAt: 0 } } : coordinator
  switch (stage.phase) {
    case 'collecting':
    case 'composing':
    case 'proposing':
      return { ...coordinator, stage: { ...stage, until: 0 } }
    case 'running':
      return { ...coordinator, stage: { ...stage, retryAt: 0 } }
    case 'closing':
      return {
        ...coordinator,
        stage: field === 'until' ? { ...stage, until: 0 } : { ...stage, retryAt: 0 }
      }
    case 'ended':
      return coordinator
  }
}

/** An instant that was fired and is not waited for any more counts like any other. */
export function rested(coordinator: Coordinator): Coordinator {
  return coordinator.deadline === 0 ? { ...coordinator, deadline: TO_COME } : coordinator
}
