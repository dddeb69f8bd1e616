import { expect } from 'chai'
import { flowRefusal, type OutcomeView, parseExchange, wakeAt } from '../../protocol/negotiation/index.ts'
import {
  aContract,
  acceptancesOf,
  HopTalk,
  OTHER,
  RECIPIENT,
  REQUESTER,
  refusalOf,
  SELF
} from './builders.ts'

function anOutcome(overrides: Partial<OutcomeView> = {}): OutcomeView {
  return {
    contract: 'contract-1',
    signer: RECIPIENT,
    result: 'completed',
    code: null,
    hop: null,
    step: null,
    position: null,
    ...overrides
  }
}

describe('a hop', () => {
  it('asks policy for an offer once, and repeats the offer it made', () => {
    const talk = new HopTalk().hear({ kind: 'ask', epoch: 1 })
    expect(talk.orders).to.deep.equal(['ask-policy'])
    expect(talk.hear({ kind: 'ask', epoch: 1 }).orders).to.deep.equal([])
    talk.tell({ type: 'offer-made', epoch: 1, offer: 'offer', permits: true, until: 500, now: 0 })
    expect(talk.orders).to.deep.equal([`offer to ${REQUESTER}`])
    expect(talk.hear({ kind: 'ask', epoch: 1 }).orders).to.deep.equal([`offer to ${REQUESTER}`])
    expect(talk.hear({ kind: 'ask', epoch: 1 }, OTHER).orders, 'of a stranger').to.deep.equal([])
  })

  it('asks policy, reserves, and only then accepts', () => {
    const contract = aContract()
    const talk = new HopTalk().offers().hear({ kind: 'propose', contract })
    expect(talk.orders).to.deep.equal(['ask-policy'])
    talk.tell({ type: 'verdict', question: 'accept', contract: contract.id, refusal: null, now: 0 })
    expect(talk.orders).to.deep.equal(['reserve'])
    talk.tell({ type: 'reserved', contract: contract.id, refusal: null, now: 0 })
    expect(talk.orders).to.deep.equal(['sign-acceptance', `acceptance to ${REQUESTER}`])
    expect(wakeAt(talk.hop)).to.equal(100)
  })

  it('gives its quota back only when no contract of the request holds it or has used it', () => {
    const first = aContract()
    const second = aContract({ id: 'second', epoch: 2 })
    const releases = (talk: HopTalk) =>
      talk.effects.flatMap((effect) => (effect.do === 'release' ? [[effect.contract, effect.spent]] : []))
    const replacing = new HopTalk().offers().accepts(first).accepts(second)
    expect(releases(replacing)).to.deep.equal([[first.id, true]])
    expect(releases(replacing.tell({ type: 'restarted', begun: [], now: 0 }))).to.deep.equal([
      [first.id, true]
    ])
    expect(releases(replacing.hear({ kind: 'abort', contract: second.id, epoch: 2 }))).to.deep.equal([
      [second.id, false]
    ])
    const spending = new HopTalk().offers().accepts(first).starts(first)
    spending.tell({ type: 'output-leaves', contract: first.id, now: 0 })
    spending.offers('again', 2)
    const resting = aContract({
      id: 'second',
      epoch: 2,
      parties: first.parties.map((party) => (party.peer === SELF ? { ...party, offer: 'again' } : party))
    })
    expect(releases(spending.accepts(resting))).to.deep.equal([[first.id, true]])
    expect(releases(spending.hear({ kind: 'abort', contract: 'second', epoch: 2 }))).to.deep.equal([
      ['second', true]
    ])
  })

  it('gives the same contract the same answer', () => {
    const contract = aContract()
    const accepting = new HopTalk().offers().accepts(contract)
    expect(accepting.hear({ kind: 'propose', contract }).orders).to.deep.equal([
      'sign-acceptance',
      `acceptance to ${REQUESTER}`
    ])
    const declining = new HopTalk().offers().hear({ kind: 'propose', contract })
    const refusal = refusalOf('policy-forbids')
    declining.tell({ type: 'verdict', question: 'accept', contract: contract.id, refusal, now: 0 })
    expect(declining.refusals).to.deep.equal(['policy-forbids'])
    expect(declining.hear({ kind: 'propose', contract }).refusals).to.deep.equal(['policy-forbids'])
  })

  it('declines another contract of an epoch it answered', () => {
    const talk = new HopTalk().offers().accepts(aContract())
    talk.hear({ kind: 'propose', contract: aContract({ id: 'another' }) })
    expect(talk.refusals).to.deep.equal(['already-accepted'])
  })

  it('declines a contract that rests on an offer it did not make', () => {
    const talk = new HopTalk().offers('something-else').hear({ kind: 'propose', contract: aContract() })
    expect(talk.refusals).to.deep.equal(['contract-differs-from-offer'])
    expect(new HopTalk().hear({ kind: 'propose', contract: aContract() }).refusals).to.deep.equal([
      'contract-differs-from-offer'
    ])
  })

  it('declines a contract that rests on an offer it has started', () => {
    const talk = new HopTalk().offers().accepts(aContract()).starts(aContract())
    talk.hear({ kind: 'propose', contract: aContract({ epoch: 2 }) })
    expect(talk.refusals).to.deep.equal(['contract-differs-from-offer'])
  })

  it('takes a later epoch on the same offer while nothing was started, and gives the earlier one back', () => {
    const talk = new HopTalk()
      .offers()
      .accepts(aContract())
      .accepts(aContract({ epoch: 2 }))
    expect(talk.effects[0]).to.deep.equal({ do: 'release', contract: 'contract-1', spent: true })
    expect(talk.orders).to.include('sign-acceptance')
    talk.starts(aContract())
    expect(talk.hop.stage.phase).to.equal('accepted')
  })

  it('gives everything back on abort, the offer too', () => {
    const talk = new HopTalk().offers().accepts(aContract())
    talk.hear({ kind: 'abort', contract: 'contract-1', epoch: 1 })
    expect(talk.orders).to.deep.equal(['release'])
    talk.accepts(aContract({ epoch: 2 }))
    expect(talk.hop.stage.phase).to.equal('accepted')
  })

  it('never accepts a contract whose abort overtook it', () => {
    const talk = new HopTalk().offers().hear({ kind: 'abort', contract: 'contract-1', epoch: 1 })
    expect(talk.hear({ kind: 'propose', contract: aContract() }).refusals).to.deep.equal(['epoch-superseded'])
  })

  it('declines what is no contract of the requester for this request and agent', () => {
    const wrong = [
      aContract({ issuer: OTHER }),
      aContract({ request: 'another' }),
      aContract({ parties: aContract().parties.slice(1) }),
      aContract({ parties: aContract().parties.slice(0, 2) }),
      aContract({ parties: [...aContract().parties, ...aContract().parties] })
    ]
    for (const contract of wrong)
      expect(new HopTalk().offers().hear({ kind: 'propose', contract }).refusals).to.deep.equal([
        'contract-invalid'
      ])
  })

  const partial = {
    'one party’s acceptance is missing': acceptancesOf(aContract()).slice(1),
    'one party signed twice': [
      ...acceptancesOf(aContract()).slice(1),
      { contract: 'contract-1', epoch: 1, signer: OTHER }
    ],
    'a stranger signed in a party’s place': [
      ...acceptancesOf(aContract()).slice(1),
      { contract: 'contract-1', epoch: 1, signer: 'RUG' }
    ],
    'a stranger signed as well': [
      ...acceptancesOf(aContract()),
      { contract: 'contract-1', epoch: 1, signer: 'RUG' }
    ],
    'an acceptance is of another contract': acceptancesOf(aContract()).map((one, n) =>
      n === 0 ? { ...one, contract: 'another' } : one
    ),
    'an acceptance is of another epoch': acceptancesOf(aContract()).map((one, n) =>
      n === 0 ? { ...one, epoch: 2 } : one
    )
  }
  for (const [what, acceptances] of Object.entries(partial))
    it(`does not start when ${what}`, () => {
      const talk = new HopTalk().offers().accepts(aContract())
      talk.hear({ kind: 'start', contract: 'contract-1', acceptances })
      expect(talk.refusals).to.deep.equal(['start-incomplete'])
      expect(talk.hop.stage.phase).to.equal('accepted')
    })

  it('takes a start from whoever brings it, asks policy once more, and runs its share once', () => {
    const acceptances = acceptancesOf(aContract())
    const talk = new HopTalk().offers().accepts(aContract())
    talk.hear({ kind: 'start', contract: 'contract-1', acceptances }, OTHER)
    expect(talk.orders).to.deep.equal(['ask-policy'])
    talk.tell({ type: 'verdict', question: 'start', contract: 'contract-1', refusal: null, now: 0 })
    expect(talk.orders).to.deep.equal(['run-share', `started to ${REQUESTER}`])
    talk.hear({ kind: 'start', contract: 'contract-1', acceptances })
    expect(talk.orders).to.deep.equal([`started to ${REQUESTER}`])
  })

  it('does not start after its own startBy, and says so signed', () => {
    const talk = new HopTalk().offers().accepts(aContract())
    talk.hear(
      { kind: 'start', contract: 'contract-1', acceptances: acceptancesOf(aContract()) },
      REQUESTER,
      100
    )
    expect(talk.orders.slice(0, 2)).to.deep.equal(['release', 'sign-outcome'])
    expect(talk.hop.stage).to.deep.include({ phase: 'ended' })
    expect(talk.orders).not.to.include('run-share')
  })

  it('does not start when policy says no at the last moment, signs why, and tells whom it concerns', () => {
    const talk = new HopTalk().offers().accepts(aContract())
    talk.hear({ kind: 'start', contract: 'contract-1', acceptances: acceptancesOf(aContract()) })
    const refusal = refusalOf('policy-forbids')
    talk.tell({ type: 'verdict', question: 'start', contract: 'contract-1', refusal, now: 0 })
    expect(talk.orders).to.deep.equal([
      'release',
      'sign-outcome',
      `outcome to ${REQUESTER}`,
      `outcome to ${OTHER}`
    ])
    expect(talk.starts(aContract()).orders).not.to.include('run-share')
  })

  it('stops a started epoch when it accepts the next, and refuses its flows', () => {
    const second = aContract({
      epoch: 2,
      parties: aContract().parties.map((party) => (party.peer === SELF ? { ...party, offer: 'new' } : party))
    })
    const talk = new HopTalk()
      .offers()
      .accepts(aContract())
      .starts(aContract())
      .offers('new', 2)
      .accepts(second)
    expect(talk.orders.slice(0, 2)).to.deep.equal(['stop-share', 'release'])
    expect(flowRefusal(talk.hop, 'contract-1')).to.equal('epoch-superseded')
    expect(flowRefusal(talk.hop, 'contract-2')).to.equal('start-incomplete')
    talk.starts(second)
    expect(flowRefusal(talk.hop, 'contract-2')).to.equal(null)
    expect(flowRefusal(talk.hop, 'contract-3')).to.equal('flow-not-in-contract')
  })

  const stopped = (talk: HopTalk, hop?: string) =>
    talk.tell({
      type: 'verdict',
      question: 'continue',
      contract: 'contract-1',
      refusal: refusalOf('agreement-revoked'),
      now: 1,
      ...(hop === undefined ? {} : { hop })
    })
  const spent = (talk: HopTalk) =>
    talk.effects.flatMap((effect) => (effect.do === 'release' ? [effect.spent] : []))
  const ending = ['sign-outcome', `outcome to ${REQUESTER}`, `outcome to ${OTHER}`]

  it('stops when a decision changes while it runs, signs why, and is not charged for what never left', () => {
    const talk = stopped(new HopTalk().offers().accepts(aContract()).starts(aContract()))
    expect(talk.orders).to.deep.equal(['stop-share', 'release', ...ending])
    expect(talk.effects[0]).to.deep.include({ code: 'agreement-revoked' })
    expect(spent(talk)).to.deep.equal([false])
    expect(talk.hop.stage).to.deep.include({ phase: 'ended' })
    const outcome = anOutcome({ signer: SELF, result: 'expired', code: 'agreement-revoked', hop: SELF })
    expect(talk.hop.stage).to.deep.include({ outcome })
    talk.hear({ kind: 'outcome', outcome: anOutcome({ result: 'failed' }) }, RECIPIENT)
    expect(talk.hop.stage).to.deep.include({ outcome, late: anOutcome({ result: 'failed' }) })
  })

  it('is charged once output has left, and lets nothing leave once it was stopped', () => {
    const leaves = { type: 'output-leaves', contract: 'contract-1', now: 0 } as const
    const talk = new HopTalk().offers().accepts(aContract()).starts(aContract()).tell(leaves)
    expect(spent(stopped(talk))).to.deep.equal([true])
    const late = stopped(new HopTalk().offers().accepts(aContract()).starts(aContract())).tell(leaves)
    expect(late.hop.stage.phase).to.equal('ended')
    const crashed = new HopTalk().offers().accepts(aContract()).starts(aContract())
    expect(spent(crashed.tell({ type: 'restarted', begun: ['contract-1'], now: 0 }))).to.deep.equal([true])
  })

  it('stops also when its own share is done and others still work on it', () => {
    const talk = new HopTalk().offers().accepts(aContract()).starts(aContract())
    talk.tell({ type: 'share-done', contract: 'contract-1', now: 0 })
    expect(stopped(talk).orders).to.deep.equal(ending)
  })

  it('is still there for another plan when it is another party whose standing was lost', () => {
    const talk = stopped(new HopTalk().offers().accepts(aContract()).starts(aContract()), OTHER)
    expect(talk.orders).to.deep.equal(['stop-share', 'release', `failure to ${REQUESTER}`])
    const message = talk.effects.at(-1)
    expect(message).to.deep.include({ do: 'send' })
    expect(JSON.stringify(message)).to.contain(`"hop":"${OTHER}"`)
    const parties = aContract().parties.map((one) => (one.peer === SELF ? { ...one, offer: 'new' } : one))
    talk.offers('new', 2).accepts(aContract({ epoch: 2, parties }))
    expect(talk.hop.stage.phase).to.equal('accepted')
  })

  it('stops working on what a party says, signed, that it withdrew', () => {
    const outcome = anOutcome({ signer: OTHER, result: 'expired', code: 'agreement-revoked', hop: OTHER })
    const talk = new HopTalk().offers().accepts(aContract()).starts(aContract())
    talk.hear({ kind: 'outcome', outcome }, OTHER)
    expect(talk.orders).to.deep.equal(['stop-share', 'release', `failure to ${REQUESTER}`])
    const late = new HopTalk().offers().accepts(aContract()).starts(aContract())
    late.hear({ kind: 'outcome', outcome: { ...outcome, code: 'timeout' } }, OTHER)
    expect(late.orders, 'a deadline of somebody else').to.deep.equal([])
  })

  it('as the recipient makes nothing of what was withdrawn, and names who withdrew it and why', () => {
    const talk = new HopTalk(RECIPIENT).accepts(aContract()).starts(aContract())
    const outcome = anOutcome({ signer: SELF, result: 'expired', code: 'agreement-revoked', hop: SELF })
    talk.hear({ kind: 'outcome', outcome }, SELF)
    expect(talk.orders).to.deep.equal(['stop-share'])
    expect(talk.tell({ type: 'share-done', contract: 'contract-1', now: 1 }).orders).to.deep.equal([])
    expect(talk.tell({ type: 'tick', now: 60 }).hop.stage.phase, 'another plan may come').to.equal('started')
    talk.hear({ kind: 'cancel', result: 'failed', code: 'agreement-revoked', hop: SELF }, REQUESTER, 61)
    expect(talk.hop.stage).to.deep.include({ phase: 'ended' })
    expect(talk.hop.stage).to.have.nested.property('outcome.code', 'agreement-revoked')
    expect(talk.hop.stage).to.have.nested.property('outcome.hop', SELF)
    expect(talk.hop.stage).to.have.nested.property('outcome.result', 'failed')
  })

  it('adopts the recipient’s outcome and nobody else’s after a start', () => {
    const talk = new HopTalk().offers().accepts(aContract()).starts(aContract())
    for (const signer of [OTHER, 'RUG'])
      expect(talk.hear({ kind: 'outcome', outcome: anOutcome({ signer }) }).hop.stage.phase).to.equal(
        'started'
      )
    talk.hear({ kind: 'outcome', outcome: anOutcome() }, OTHER)
    expect(talk.hop.stage).to.deep.equal({ phase: 'ended', outcome: anOutcome(), late: null })
    expect(talk.orders).not.to.include('sign-outcome')
  })

  it('ends by its own deadline as expired, and keeps a later outcome beside it', () => {
    const talk = new HopTalk()
      .offers()
      .accepts(aContract())
      .starts(aContract())
      .tell({ type: 'tick', now: 800 })
    expect(talk.orders).to.include('sign-outcome')
    talk.hear({ kind: 'outcome', outcome: anOutcome() }, RECIPIENT, 900)
    expect(talk.hop.stage).to.deep.include({ phase: 'ended', late: anOutcome() })
    expect(talk.orders).to.deep.equal([])
  })

  it('forgets silently what it only offered', () => {
    const talk = new HopTalk().offers().tell({ type: 'tick', now: 500 })
    expect(talk.hop.stage.phase).to.equal('ended')
    expect(talk.orders).to.deep.equal([])
  })

  it('never runs a share again that had begun before a restart', () => {
    const talk = new HopTalk().offers().accepts(aContract()).starts(aContract())
    talk.tell({ type: 'restarted', begun: ['contract-1'], now: 10 })
    expect(talk.orders).to.include(`failure to ${REQUESTER}`)
    expect(talk.orders).not.to.include('run-share')
  })

  it('asks policy again before it runs a share that had not begun before a restart', () => {
    const talk = new HopTalk().offers().accepts(aContract()).starts(aContract())
    talk.tell({ type: 'restarted', begun: [], now: 10 })
    expect(talk.orders).to.include('ask-policy')
    expect(talk.orders).not.to.include('run-share')
    talk.tell({ type: 'verdict', question: 'start', contract: 'contract-1', refusal: null, now: 11 })
    expect(talk.orders).to.include('run-share')
  })

  it('is plain data', () => {
    const { hop } = new HopTalk().offers().accepts(aContract()).starts(aContract())
    expect(parseExchange(JSON.parse(JSON.stringify(hop)))).to.deep.equal(hop)
  })
})

describe('the recipient', () => {
  const elsewhere = 'RUG'
  const contract = aContract({
    parties: [
      { peer: SELF, roles: ['data'], offer: `offer-${SELF}` },
      { peer: elsewhere, roles: ['recipient'], offer: null }
    ]
  })

  function started(): HopTalk {
    return new HopTalk(elsewhere).accepts(contract).starts(contract)
  }

  it('completes with its receipt, and tells every party', () => {
    const talk = started().tell({ type: 'share-done', contract: contract.id, now: 5 })
    expect(talk.orders).to.deep.equal([
      'sign-receipt',
      'release',
      'sign-outcome',
      `outcome to ${REQUESTER}`,
      `outcome to ${SELF}`
    ])
  })

  it('waits for a new epoch after another’s failure, and then calls it failed', () => {
    const failure = {
      kind: 'failure',
      contract: contract.id,
      hop: SELF,
      code: 'job-killed',
      step: 'query',
      position: 3
    } as const
    const talk = started().hear(failure, SELF, 10)
    expect(talk.hop.stage.phase).to.equal('started')
    expect(wakeAt(talk.hop)).to.equal(60)
    talk.tell({ type: 'tick', now: 60 })
    expect(talk.effects).to.deep.include({
      do: 'sign-outcome',
      outcome: {
        contract: contract.id,
        signer: elsewhere,
        result: 'failed',
        code: 'job-killed',
        hop: SELF,
        step: 'query',
        position: 3
      }
    })
  })

  it('says where it failed when it is asked to end for a failure that it was told of', () => {
    const place = { code: 'sql-runtime', hop: SELF } as const
    const failure = { kind: 'failure', contract: contract.id, ...place, step: 'query', position: 3 } as const
    const talk = started().hear(failure, SELF, 10)
    talk.hear({ kind: 'cancel', result: 'failed', ...place }, REQUESTER, 20)
    expect(talk.effects).to.deep.include({
      do: 'sign-outcome',
      outcome: {
        contract: contract.id,
        signer: elsewhere,
        result: 'failed',
        ...place,
        step: 'query',
        position: 3
      }
    })
  })

  it('does not believe a stranger’s failure', () => {
    const failure = {
      kind: 'failure',
      contract: contract.id,
      hop: SELF,
      code: 'job-killed',
      step: null,
      position: null
    } as const
    expect(wakeAt(started().hear(failure, OTHER, 10).hop)).to.equal(800)
  })

  it('ends what the requester cancels, once', () => {
    const cancel = { kind: 'cancel', result: 'cancelled', code: 'cancelled', hop: null } as const
    const talk = started().hear(cancel)
    expect(talk.orders).to.include('sign-outcome')
    expect(talk.hear(cancel).orders).to.deep.equal([`outcome to ${REQUESTER}`])
    expect(started().hear(cancel, SELF).hop.stage.phase, 'asked by somebody else').to.equal('started')
  })

  it('does not complete what it failed, nor fail what it completed', () => {
    const completed = started().tell({ type: 'share-done', contract: contract.id, now: 5 })
    completed.hear({ kind: 'cancel', result: 'failed', code: 'timeout', hop: null })
    expect(completed.orders).to.deep.equal([`outcome to ${REQUESTER}`])
    const failed = started().tell({ type: 'tick', now: 800 })
    expect(failed.orders).to.include('sign-outcome')
    expect(failed.tell({ type: 'share-done', contract: contract.id, now: 801 }).orders).to.deep.equal([])
  })

  it('declines a new epoch after it has spoken', () => {
    const talk = started().tell({ type: 'share-done', contract: contract.id, now: 5 })
    talk.hear({ kind: 'propose', contract: { ...contract, id: 'contract-2', epoch: 2 } })
    expect(talk.refusals).to.deep.equal(['already-ended'])
    expect(talk.orders).to.include(`outcome to ${REQUESTER}`)
  })
})
