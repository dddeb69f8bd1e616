import {
  type ContractView,
  type Coordinator,
  type CoordinatorEvent,
  type Effect,
  type PartyView,
  recipientOf
} from '../../protocol/negotiation/index.ts'
import { ASKER, COMPUTE, TO_COME } from './world.ts'

export function startedRecipient(coordinator: Coordinator): string | undefined {
  const started = coordinator.plans.find((plan) => plan.started)
  return started === undefined ? undefined : recipientOf(started.contract)
}

/** The contract of all that offer, as long as the compute provider and one data provider do. */
export function plan(order: Extract<Effect, { do: 'compose' }>, request: string): CoordinatorEvent {
  const parties = order.offers
    .map(({ hop, offer }): PartyView => ({ peer: hop, roles: [roleOf(hop)], offer }))
    .toSorted((a, b) => (a.peer < b.peer ? -1 : 1))
  const data = parties.some(({ peer }) => roleOf(peer) === 'data')
  if (!data || !parties.some(({ peer }) => peer === COMPUTE))
    return { type: 'unplannable', epoch: order.epoch, code: 'no-candidate', hop: null, now: 0 }
  const id = `contract ${order.epoch} on ${parties.map(({ offer }) => offer).join(', ')}`
  const recipient: PartyView = { peer: ASKER, roles: ['recipient'], offer: null }
  return {
    type: 'planned',
    now: 0,
    contract: {
      id,
      request,
      epoch: order.epoch,
      issuer: ASKER,
      parties: [...parties, recipient],
      deadline: TO_COME
    }
  }
}

function roleOf(peer: string): 'data' | 'infrastructure' {
  return peer === COMPUTE ? 'infrastructure' : 'data'
}

/** Another contract that rests on the same offers, in the same epoch. */
export function twin(contract: ContractView): ContractView {
  return { ...contract, id: `second ${contract.id}` }
}
