import { type Advance, type Effect, send, stay, then } from './effects.ts'
import type { HopEvent, Received, Restarted } from './events.ts'
import { approvalDecided, approvalTick, offerWaits } from './hop-approval.ts'
import {
  acceptance,
  acceptVerdict,
  hearAbort,
  hearAsk,
  hearContract,
  offerMade,
  reserved
} from './hop-contract.ts'
import { giveBack, hopTick } from './hop-ending.ts'
import {
  failShare,
  hearCancel,
  hearFailure,
  hearStart,
  outputLeaves,
  shareDone,
  shareFailed
} from './hop-share.ts'
import type { Hop } from './hop-state.ts'
import { continueVerdict, hearEnd, startVerdict } from './hop-verdict.ts'

function received(hop: Hop, event: Received): Advance<Hop> {
  const { from, message, now } = event
  switch (message.kind) {
    case 'ask':
      return hearAsk(hop, from, message.epoch, now)
    case 'propose':
      return hearContract(hop, from, message.contract, now)
    case 'abort':
      return hearAbort(hop, from, message.contract, message.epoch, now)
    case 'start':
      return hearStart(hop, from, message.contract, message.acceptances)
    case 'cancel':
      return hearCancel(hop, from, message)
    case 'failure':
      return hearFailure(hop, from, message, now)
    case 'outcome':
      return hearEnd(hop, message.outcome, now)
    case 'offer':
    case 'waiting':
    case 'acceptance':
    case 'decline':
    case 'started':
    case 'rejected':
      return stay(hop)
  }
}

/**
 * After a restart nothing runs here, and what the last state ordered may be lost: it is ordered again. A share that had not
 * begun is permitted anew before it runs; one that had begun is never run twice and has failed.
 */
function restarted(hop: Hop, event: Restarted): Advance<Hop> {
  const { stage, proposal, offer } = hop
  const again: Effect[] = []
  for (const { contract, state } of hop.reservations)
    if (state !== 'held') again.push(giveBack(hop, contract))
  if (offer !== null && stage.phase !== 'ended') {
    const { epoch, id, permits } = offer
    again.push(
      id === null
        ? { do: 'ask-policy', question: 'offer', contract: null, epoch }
        : send(hop.coordinator, { kind: 'offer', epoch, offer: id, permits })
    )
  }
  if (proposal !== null) {
    const { id, epoch } = proposal.contract
    again.push(
      proposal.stage === 'deciding'
        ? { do: 'ask-policy', question: 'accept', contract: id, epoch }
        : { do: 'reserve', contract: id }
    )
  }
  switch (stage.phase) {
    case 'idle':
    case 'offered':
      return stay(hop, ...again)
    case 'accepted': {
      const { id, epoch } = stage.contract
      const start: Effect[] = stage.permitting
        ? [{ do: 'ask-policy', question: 'start', contract: id, epoch }]
        : acceptance(hop, id, epoch)
      return stay(hop, ...again, ...start)
    }
    case 'started': {
      const { id, epoch } = stage.contract
      if (stage.share === 'done') again.push({ do: 'sign-receipt', contract: id })
      if (stage.share !== 'running') return stay(hop, ...again)
      if (event.begun.includes(id)) {
        const failure = { hop: hop.self, code: 'restarted' as const, step: null, position: null }
        // Whether anything had left is not known any more: then it had.
        const used: Hop = { ...hop, stage: { ...stage, left: true } }
        return then(stay(used, ...again), (up) => failShare(up, id, failure, event.now))
      }
      const { contract, deadline } = stage
      return stay(
        { ...hop, stage: { phase: 'accepted', contract, startBy: deadline, permitting: true } },
        ...again,
        { do: 'ask-policy', question: 'start', contract: id, epoch }
      )
    }
    case 'ended': {
      const { outcome } = stage
      if (hop.waited) again.push({ do: 'withdraw-approval' })
      if (outcome.signer !== hop.self) return stay(hop, ...again)
      if (outcome.result === 'completed' && outcome.contract !== null)
        again.push({ do: 'sign-receipt', contract: outcome.contract })
      return stay(
        hop,
        ...again,
        { do: 'sign-outcome', outcome },
        send(hop.coordinator, { kind: 'outcome', outcome })
      )
    }
  }
}

function happened(hop: Hop, event: HopEvent): Advance<Hop> {
  switch (event.type) {
    case 'received':
      return received(hop, event)
    case 'tick':
      return stay(hop)
    case 'restarted':
      return restarted(hop, event)
    case 'offer-made':
      return offerMade(hop, event)
    case 'offer-waits':
      return offerWaits(hop, event)
    case 'approval-decided':
      return approvalDecided(hop)
    case 'verdict':
      if (event.question === 'accept') return acceptVerdict(hop, event)
      return event.question === 'start'
        ? startVerdict(hop, event, event.now)
        : continueVerdict(hop, event, event.now)
    case 'reserved':
      return reserved(hop, event, event.now)
    case 'output-leaves':
      return outputLeaves(hop, event)
    case 'share-done':
      return shareDone(hop, event)
    case 'share-failed':
      return shareFailed(hop, event, event.now)
  }
}

/** See the package comment for the states. Deadlines that have passed are seen to before the event. */
export function advanceHop(hop: Hop, event: HopEvent): Advance<Hop> {
  const inTime = then(hopTick(hop, event.now), (current) => approvalTick(current, event.now))
  return then(inTime, (current) => happened(current, event))
}
