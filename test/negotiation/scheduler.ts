import type { AcceptanceView, ContractView, Message } from '../../protocol/negotiation/index.ts'
import { aRefusal, COORDINATOR, type Network } from './network.ts'

/** What an adversary that owns the network, the clocks, the crashes and one agent may do. */
export const TRICKS = [
  'reorder',
  'duplicate',
  'lose',
  'fail',
  'time',
  'time-long',
  'crash',
  'crash-soon',
  'policy',
  'revoke',
  'leave',
  'full',
  'cancel',
  'lost',
  'approve',
  'refuse',
  'lie',
  'lie-often'
] as const

/** `forward` is what happens when nobody interferes; `pick` chooses among what there is to do. */
export interface Move {
  move: (typeof TRICKS)[number] | 'forward'
  pick: number
}

function choose<T>(from: readonly T[], pick: number): T | undefined {
  return from.length === 0 ? undefined : from[pick % from.length]
}

export function play(network: Network, { move, pick }: Move): void {
  const agents = [...network.agents.values()]
  const agent = choose(agents, pick)
  if (agent === undefined) return
  switch (move) {
    case 'forward':
      forward(network, pick)
      return
    case 'reorder': {
      const [envelope] = network.wire.splice(pick % Math.max(1, network.wire.length), 1)
      if (envelope !== undefined) network.deliver(envelope)
      return
    }
    case 'duplicate': {
      const envelope = choose(network.wire, pick)
      if (envelope !== undefined) network.deliver(envelope)
      return
    }
    case 'lose':
      network.wire.splice(pick % Math.max(1, network.wire.length), 1)
      return
    case 'fail':
      network.failShare(agent, pick % 2 === 0)
      return
    case 'time':
      agent.clock += pick % 90
      network.tick(agent)
      return
    case 'time-long':
      agent.clock += pick % 1_600
      network.tick(agent)
      return
    case 'crash':
      network.crash(agent)
      return
    case 'crash-soon':
      agent.crashAfter = pick % 3
      return
    case 'policy': {
      const question = choose(['offer', 'accept', 'start'] as const, pick) ?? 'start'
      agent.policy[question] = !agent.policy[question]
      return
    }
    case 'revoke': {
      // Also once its own share is done, while others work on it.
      const stage = network.hop(agent)?.stage
      if (stage?.phase !== 'started') return
      const contract = stage.contract.id
      const refusal = aRefusal('agreement-revoked')
      const parties = network.contracts.get(contract)?.parties ?? []
      const about = pick % 3 === 0 ? { hop: choose(parties, pick >> 4)?.peer ?? agent.peer } : {}
      const { clock: now } = agent
      network.toHop(agent, { type: 'verdict', question: 'continue', contract, refusal, now, ...about })
      return
    }
    case 'leave':
      network.leave(agent)
      return
    case 'full':
      agent.full = !agent.full
      return
    case 'cancel': {
      const requester = network.agent(COORDINATOR)
      if (pick % 4 === 0) network.toCoordinator(requester, { type: 'cancel', now: requester.clock })
      return
    }
    case 'lost': {
      const requester = network.agent(COORDINATOR)
      const peer = choose([...network.agents.keys()], pick)
      if (peer !== undefined) network.toCoordinator(requester, { type: 'lost', peer, now: requester.clock })
      return
    }
    case 'approve':
      network.approve(agent, 'approved')
      return
    case 'refuse':
      network.approve(agent, 'refused')
      return
    case 'lie':
    case 'lie-often':
      for (let n = 0; n < (move === 'lie' ? 1 : 4); n++) lie(network, (pick * (n + 1)) % (1 << 20))
      return
  }
}

/** A few of the things that are due: messages in order, answers of policy, a plan, the end of a share. */
function forward(network: Network, pick: number): void {
  for (let n = 0; n <= pick % 4; n++) {
    const envelope = network.wire.shift()
    if (envelope !== undefined) network.deliver(envelope)
    const [ask] = network.asks.splice(pick % Math.max(1, network.asks.length), 1)
    if (ask !== undefined) network.toHop(ask.to, ask.event(ask.to.clock))
  }
  if (pick % 3 === 0) network.answerCompose(pick)
  if (pick % 5 === 0) for (const one of network.agents.values()) network.finishShare(one)
}

/** A hostile agent says anything it can: what it heard, what it signs itself, never another's signature under something new. */
function lie(network: Network, pick: number): void {
  const liar = network.hostile
  if (liar === undefined) return
  const message = aLie(network, liar.peer, liar.heard, pick)
  if (message === undefined) return
  // A liar who wants a second exchange has to tell everybody the same.
  const one = choose(network.honest, pick >> 8)
  const targets = (pick >> 12) % 2 === 0 ? network.honest : one === undefined ? [] : [one]
  for (const target of targets) network.wire.push({ from: liar.peer, to: target.peer, message })
}

function aLie(network: Network, self: string, heard: readonly Message[], pick: number): Message | undefined {
  const variant = pick >> 4
  const epoch = 1 + (variant % 3)
  const contract = choose([...network.contracts.values()], variant)
  switch (pick % 12) {
    case 0:
      return choose(heard, variant)
    case 1:
      return self === COORDINATOR ? { kind: 'ask', epoch } : undefined
    case 2:
      return self === COORDINATOR ? propose(network, heard, epoch) : undefined
    case 3:
      return self === COORDINATOR && contract !== undefined ? { kind: 'propose', contract } : undefined
    case 4:
    case 5:
      return contract === undefined ? undefined : start(network, self, contract, variant)
    case 6:
      return { kind: 'abort', contract: variant % 2 === 0 ? null : (contract?.id ?? null), epoch }
    case 7:
      return { kind: 'cancel', result: 'failed', code: 'internal', hop: null }
    case 8: {
      const result = choose(['completed', 'failed', 'cancelled', 'expired'] as const, variant) ?? 'failed'
      const said = { signer: self, result, code: null, hop: null, step: null, position: null }
      return { kind: 'outcome', outcome: { contract: contract?.id ?? null, ...said } }
    }
    case 9:
      return { kind: 'waiting', epoch, within: variant, by: [] }
    case 10:
      if (contract === undefined) return undefined
      return {
        kind: 'failure',
        contract: contract.id,
        hop: self,
        code: 'job-failed',
        step: null,
        position: null
      }
    default:
      if (contract === undefined) return undefined
      return {
        kind: 'acceptance',
        acceptance: { contract: contract.id, epoch: contract.epoch, signer: self }
      }
  }
}

/** Another contract for whatever epoch, resting on offers that were really made, used ones among them. */
function propose(network: Network, heard: readonly Message[], epoch: number): Message | undefined {
  const offers = new Map<string, string>()
  for (const message of heard)
    if (message.kind === 'offer') {
      const peer = message.offer.split('-')[1]
      if (peer !== undefined) offers.set(peer, message.offer)
    }
  offers.set(COORDINATOR, 'offer-of-the-liar')
  const contract = network.plan(epoch, offers)
  return contract === null ? undefined : { kind: 'propose', contract }
}

function start(network: Network, self: string, contract: ContractView, variant: number): Message {
  // Acceptances go to the requester's agent alone, until it starts the contract.
  const known = network.agent(self).heard.flatMap((message) => {
    if (message.kind === 'acceptance') return [message.acceptance]
    return message.kind === 'start' ? message.acceptances : []
  })
  const real = known.filter((one) => one.contract === contract.id)
  const own: AcceptanceView = { contract: contract.id, epoch: contract.epoch, signer: self }
  const others = known.filter((one) => one.contract !== contract.id)
  const unique = [...new Map([...real, own].map((one) => [one.signer, one])).values()]
  switch (variant % 5) {
    case 0:
      return { kind: 'start', contract: contract.id, acceptances: unique.slice(1) }
    case 1:
      return {
        kind: 'start',
        contract: contract.id,
        acceptances: [...real, ...others].slice(0, contract.parties.length)
      }
    case 2:
      return {
        kind: 'start',
        contract: contract.id,
        acceptances: contract.parties.map(() => unique[0] ?? own)
      }
    case 3: {
      // The right number of different signers, some of whom are nobody.
      const size = contract.parties.length
      const some = unique.slice(0, variant % (size + 1))
      const nobody = Array.from({ length: size - some.length }, (_, n) => ({ ...own, signer: `nobody-${n}` }))
      return { kind: 'start', contract: contract.id, acceptances: [...some, ...nobody] }
    }
    default:
      return { kind: 'start', contract: contract.id, acceptances: unique }
  }
}
