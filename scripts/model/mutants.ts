import type { Coordinator, Effect, Hop, PartyView } from '../../protocol/negotiation/index.ts'
import type { Bounds } from './beginning.ts'
import { RULES } from './rules.ts'
import { type Rules, TO_COME } from './world.ts'

/** A fault put around the machines, and bounds within which a check has to find it. */
export interface Mutant {
  name: string
  rules: Rules
  bounds: Bounds
  /** Judged by whether all comes to an end, too. */
  liveness?: boolean
  /** How the law that it breaks begins. */
  breaks: RegExp
}

const NARROW = { eager: true, begin: 'proposed', dataProviders: 1, epochs: 2 } as const

function rules(faults: Partial<Rules>): Rules {
  return { ...RULES, ...faults }
}

function unused({ offer }: Hop): Hop['offer'] {
  return offer === null ? null : { ...offer, usedBy: null }
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a hop accepts twice per epoch',
    bounds: { ...NARROW, budgets: {}, twoContracts: true },
    breaks: /^data-1: S8|^compute: S8/,
    rules: rules({
      hop: (hop, event) =>
        event.type === 'received' && event.message.kind === 'propose'
          ? RULES.hop({ ...hop, answered: [], proposal: null, offer: unused(hop) }, event)
          : RULES.hop(hop, event)
    })
  },
  {
    name: 'a partial set of acceptances is started, and taken',
    bounds: { ...NARROW, budgets: {} },
    breaks: /no data without the full set/,
    rules: rules({
      coordinator: (before, event) => {
        const { exchange, effects } = RULES.coordinator(before, event)
        const { stage } = exchange
        if (stage.phase !== 'proposing' || stage.accepted.length === 0) return { exchange, effects }
        const { contract, accepted } = stage
        const running: Coordinator = {
          ...exchange,
          plans: exchange.plans.map((plan) => ({ ...plan, started: true })),
          stage: { phase: 'running', contract, accepted, confirmed: [], retryAt: TO_COME }
        }
        const starts = contract.parties.map(
          ({ peer }): Effect => ({
            do: 'send',
            to: peer,
            message: { kind: 'start', contract: contract.id, acceptances: accepted }
          })
        )
        return { exchange: running, effects: [...effects, ...starts] }
      },
      hop: (hop, event) => {
        if (event.type !== 'received' || event.message.kind !== 'start' || hop.stage.phase !== 'accepted')
          return RULES.hop(hop, event)
        const { id: contract, epoch, parties } = hop.stage.contract
        const acceptances = parties.map(({ peer }) => ({ contract, epoch, signer: peer }))
        return RULES.hop(hop, { ...event, message: { ...event.message, acceptances } })
      }
    })
  },
  {
    name: 'a hop acts on its own word, without the others',
    bounds: { ...NARROW, budgets: {} },
    breaks: /no data without the full set/,
    rules: rules({
      hop: (before, event) => {
        const { exchange, effects } = RULES.hop(before, event)
        const { stage } = exchange
        if (stage.phase !== 'accepted' || !effects.some((one) => one.do === 'sign-acceptance'))
          return { exchange, effects }
        const { id, epoch } = stage.contract
        const start: Effect = { do: 'ask-policy', question: 'start', contract: id, epoch }
        return {
          exchange: { ...exchange, stage: { ...stage, permitting: true } },
          effects: [...effects, start]
        }
      }
    })
  },
  {
    name: 'a hop skips startBy',
    bounds: { ...NARROW, budgets: { leaves: 1 } },
    liveness: true,
    breaks: /^L1/,
    rules: rules({
      hop: (hop, event) =>
        hop.stage.phase === 'accepted' && hop.stage.startBy === 0
          ? { exchange: { ...hop, stage: { ...hop.stage, startBy: TO_COME } }, effects: [] }
          : RULES.hop(hop, event)
    })
  },
  {
    name: 'a late start takes a hop back to a lower epoch',
    bounds: { ...NARROW, dataProviders: 2, budgets: { failures: 1 } },
    breaks: /: S9: works on/,
    rules: rules({
      hop: (hop, event) => {
        const { stage } = hop
        if (event.type !== 'received' || event.message.kind !== 'start' || stage.phase !== 'accepted')
          return RULES.hop(hop, event)
        const { contract } = event.message
        const earlier = hop.answered.find((one) => one.contract === contract && one.answer === 'released')
        if (earlier === undefined) return RULES.hop(hop, event)
        const parties = event.message.acceptances.map(
          ({ signer }): PartyView =>
            stage.contract.parties.find(({ peer }) => peer === signer) ?? {
              peer: signer,
              roles: ['data'],
              offer: null
            }
        )
        const old = { ...stage.contract, id: contract, epoch: earlier.epoch, parties }
        return RULES.hop({ ...hop, stage: { ...stage, contract: old } }, event)
      }
    })
  },
  {
    name: 'a hop that has ended signs another outcome when it is asked again',
    bounds: { ...NARROW, budgets: { timers: 1 } },
    breaks: /signs two outcomes/,
    rules: rules({
      hop: (hop, event) => {
        const { stage } = hop
        const asked = event.type === 'received' && event.message.kind === 'start'
        if (!asked || stage.phase !== 'ended' || stage.outcome.signer !== hop.self)
          return RULES.hop(hop, event)
        const outcome = { ...stage.outcome, result: 'failed' as const }
        return { exchange: hop, effects: [{ do: 'sign-outcome', outcome }] }
      }
    })
  },
  {
    name: "a hop ignores its policy's verdict at the start",
    bounds: { ...NARROW, budgets: { revocations: 1 } },
    breaks: /: S4/,
    rules: rules({
      hop: (hop, event) =>
        event.type === 'verdict' && event.question === 'start'
          ? RULES.hop(hop, { ...event, refusal: null })
          : RULES.hop(hop, event)
    })
  },
  {
    name: 'a hop works on after its policy took back what it had permitted',
    bounds: { ...NARROW, budgets: { revocations: 1 } },
    breaks: /: L2/,
    rules: rules({
      hop: (hop, event) =>
        event.type === 'verdict' && event.question === 'continue'
          ? { exchange: hop, effects: [] }
          : RULES.hop(hop, event)
    })
  },
  {
    name: 'a hop works on with a party that is no member any more',
    bounds: { ...NARROW, budgets: { strikes: 1 } },
    breaks: /: L2: works on with/,
    rules: rules({
      hop: (hop, event) =>
        event.type === 'verdict' && event.question === 'continue' && event.hop !== undefined
          ? { exchange: hop, effects: [] }
          : RULES.hop(hop, event)
    })
  },
  {
    name: 'a hop waits for the word of a requester that is no member any more',
    bounds: { ...NARROW, budgets: { strikes: 1 } },
    breaks: /: L2: waits for the word/,
    rules: rules({
      hop: (hop, event) =>
        event.type === 'verdict' && event.question === 'continue' && event.refusal?.code === 'expelled'
          ? RULES.hop(hop, { ...event, refusal: { ...event.refusal, code: 'policy-forbids' } })
          : RULES.hop(hop, event)
    })
  },
  {
    name: 'a hop signs that it failed because the requester is no member any more',
    bounds: { ...NARROW, budgets: { strikes: 1 } },
    breaks: /contradict/,
    rules: rules({
      hop: (before, event) => {
        const { exchange, effects } = RULES.hop(before, event)
        const { stage } = exchange
        if (event.type !== 'verdict' || stage.phase !== 'ended' || stage.outcome.code !== 'expelled')
          return { exchange, effects }
        const outcome = { ...stage.outcome, result: 'failed' as const }
        return {
          exchange: { ...exchange, stage: { ...stage, outcome } },
          effects: effects.map((one) => (one.do === 'sign-outcome' ? { ...one, outcome } : one))
        }
      }
    })
  },
  {
    name: 'a hop accepts though its reservation was refused',
    bounds: { ...NARROW, budgets: { refusals: 1 } },
    breaks: /: S6: accepts .* without room/,
    rules: rules({
      hop: (hop, event) => RULES.hop(hop, event.type === 'reserved' ? { ...event, refusal: null } : event)
    })
  },
  {
    name: 'the coordinator forgets whom it waits for because people have to approve',
    bounds: { ...NARROW, begin: 'asked', budgets: { approvals: 1 } },
    liveness: true,
    breaks: /^L1/,
    rules: rules({
      coordinator: (coordinator, event) =>
        event.type === 'received' && event.message.kind === 'offer' && coordinator.waited !== null
          ? { exchange: { ...coordinator, deadline: TO_COME }, effects: [] }
          : event.type === 'tick' && coordinator.waited !== null && coordinator.stage.phase === 'collecting'
            ? { exchange: { ...coordinator, deadline: TO_COME }, effects: [] }
            : RULES.coordinator(coordinator, event)
    })
  },
  {
    name: 'two contracts are made, and begun, out of one set of offers',
    bounds: { ...NARROW, dataProviders: 2, budgets: { failures: 1 } },
    breaks: /: S6: begins twice/,
    rules: rules({
      coordinator: (coordinator, event) => {
        const { stage } = coordinator
        if (stage.phase !== 'running' || event.type !== 'received' || event.message.kind !== 'failure')
          return RULES.coordinator(coordinator, event)
        const { contract, accepted } = stage
        const proposing = { phase: 'proposing' as const, contract, accepted, until: TO_COME }
        return RULES.coordinator(
          { ...coordinator, stage: proposing },
          { type: 'lost', peer: event.from, now: 0 }
        )
      },
      hop: (hop, event) =>
        event.type === 'received' && event.message.kind === 'propose'
          ? RULES.hop({ ...hop, offer: unused(hop) }, event)
          : RULES.hop(hop, event)
    })
  },
  {
    name: 'an acceptance leaves before it is stored',
    bounds: { ...NARROW, budgets: {} },
    breaks: /S1: says that it accepts/,
    rules: rules({
      stores: (before, after, effects) =>
        !effects.some((one) => one.do === 'sign-acceptance') && RULES.stores(before, after, effects)
    })
  },
  {
    name: 'a share that had begun is run again after a crash',
    bounds: { ...NARROW, budgets: { crashes: 1 } },
    breaks: /: S3: runs its share/,
    rules: rules({
      runsOnce: false,
      hop: (hop, event) => RULES.hop(hop, event.type === 'restarted' ? { ...event, begun: [] } : event)
    })
  },
  {
    name: 'the coordinator itself signs the end of what has started',
    bounds: { ...NARROW, budgets: { cancels: 1 } },
    breaks: /signs two outcomes/,
    rules: rules({
      coordinator: (coordinator, event) => {
        const { stage } = coordinator
        if (event.type !== 'cancel' || stage.phase !== 'running') return RULES.coordinator(coordinator, event)
        const { contract, accepted } = stage
        return RULES.coordinator(
          {
            ...coordinator,
            plans: coordinator.plans.map((plan) => ({ ...plan, started: false })),
            stage: { phase: 'proposing', contract, accepted, until: TO_COME }
          },
          event
        )
      }
    })
  },
  {
    name: 'a hop that is not the recipient signs that it failed when its time is up',
    bounds: { ...NARROW, budgets: { timers: 1 } },
    breaks: /contradict/,
    rules: rules({
      hop: (before, event) => {
        const { exchange, effects } = RULES.hop(before, event)
        const { stage } = exchange
        if (before.stage.phase !== 'started' || stage.phase !== 'ended' || stage.outcome.result !== 'expired')
          return { exchange, effects }
        const outcome = { ...stage.outcome, result: 'failed' as const }
        return {
          exchange: { ...exchange, stage: { ...stage, outcome } },
          effects: effects.map((one) => (one.do === 'sign-outcome' ? { ...one, outcome } : one))
        }
      }
    })
  },
  {
    name: 'a share goes on when a later epoch replaces it',
    bounds: { ...NARROW, dataProviders: 2, budgets: { failures: 1 } },
    breaks: /S1: still works|S9: works on/,
    rules: rules({
      hop: (hop, event) => {
        const { exchange, effects } = RULES.hop(hop, event)
        return { exchange, effects: effects.filter((one) => one.do !== 'stop-share') }
      }
    })
  },
  {
    name: 'what a hop did not permit counts as permitted',
    bounds: { ...NARROW, begin: 'asked', budgets: { revocations: 1 } },
    breaks: /: S6: accepts/,
    rules: rules({
      coordinator: (coordinator, event) =>
        event.type === 'received' && event.message.kind === 'offer'
          ? RULES.coordinator(coordinator, { ...event, message: { ...event.message, permits: true } })
          : RULES.coordinator(coordinator, event),
      hop: (hop, event) => {
        const { offer } = hop
        if (event.type === 'verdict') return RULES.hop(hop, { ...event, refusal: null })
        return RULES.hop({ ...hop, offer: offer === null ? null : { ...offer, permits: true } }, event)
      }
    })
  },
  {
    name: 'the coordinator waits for acceptances without end',
    bounds: { ...NARROW, budgets: { leaves: 1 } },
    liveness: true,
    breaks: /^L1/,
    rules: rules({
      coordinator: (coordinator, event) =>
        event.type === 'tick' && coordinator.stage.phase === 'proposing'
          ? {
              exchange: {
                ...coordinator,
                stage: { ...coordinator.stage, until: TO_COME },
                deadline: TO_COME
              },
              effects: []
            }
          : RULES.coordinator(coordinator, event)
    })
  }
]
