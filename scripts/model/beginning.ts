import { createCoordinator } from '../../protocol/negotiation/index.ts'
import { Turn } from './agent.ts'
import type { Cost } from './budgets.ts'
import { newHop, take } from './moves.ts'
import {
  ASKER,
  COMPUTE,
  DATA_1,
  DATA_2,
  type Envelope,
  type Local,
  PEERS,
  type Surroundings,
  TO_COME
} from './world.ts'

export interface Bounds {
  readonly budgets: Partial<Record<Cost, number>>
  readonly eager: boolean
  /** From the request, or from where all offers are there and the first contract is proposed. */
  readonly begin: 'asked' | 'proposed'
  readonly dataProviders: 1 | 2
  /** Exchanges that come to a later epoch are not followed. */
  readonly epochs: number
  readonly twoContracts?: boolean
  /**
   * Whatever was said may arrive any number of times, for ever: nothing is used up by being heard. More than any number of
   * duplicates, and than any loss that nobody notices.
   */
  readonly anyRepeats?: boolean
}

const LIMITS = {
  offerWithin: TO_COME,
  composeWithin: TO_COME,
  acceptWithin: TO_COME,
  retryEvery: TO_COME,
  closeWithin: TO_COME,
  approvalWithin: TO_COME,
  askAgainEvery: TO_COME
}

/** The agents, and what is under way, when nothing has gone wrong yet. */
export function beginning(
  bounds: Bounds,
  surroundings: Surroundings
): { locals: readonly Local[]; wire: readonly Envelope[] } {
  const providers = bounds.dataProviders === 2 ? [DATA_1, DATA_2] : [DATA_1]
  const around = { ...surroundings, eager: bounds.begin === 'proposed' || surroundings.eager }
  const begin = createCoordinator({
    request: 'request',
    self: ASKER,
    candidates: [...providers, COMPUTE],
    limits: LIMITS,
    deadline: TO_COME,
    now: 0
  })
  const turn = new Turn({ ...aLocal(ASKER), hop: newHop(ASKER) }, around)
  turn.begin(begin)
  const locals = PEERS.map((peer) => (peer === ASKER ? turn.local : aLocal(peer)))
  let wire = turn.sent
  while (bounds.begin === 'proposed' && !wire.some(({ word }) => word.kind === 'propose')) {
    const next: Envelope[] = []
    for (const envelope of wire) {
      const at = PEERS.indexOf(envelope.to)
      const local = locals[at]
      if (local === undefined) continue
      const taken = take(local, { do: 'hear', envelope }, around)
      locals[at] = taken.local
      next.push(...taken.sent)
    }
    wire = next
  }
  return { locals, wire }
}

function aLocal(self: string): Local {
  return {
    self,
    gone: false,
    hop: null,
    coordinator: null,
    disk: { hop: null, coordinator: null },
    asked: [],
    queue: [],
    running: null,
    acceptances: [],
    outcome: null,
    begun: [],
    produced: [],
    offers: [],
    revoked: false,
    isMember: true,
    struck: null,
    full: false,
    room: null,
    people: 'trust'
  }
}
