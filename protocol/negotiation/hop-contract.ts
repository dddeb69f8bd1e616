import type { Refusal, RefusalCode } from '../documents/index.ts'
import { type Advance, type Effect, send, stay, then } from './effects.ts'
import type { OfferMade, Reserved, Verdict } from './events.ts'
import { waitingAnswer } from './hop-approval.ts'
import { disengage, dropProposal, forgotten, giveBack, lapse, tellOutcome } from './hop-ending.ts'
import { type Answered, engaged, type Hop, type HopStage, latestAccepted, MAX_OFFERS } from './hop-state.ts'
import { type ContractView, recipientOf } from './views.ts'

/** A refusal that the state machine itself gives; no policy was asked. */
function no(code: RefusalCode, reason: string): Refusal {
  return { code, clause: null, reason, acceptable: null, position: null }
}

/** Where a hop is that has promised nothing (any more). */
export function unengaged(hop: Hop, now: number): HopStage {
  const { offer } = hop
  return offer?.id != null && offer.until > now
    ? { phase: 'offered', until: offer.until }
    : { phase: 'idle', until: now + hop.limits.idle }
}

/** A request of which nothing was ever promised, and that was forgotten only because time went by, is remembered again. */
function recalled(hop: Hop, now: number): Hop {
  if (!forgotten(hop)) return hop
  return { ...hop, offer: null, stage: { phase: 'idle', until: now + hop.limits.idle } }
}

/** Whether an offer, though asked for again, would run out before a contract could rest on it. */
function runsOut({ offer, proposal, stage, limits, asked }: Hop, now: number): boolean {
  if (offer?.id == null || offer.usedBy !== null || proposal !== null || asked >= MAX_OFFERS) return false
  return (stage.phase === 'idle' || stage.phase === 'offered') && offer.until - now < limits.startBy
}

/**
 * The request arrives. The same question is answered with the same offer while that is good, or with what it waits for; a
 * higher epoch asks policy anew.
 */
export function hearAsk(known: Hop, from: string, epoch: number, now: number): Advance<Hop> {
  if (from !== known.coordinator) return stay(known)
  const hop = known.asked < MAX_OFFERS ? recalled(known, now) : known
  if (hop.stage.phase === 'ended') return stay(hop, ...tellOutcome(hop, from))
  const { offer } = hop
  if (offer !== null && epoch <= offer.epoch && !(epoch === offer.epoch && runsOut(hop, now))) {
    if (epoch < offer.epoch) return stay(hop)
    if (offer.id === null) return stay(hop, ...waitingAnswer(hop, now))
    return stay(hop, send(from, { kind: 'offer', epoch, offer: offer.id, permits: offer.permits }))
  }
  const until = now + hop.limits.idle
  const asked: Hop = {
    ...hop,
    offer: { epoch, id: null, permits: false, until, usedBy: null },
    approval: null,
    asked: hop.asked + 1,
    stage: hop.stage.phase === 'idle' || hop.stage.phase === 'offered' ? { phase: 'idle', until } : hop.stage
  }
  return stay(asked, { do: 'ask-policy', question: 'offer', contract: null, epoch })
}

export function offerMade(hop: Hop, event: OfferMade): Advance<Hop> {
  const { offer, stage } = hop
  if (offer === null || offer.id !== null || offer.epoch !== event.epoch || stage.phase === 'ended')
    return stay(hop)
  const { epoch, permits, until } = event
  const made = { epoch, id: event.offer, permits, until, usedBy: null }
  return stay(
    {
      ...hop,
      offer: made,
      approval: null,
      stage: stage.phase === 'idle' ? { phase: 'offered', until } : stage
    },
    send(hop.coordinator, { kind: 'offer', epoch, offer: event.offer, permits })
  )
}

/** Whether the place this contract gives us rests on our newest offer, and no started or lasting promise rests on it already. */
function restsOnOffer(hop: Hop, contract: ContractView): boolean {
  const party = contract.parties.find((one) => one.peer === hop.self)
  if (party === undefined) return false
  if (party.offer === null) return party.roles.every((role) => role === 'recipient')
  const { offer, stage } = hop
  if (offer === null || offer.id !== party.offer || !offer.permits) return false
  if (offer.usedBy === null) return true
  return (
    stage.phase === 'accepted' && stage.contract.id === offer.usedBy && stage.contract.epoch < contract.epoch
  )
}

/** What is wrong with a contract before policy is asked; null: nothing. */
function objection(hop: Hop, contract: ContractView): Refusal | null {
  const highest = Math.max(0, ...hop.answered.map((one) => one.epoch), hop.proposal?.contract.epoch ?? 0)
  if (contract.epoch < highest)
    return no('epoch-superseded', `expected epoch ${highest} or later, found ${contract.epoch}`)
  const peers = new Set(contract.parties.map((party) => party.peer))
  if (
    contract.issuer !== hop.coordinator ||
    contract.request !== hop.request ||
    peers.size !== contract.parties.length ||
    !peers.has(hop.self) ||
    recipientOf(contract) === undefined
  ) {
    return no(
      'contract-invalid',
      'expected a contract of the requester for this request, with a recipient, each party once, and this agent among them'
    )
  }
  const started = hop.everStarted ? latestAccepted(hop)?.recipient : undefined
  if (started !== undefined && started !== recipientOf(contract))
    return no('contract-invalid', 'expected the recipient of the epoch that was started already')
  if (!restsOnOffer(hop, contract))
    return no(
      'contract-differs-from-offer',
      'expected a contract that rests on the newest, unused offer of this agent'
    )
  return null
}

function decline(contract: ContractView, to: string, refusal: Refusal): Effect[] {
  const { id, epoch } = contract
  return [
    { do: 'sign-decline', contract: id, epoch, refusal },
    send(to, { kind: 'decline', contract: id, epoch, refusal })
  ]
}

export function acceptance(hop: Hop, contract: string, epoch: number): Effect[] {
  return [
    { do: 'sign-acceptance', contract, epoch, startBy: hop.limits.startBy },
    send(hop.coordinator, { kind: 'acceptance', acceptance: { contract, epoch, signer: hop.self } })
  ]
}

function repeatAnswer(hop: Hop, contract: ContractView, answer: Answered): Effect[] {
  if (answer.answer === 'declined' && answer.refusal !== null)
    return decline(contract, hop.coordinator, answer.refusal)
  if (engaged(hop) === contract.id) return acceptance(hop, contract.id, contract.epoch)
  return [send(hop.coordinator, { kind: 'rejected', contract: contract.id, code: 'epoch-superseded' })]
}

/** Lets go of the contract that is being decided on; its epoch counts as answered, by its own epoch and nobody's word. */
function withdraw(hop: Hop): Advance<Hop> {
  const { proposal } = hop
  if (proposal === null) return stay(hop)
  const { contract, recipient } = proposal
  return then(dropProposal(hop), (free) =>
    stay({ ...free, answered: [...free.answered, releasedAnswer(contract.id, contract.epoch, recipient)] })
  )
}

/** A contract arrives. One contract per epoch is answered; policy decides, unless the contract breaks a rule of its own. */
export function hearContract(known: Hop, from: string, contract: ContractView, now: number): Advance<Hop> {
  if (from !== known.coordinator) return stay(known)
  const hop = recalled(known, now)
  const answer = hop.answered.find((one) => one.epoch === contract.epoch)
  if (hop.stage.phase === 'ended') {
    const ended = no('already-ended', 'this request has ended here')
    return stay(hop, ...tellOutcome(hop, from), ...decline(contract, from, ended))
  }
  if (answer?.contract === contract.id) return stay(hop, ...repeatAnswer(hop, contract, answer))
  const { proposal } = hop
  if (proposal?.contract.id === contract.id) return stay(hop)
  if (answer !== undefined || proposal?.contract.epoch === contract.epoch) {
    const other = no('already-accepted', `epoch ${contract.epoch} was answered for another contract`)
    return stay(hop, ...decline(contract, from, other))
  }
  const refusal = objection(hop, contract)
  const recipient = recipientOf(contract)
  if (refusal !== null || recipient === undefined)
    return stay(hop, ...decline(contract, from, refusal ?? no('contract-invalid', 'expected a recipient')))
  return then(withdraw(hop), (free) =>
    stay(
      { ...free, proposal: { contract, recipient, stage: 'deciding' } },
      { do: 'ask-policy', question: 'accept', contract: contract.id, epoch: contract.epoch }
    )
  )
}

function answerProposal(hop: Hop, refusal: Refusal): Advance<Hop> {
  const { proposal } = hop
  if (proposal === null) return stay(hop)
  const { contract, recipient } = proposal
  const entry: Answered = {
    epoch: contract.epoch,
    contract: contract.id,
    recipient,
    answer: 'declined',
    refusal
  }
  return then(dropProposal(hop), (free) =>
    stay({ ...free, answered: [...free.answered, entry] }, ...decline(contract, hop.coordinator, refusal))
  )
}

/** Policy's answer to `accept`: reserve what the share needs, or decline. */
export function acceptVerdict(hop: Hop, event: Verdict): Advance<Hop> {
  const { proposal } = hop
  if (proposal?.stage !== 'deciding' || proposal.contract.id !== event.contract) return stay(hop)
  if (event.refusal !== null) return answerProposal(hop, event.refusal)
  const held = { contract: event.contract, state: 'held' as const }
  return stay(
    {
      ...hop,
      proposal: { ...proposal, stage: 'reserving' },
      reservations: [...hop.reservations.filter((one) => one.contract !== event.contract), held]
    },
    { do: 'reserve', contract: event.contract }
  )
}

/** The reservation is held: accept, and let go of an earlier epoch. */
export function reserved(hop: Hop, event: Reserved, now: number): Advance<Hop> {
  const { proposal } = hop
  if (proposal?.stage !== 'reserving' || proposal.contract.id !== event.contract) {
    // It may have been carried out after the order to release: say it again.
    const stale = event.refusal === null && engaged(hop) !== event.contract
    return stay(hop, ...(stale ? [giveBack(hop, event.contract)] : []))
  }
  if (event.refusal !== null) return answerProposal(hop, event.refusal)
  const { contract, recipient } = proposal
  if (!restsOnOffer(hop, contract))
    return answerProposal(
      hop,
      no('contract-differs-from-offer', 'the offer was used up while the contract was decided on')
    )
  const replaced = hop.stage.phase === 'accepted' ? hop.stage.contract.id : null
  return then(disengage({ ...hop, proposal: null }), (free) => {
    const answered = free.answered.map((one) =>
      one.contract === replaced ? { ...one, answer: 'released' as const } : one
    )
    const entry: Answered = {
      epoch: contract.epoch,
      contract: contract.id,
      recipient,
      answer: 'accepted',
      refusal: null
    }
    const restsOn = contract.parties.find((party) => party.peer === hop.self)?.offer ?? null
    const offer =
      free.offer !== null && free.offer.id === restsOn ? { ...free.offer, usedBy: contract.id } : free.offer
    const stage = {
      phase: 'accepted' as const,
      contract,
      startBy: now + hop.limits.startBy,
      permitting: false
    }
    return stay(
      { ...free, answered: [...answered, entry], offer, stage },
      ...acceptance(hop, contract.id, contract.epoch)
    )
  })
}

/**
 * The requester's agent goes no further with a contract, or (null) with the request. Before the start everything is given
 * back. After it a hop stops, which is always safe; a recipient goes on, because only it may say how it ended.
 */
export function hearAbort(
  hop: Hop,
  from: string,
  contract: string | null,
  epoch: number,
  now: number
): Advance<Hop> {
  const { stage } = hop
  if (from !== hop.coordinator) return stay(hop)
  if (contract === null && forgotten(hop)) return lapse(hop)
  if (stage.phase === 'ended') return stay(hop)
  if (contract === null) return hop.everStarted ? stay(hop) : lapse(hop)
  if (hop.proposal?.contract.id === contract) return withdraw(hop)
  if (stage.phase === 'accepted' && stage.contract.id === contract) {
    return then(disengage(hop), (free) => {
      const answered = free.answered.map((one) =>
        one.contract === contract ? { ...one, answer: 'released' as const } : one
      )
      return stay({ ...free, answered, stage: unengaged(free, now) })
    })
  }
  if (stage.phase === 'started' && stage.contract.id === contract && stage.share === 'running') {
    if (recipientOf(stage.contract) === hop.self) return stay(hop)
    const failure = { hop: hop.coordinator, code: 'cancelled' as const, step: null, position: null }
    return then(disengage(hop), (free) =>
      stay({ ...free, stage: { ...stage, share: 'failed' as const, failure } })
    )
  }
  // It overtook its contract: remember it, so that the contract is not accepted when it comes.
  if (hop.answered.some((one) => one.epoch === epoch) || hop.proposal?.contract.epoch === epoch)
    return stay(hop)
  return stay({
    ...hop,
    answered: [...hop.answered, releasedAnswer(contract, epoch, hop.coordinator)]
  })
}

function releasedAnswer(contract: string, epoch: number, recipient: string): Answered {
  return { epoch, contract, recipient, answer: 'released', refusal: null }
}
