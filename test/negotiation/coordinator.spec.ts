import { expect } from 'chai'
import { PlanInvalid } from '../../protocol/negotiation/index.ts'
import { aContract, CoordinatorTalk, OTHER, RECIPIENT, REQUESTER, refusalOf, SELF } from './builders.ts'

describe('a coordinator', () => {
  it('asks every hop, and composes when all have answered', () => {
    const talk = new CoordinatorTalk()
    expect(talk.orders).to.deep.equal([`ask to ${SELF}`, `ask to ${OTHER}`])
    expect(talk.offered().orders).to.deep.equal(['compose'])
  })

  it('names the hops that were silent, and goes on without them', () => {
    const talk = new CoordinatorTalk().hear(SELF, { kind: 'offer', epoch: 1, offer: 'offer', permits: true })
    talk.tell({ type: 'tick', now: 50 })
    expect(talk.effects[0]).to.deep.include({
      do: 'compose',
      offers: [{ hop: SELF, offer: 'offer' }],
      silent: [OTHER]
    })
  })

  it('waits for no offer of a hop that says, signed, that it is done with the request', () => {
    const done = (signer: string | null) => ({
      kind: 'outcome' as const,
      outcome: {
        contract: 'contract-1',
        signer,
        result: 'expired' as const,
        code: 'release-refused' as const,
        hop: null,
        step: null,
        position: null
      }
    })
    const talk = new CoordinatorTalk().hear(SELF, { kind: 'offer', epoch: 1, offer: 'offer', permits: true })
    talk.hear(OTHER, done(null)).hear(OTHER, done(SELF))
    expect(talk.coordinator.stage.phase, 'a word that is not its own').to.equal('collecting')
    talk.hear(OTHER, done(OTHER))
    expect(talk.effects).to.have.length(1)
    expect(talk.effects[0]).to.deep.include({
      do: 'compose',
      offers: [{ hop: SELF, offer: 'offer' }],
      silent: [],
      without: [{ hop: OTHER, code: 'release-refused' }]
    })
  })

  it('starts only with every acceptance', () => {
    const contract = aContract()
    const talk = new CoordinatorTalk().offered().planned(contract)
    expect(talk.orders).to.deep.equal([SELF, OTHER, RECIPIENT].map((peer) => `propose to ${peer}`))
    for (const signer of [SELF, SELF, OTHER])
      talk.hear(signer, { kind: 'acceptance', acceptance: { contract: contract.id, epoch: 1, signer } })
    expect(talk.coordinator.stage.phase).to.equal('proposing')
    talk.hear(OTHER, {
      kind: 'acceptance',
      acceptance: { contract: contract.id, epoch: 1, signer: RECIPIENT }
    })
    expect(talk.coordinator.stage.phase, 'brought by another than who signed').to.equal('proposing')
    talk.accepted(contract)
    expect(talk.coordinator.stage.phase).to.equal('running')
  })

  it('tells the others and plans the next epoch when one declines', () => {
    const contract = aContract()
    const talk = new CoordinatorTalk().offered().planned(contract)
    talk.hear(SELF, { kind: 'decline', contract: contract.id, epoch: 1, refusal: refusalOf('busy') })
    expect(talk.orders).to.deep.equal([`abort to ${OTHER}`, `abort to ${RECIPIENT}`, 'compose'])
    expect(talk.effects.at(-1)).to.deep.include({ epoch: 2, without: [{ hop: SELF, code: 'busy' }] })
  })

  it('ends with the last refusal after three epochs', () => {
    const talk = new CoordinatorTalk().offered()
    for (const epoch of [1, 2, 3]) {
      const contract = aContract({ epoch })
      talk.planned(contract)
      const refusal = refusalOf('policy-forbids')
      talk.hear(SELF, { kind: 'decline', contract: contract.id, epoch, refusal })
    }
    expect(talk.coordinator.stage).to.deep.include({ phase: 'ended' })
    expect(talk.effects).to.deep.include({
      do: 'sign-outcome',
      outcome: {
        contract: 'contract-3',
        signer: REQUESTER,
        result: 'failed',
        code: 'policy-forbids',
        hop: SELF,
        step: null,
        position: null
      }
    })
    expect(talk.coordinator.refusals).to.have.length(3)
  })

  it('signs an end itself only before the first start', () => {
    const before = new CoordinatorTalk().offered().planned(aContract()).tell({ type: 'cancel', now: 1 })
    expect(before.orders).to.include('sign-outcome')
    const after = new CoordinatorTalk().offered().planned(aContract()).accepted(aContract())
    after.tell({ type: 'cancel', now: 1 })
    expect(after.orders).to.deep.equal([`cancel to ${RECIPIENT}`])
    expect(after.coordinator.stage.phase).to.equal('closing')
  })

  it('delivers a start again to whoever has not confirmed, and to the recipient', () => {
    const talk = new CoordinatorTalk().offered().planned(aContract()).accepted(aContract())
    for (const peer of [SELF, RECIPIENT]) talk.hear(peer, { kind: 'started', contract: 'contract-1' })
    talk.tell({ type: 'tick', now: 20 })
    expect(talk.orders).to.deep.equal([`start to ${OTHER}`, `start to ${RECIPIENT}`])
  })

  it('asks anew, without the party that was lost, while the recipient has not completed', () => {
    const talk = new CoordinatorTalk().offered().planned(aContract()).accepted(aContract())
    talk.tell({ type: 'lost', peer: OTHER, now: 5 })
    expect(talk.orders).to.deep.equal([`ask to ${SELF}`])
    talk.offered(2, 6)
    expect(talk.effects[0]).to.deep.include({ do: 'compose', epoch: 2, recipient: RECIPIENT })
    const parties = aContract().parties.filter((party) => party.peer !== OTHER)
    talk.planned(aContract({ epoch: 2, parties }), 7)
    expect(talk.orders).to.deep.equal([`abort to ${OTHER}`, `propose to ${SELF}`, `propose to ${RECIPIENT}`])
  })

  it('adopts the recipient’s outcome in the middle of planning anew', () => {
    const talk = new CoordinatorTalk().offered().planned(aContract()).accepted(aContract())
    talk.tell({ type: 'lost', peer: OTHER, now: 5 })
    const outcome = {
      contract: 'contract-1',
      signer: RECIPIENT,
      result: 'completed',
      code: null,
      hop: null,
      step: null,
      position: null
    } as const
    talk.hear(RECIPIENT, { kind: 'outcome', outcome }, 6)
    expect(talk.coordinator.stage).to.deep.equal({ phase: 'ended', outcome, late: null })
    expect(talk.orders).not.to.include('sign-outcome')
  })

  it('does not plan anew what would fail the same way', () => {
    const talk = new CoordinatorTalk().offered().planned(aContract()).accepted(aContract())
    const failure = {
      kind: 'failure',
      contract: 'contract-1',
      hop: SELF,
      code: 'sql-runtime',
      step: 'query',
      position: 7
    } as const
    talk.hear(SELF, failure, 5)
    expect(talk.coordinator.stage.phase).to.equal('closing')
  })

  it('ends as expired when another agent is the recipient and stays silent', () => {
    const contract = aContract({
      parties: [
        { peer: SELF, roles: ['data'], offer: `offer-${SELF}` },
        { peer: 'RUG', roles: ['recipient'], offer: null }
      ]
    })
    const talk = new CoordinatorTalk([SELF]).offered().planned(contract).accepted(contract)
    talk.tell({ type: 'tick', now: 1_000 }).tell({ type: 'tick', now: 1_100 })
    expect(talk.coordinator.stage).to.deep.include({ phase: 'ended' })
    expect(talk.effects[0]).to.deep.include({ do: 'sign-outcome' })
    expect(talk.coordinator.stage.phase === 'ended' && talk.coordinator.stage.outcome.result).to.equal(
      'expired'
    )
  })

  it('refuses a plan that changes the recipient after a start, or rests on no offer', () => {
    const talk = new CoordinatorTalk().offered().planned(aContract()).accepted(aContract())
    talk.tell({ type: 'lost', peer: OTHER, now: 5 }).offered(2, 6)
    const other = [
      { peer: SELF, roles: ['data' as const], offer: `offer-${SELF}` },
      { peer: 'RUG', roles: ['recipient' as const], offer: null }
    ]
    expect(() => talk.planned(aContract({ epoch: 2, parties: other }), 7)).to.throw(PlanInvalid)
    const invented = [
      { peer: SELF, roles: ['data' as const], offer: 'invented' },
      { peer: RECIPIENT, roles: ['recipient' as const], offer: null }
    ]
    expect(() => talk.planned(aContract({ epoch: 2, parties: invented }), 7)).to.throw(PlanInvalid)
  })
})
