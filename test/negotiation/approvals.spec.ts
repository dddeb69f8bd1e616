import { expect } from 'chai'
import { type Message, wakeAt } from '../../protocol/negotiation/index.ts'
import { aContract, CoordinatorTalk, HopTalk, OTHER, RECIPIENT, REQUESTER, SELF } from './builders.ts'

const waits = (until: number, now = 0) =>
  ({ type: 'offer-waits', epoch: 1, until, by: ['steward'], now }) as const
const ask = { kind: 'ask', epoch: 1 } as const
const offer = { kind: 'offer', epoch: 1, offer: `offer-${SELF}`, permits: true } as const
const waiting = (within: number): Extract<Message, { kind: 'waiting' }> => ({
  kind: 'waiting',
  epoch: 1,
  within,
  by: ['steward']
})

describe('a hop whose people have to approve', () => {
  it('says how long it may take and who decides, as often as it is asked', () => {
    const talk = new HopTalk().hear(ask).tell(waits(9_000))
    expect(talk.effects).to.deep.equal([{ do: 'send', to: REQUESTER, message: waiting(9_000) }])
    talk.hear(ask, REQUESTER, 4_000)
    expect(talk.effects).to.deep.equal([{ do: 'send', to: REQUESTER, message: waiting(5_000) }])
    expect(talk.hear(ask, OTHER, 4_000).orders, 'of a stranger').to.deep.equal([])
  })

  it('asks policy again once they have decided, or when their time is up', () => {
    const decided = new HopTalk().hear(ask).tell(waits(9_000))
    decided.tell({ type: 'approval-decided', now: 10 })
    expect(decided.orders).to.deep.equal(['ask-policy'])
    const late = new HopTalk().hear(ask).tell(waits(9_000))
    expect(wakeAt(late.hop)).to.equal(9_000)
    expect(late.tell({ type: 'tick', now: 9_000 }).orders).to.deep.equal(['ask-policy'])
  })

  it('takes a decision that comes while policy is being asked', () => {
    const talk = new HopTalk().hear(ask).tell({ type: 'approval-decided', now: 0 })
    expect(talk.orders).to.deep.equal(['ask-policy'])
    talk.tell(waits(9_000)).tell({ ...offer, type: 'offer-made', until: 500, now: 0 })
    expect(talk.orders).to.deep.equal([`offer to ${REQUESTER}`])
    expect(talk.hop.approval).to.equal(null)
  })

  it('bothers them no more when the request is over, even if that is heard before it knows that they must be asked', () => {
    const abort = { kind: 'abort', contract: null, epoch: 1 } as const
    expect(new HopTalk().hear(ask).tell(waits(9_000)).hear(abort).orders).to.deep.equal(['withdraw-approval'])
    expect(new HopTalk().hear(ask).hear(abort).tell(waits(9_000)).orders).to.deep.equal(['withdraw-approval'])
  })

  it('remembers the request for as long as they may take', () => {
    const talk = new HopTalk().hear(ask).tell(waits(9_000)).tell({ type: 'tick', now: 8_999 })
    expect(talk.hop.stage.phase).to.equal('idle')
  })
})

describe('a hop that is asked again after people elsewhere have decided', () => {
  it('offers anew when its offer would not last', () => {
    expect(new HopTalk().offers().hear(ask, REQUESTER, 401).orders).to.deep.equal(['ask-policy'])
    expect(new HopTalk().offers().hear(ask, REQUESTER, 400).orders).to.deep.equal([`offer to ${REQUESTER}`])
  })

  it('takes up again what it forgot because time went by, but not what was over', () => {
    const talk = new HopTalk().offers().tell({ type: 'tick', now: 500 })
    expect(talk.hop.stage.phase).to.equal('ended')
    expect(talk.hear(ask, REQUESTER, 9_000).orders).to.deep.equal(['ask-policy'])
    const over = new HopTalk().offers().tell({ type: 'tick', now: 500 })
    over.hear({ kind: 'abort', contract: null, epoch: 1 }, REQUESTER, 600)
    expect(over.hear(ask, REQUESTER, 9_000).orders).not.to.include('ask-policy')
  })

  it('accepts as a recipient that was never asked, days later', () => {
    const parties = [{ peer: RECIPIENT, roles: ['recipient' as const], offer: null }]
    const talk = new HopTalk(RECIPIENT).tell({ type: 'tick', now: 9_000 })
    expect(talk.hop.stage.phase).to.equal('ended')
    expect(talk.accepts(aContract({ parties }), 9_000).orders).to.include('sign-acceptance')
  })

  it('makes only so many offers', () => {
    const talk = new HopTalk()
    let asked = 0
    for (let now = 0; now < 20_000; now += 1_000) {
      if (talk.hear(ask, REQUESTER, now).orders.includes('ask-policy')) asked += 1
      talk.tell({ ...offer, type: 'offer-made', until: now + 500, now })
    }
    expect(asked).to.equal(6)
  })
})

describe('a coordinator whose hops wait for people', () => {
  const waited = () => {
    const talk = new CoordinatorTalk().hear(OTHER, { ...offer, offer: `offer-${OTHER}` }, 1)
    return talk.hear(SELF, waiting(5_000), 10)
  }

  it('waits past its deadline, and the others’ offers', () => {
    const talk = waited()
    for (const now of [50, 1_000, 4_000]) talk.tell({ type: 'tick', now })
    expect(talk.coordinator.stage.phase).to.equal('collecting')
  })

  it('asks where it waits once in a while, and nobody else', () => {
    const talk = waited().tell({ type: 'tick', now: 410 })
    expect(talk.orders).to.deep.equal([`ask to ${SELF}`])
    expect(wakeAt(talk.coordinator)).to.equal(810)
  })

  it('asks for the older offers again once all have decided, and begins its time anew', () => {
    const talk = waited().tell({ type: 'tick', now: 4_000 }).hear(SELF, offer, 4_000)
    expect(talk.orders).to.deep.equal([`ask to ${OTHER}`])
    expect(talk.coordinator.deadline).to.equal(5_000)
    talk.hear(OTHER, { ...offer, offer: 'fresh' }, 4_010)
    expect(talk.effects[0]).to.deep.include({
      do: 'compose',
      waited: true,
      offers: [
        { hop: SELF, offer: `offer-${SELF}` },
        { hop: OTHER, offer: 'fresh' }
      ]
    })
  })

  it('goes on without a hop whose people never decide', () => {
    const talk = waited().tell({ type: 'tick', now: 5_059 })
    expect(talk.coordinator.stage.phase).to.equal('collecting')
    talk.tell({ type: 'tick', now: 5_060 }).hear(OTHER, { ...offer, offer: 'fresh' }, 5_061)
    expect(talk.effects.at(-1)).to.deep.include({ do: 'compose', silent: [SELF] })
  })

  it('waits no longer than all approvals together may take, whatever a hop says', () => {
    const talk = waited()
    for (let now = 10; now < 10_000; now += 30) talk.hear(SELF, waiting(1_000_000), now)
    expect(talk.coordinator.stage.phase).to.equal('collecting')
    talk.tell({ type: 'tick', now: 10_060 }).hear(OTHER, { ...offer, offer: 'fresh' }, 10_061)
    expect(talk.effects.at(-1)).to.deep.include({ do: 'compose', silent: [SELF] })
  })

  it('ignores whoever was not asked, has answered, or speaks of another epoch', () => {
    const before = new CoordinatorTalk().hear(OTHER, { ...offer, offer: `offer-${OTHER}` }).coordinator
    for (const [from, message] of [
      ['eve', waiting(1_000)],
      [OTHER, waiting(1_000)],
      [SELF, { ...waiting(1_000), epoch: 2 }]
    ] as const) {
      const talk = new CoordinatorTalk().hear(OTHER, { ...offer, offer: `offer-${OTHER}` })
      expect(talk.hear(from, message).coordinator).to.deep.equal(before)
    }
  })

  it('waits for nobody’s people once something was started', () => {
    const talk = new CoordinatorTalk().offered().planned(aContract()).accepted(aContract())
    talk.tell({ type: 'lost', peer: OTHER, now: 5 }).hear(SELF, { ...waiting(9_000), epoch: 2 }, 6)
    talk.tell({ type: 'tick', now: 60 })
    expect(talk.effects[0]).to.deep.include({ do: 'compose', silent: [SELF] })
  })

  it('tells a hop that still waits that the request is over', () => {
    const talk = waited().tell({ type: 'cancel', now: 20 })
    expect(talk.orders).to.include(`abort to ${SELF}`)
    expect(talk.hear(SELF, waiting(100), 30).orders).to.deep.equal([`abort to ${SELF}`])
    expect(talk.hear(SELF, offer, 40).orders).to.deep.equal([`abort to ${SELF}`])
  })

  it('asks again after a restart', () => {
    const talk = waited().tell({ type: 'restarted', begun: [], now: 20 })
    expect(talk.orders).to.deep.equal([`ask to ${SELF}`])
  })
})
