import type { ContractView, Coordinator, Effect, Hop, Message } from '../../protocol/negotiation/index.ts'
import { textOf } from './canonical.ts'
import { ASKER, DATA_1, DATA_2, type Envelope, type Local, type Machines, PEERS } from './world.ts'

/**
 * One form for all states of an agent between which nothing that it does can tell: what the machines treat as a set is in one
 * order, and what they never read again is left out. A test compares what each form does with what the state itself does.
 */
export function formOf(local: Local): Local {
  return {
    ...local,
    ...machinesOf(local),
    disk: machinesOf(local.disk),
    asked: local.asked.map(questionOf).toSorted(byText),
    queue: local.queue.map(({ machine, message }) => ({ machine, message: messageOf(message) })),
    acceptances: local.acceptances.toSorted(byText)
  }
}

export function formOfEnvelope({ from, to, word }: Envelope): Envelope {
  return { from, to, word: word.kind === 'unreachable' || word.kind === 'struck' ? word : messageOf(word) }
}

/** What is left of use once nothing crashes any more, and once nobody's patience ends any more either. */
export function withoutFuture(local: Local, crashes: boolean, timers: boolean): Local {
  if (crashes) return local
  const hop = local.hop === null && !local.gone ? local.disk.hop : null
  const { coordinator } = local
  const running = coordinator?.stage.phase === 'running' && !timers ? coordinator.stage : null
  return {
    ...local,
    disk: { hop, coordinator: null },
    // Who confirmed is asked only when a start is delivered again.
    coordinator:
      coordinator !== null && running !== null
        ? { ...coordinator, stage: { ...running, confirmed: [] } }
        : coordinator
  }
}

/** The same with the two data providers exchanged. */
export function mirrored<Value>(value: Value): Value {
  const text = textOf(value).replaceAll(/data-[12]/g, (name) => (name === DATA_1 ? DATA_2 : DATA_1))
  return JSON.parse(
    text.replaceAll(
      /(contract \d+ on )([^"]*)/g,
      (_, start: string, offers: string) => start + offers.split(', ').toSorted().join(', ')
    )
  )
}

export function formOfContract(contract: ContractView): ContractView {
  // The recipient comes last, as in the planner.
  const place = (peer: string) => (peer === ASKER ? '~' : peer)
  return {
    ...contract,
    parties: contract.parties.toSorted((a, b) => (place(a.peer) < place(b.peer) ? -1 : 1))
  }
}

function machinesOf({ hop, coordinator }: Machines): Machines {
  return {
    hop: hop === null ? null : hopOf(hop),
    coordinator: coordinator === null ? null : coordinatorOf(coordinator)
  }
}

function hopOf(hop: Hop): Hop {
  const { stage, proposal } = hop
  const form: Hop = {
    ...hop,
    answered: hop.answered.toSorted(byText),
    // Only what is held is ever given back; whether it was spent is for quotas and budgets.
    reservations: hop.reservations.filter(({ state }) => state === 'held').toSorted(byText),
    proposal: proposal === null ? null : { ...proposal, contract: formOfContract(proposal.contract) }
  }
  switch (stage.phase) {
    case 'idle':
    case 'offered':
      return form
    case 'accepted':
      return { ...form, stage: { ...stage, contract: formOfContract(stage.contract) } }
    case 'started':
      return { ...form, stage: { ...stage, contract: formOfContract(stage.contract), left: false } }
    case 'ended':
      return hop.answered.length === 0 ? form : { ...form, offer: null, reservations: [], asked: 0 }
  }
}

function coordinatorOf(coordinator: Coordinator): Coordinator {
  const { stage } = coordinator
  const form: Coordinator = {
    ...coordinator,
    hops: coordinator.hops.toSorted((a, b) => PEERS.indexOf(a.peer) - PEERS.indexOf(b.peer)),
    without: coordinator.without.toSorted(byText),
    // For people to read.
    refusals: [],
    plans: coordinator.plans.map((plan) => ({ ...plan, contract: formOfContract(plan.contract) }))
  }
  switch (stage.phase) {
    case 'collecting':
    case 'composing':
    case 'closing':
      return form
    case 'proposing':
      return {
        ...form,
        stage: {
          ...stage,
          contract: formOfContract(stage.contract),
          accepted: stage.accepted.toSorted(byText)
        }
      }
    case 'running':
      return {
        ...form,
        stage: {
          ...stage,
          contract: formOfContract(stage.contract),
          accepted: stage.accepted.toSorted(byText),
          confirmed: stage.confirmed.toSorted()
        }
      }
    case 'ended':
      return { ...form, hops: [], without: [] }
  }
}

function questionOf<Asked extends Effect>(question: Asked): Asked {
  if (question.do !== 'compose') return question
  return {
    ...question,
    offers: question.offers.toSorted((a, b) => PEERS.indexOf(a.hop) - PEERS.indexOf(b.hop)),
    silent: question.silent.toSorted(),
    without: question.without.toSorted(byText)
  }
}

function messageOf(message: Message): Message {
  if (message.kind === 'propose') return { ...message, contract: formOfContract(message.contract) }
  if (message.kind === 'start') return { ...message, acceptances: message.acceptances.toSorted(byText) }
  return message
}

function byText(a: unknown, b: unknown): number {
  const [one, other] = [textOf(a), textOf(b)]
  if (one === other) return 0
  return one < other ? -1 : 1
}
