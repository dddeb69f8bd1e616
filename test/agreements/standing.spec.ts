import { expect } from 'chai'
import fc from 'fast-check'
import { type Agreement, AgreementNotSignable } from '../../agent/agreements/index.ts'
import { verifyLog } from '../../agent/audit/index.ts'
import { expel } from '../../agent/membership/index.ts'
import {
  addSignature,
  decodeSigned,
  encodeSigned,
  openDocument,
  signFields
} from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import { keyOf, peerOf } from '../membership/builders.ts'
import { rejectionOf } from '../store/folder.ts'
import { type Office, offices, aText as textOf } from './offices.ts'

const aText = (changes: Record<string, string> = {}) =>
  textOf({ agreement: 'open-wages', standing: '{takers: "*"}', ...changes })

describe('a standing offer', () => {
  const market = offices(['VU', 'UVA', 'RUG', 'SURF'])
  const { get } = market
  beforeEach(async () => {
    for (const name of ['VU', 'UVA', 'RUG', 'SURF']) await market.withoutSteward(name)
  })
  const publish = async (changes?: Record<string, string>) => {
    const { standing } = get('VU').agreements
    const offer = await addSignature(await standing.draft(aText(changes)), get('VU').steward)
    await standing.publish(offer)
    return offer
  }
  const toTake = async (office: Office) => await office.agreements.standing.toTake('open-wages', 'VU')
  const take = async (name: string, change = async (one: Agreement) => one) => {
    const office = get(name)
    const agreement = await change(await addSignature(await toTake(office), office.steward))
    return await office.agreements.propose(agreement)
  }
  const shownAtVu = async (from: string, agreement: Agreement) =>
    codeOf(await rejectionOf(get('VU').agreements.shown({ agreement: agreement.bytes }, get(from).peer)))
  const refusalOf = async (promise: Promise<unknown>) => {
    const error = await rejectionOf(promise)
    expect(error).to.be.instanceOf(AgreementNotSignable)
    return codeOf(error)
  }

  it('is taken by members, each with an agreement of its own, without a human at the provider', async () => {
    await publish()
    const uva = await take('UVA')
    const rug = await take('RUG')
    expect([uva.pending, rug.pending]).to.deep.equal([[], []])
    expect(uva.agreement.payload.name).to.equal('open-wages.UVA')
    expect(uva.agreement.payload.terms.consumers).to.deep.equal([{ organisation: 'UVA' }])
    for (const name of ['VU', 'UVA']) expect(await get(name).stateOf(uva.agreement.id)).to.equal('in-force')
    expect(await get('VU').stateOf(rug.agreement.id)).to.equal('in-force')
    expect(get('VU').agreements.inForce({ consumer: 'RUG' })).to.have.length(1)
    const [own] = await get('VU').agreements.standing.own()
    expect(own?.takers.map(({ organisation }) => organisation)).to.deep.equal(['RUG', 'UVA'])
    expect((await verifyLog(get('VU').store)).intact).to.equal(true)
  })

  it('is proved by the agreement itself to whoever knows the memberships', async () => {
    await publish()
    const { agreement } = await take('UVA')
    const auditor = get('SURF').agreements
    const opened = await decodeSigned('agreement', encodeSigned(agreement))
    expect(auditor.signedBy(opened)).to.deep.equal(['VU', 'UVA'])
    for (const signature of agreement.bytes.signatures) {
      const partly = await openDocument('agreement', {
        payload: agreement.bytes.payload,
        signatures: [signature]
      })
      expect(auditor.signedBy(partly)).to.have.length.below(2)
    }
  })

  it('still counts after restarts of both', async () => {
    await publish()
    const { agreement } = await take('UVA')
    const vu = await market.restarted('VU')
    const uva = await market.restarted('UVA')
    expect(vu.agreements.signedBy(agreement)).to.deep.equal(['VU', 'UVA'])
    expect(uva.agreements.get(agreement.id)?.id).to.equal(agreement.id)
  })

  it('is no agreement: it is neither signed nor proposed, and one with consumers is not published', async () => {
    const { agreements } = get('VU')
    expect(await refusalOf(agreements.draft(aText()))).to.equal('agreement-malformed')
    expect(await refusalOf(agreements.proposals.propose(aText()))).to.equal('agreement-malformed')
    const text = aText().replace('standing: {takers: "*"}', 'consumers: [{organisation: UVA}]')
    expect(await refusalOf(agreements.standing.draft(text))).to.equal('agreement-malformed')
  })

  it('counts under the signature of a steward only, of one’s own data, made by this agent', async () => {
    const { standing } = get('VU').agreements
    const draft = await standing.draft(aText())
    expect(await refusalOf(standing.publish(draft))).to.equal('bad-signature')
    const strange = await addSignature(draft, get('UVA').steward)
    expect(await refusalOf(standing.publish(strange))).to.equal('bad-signature')
    expect(await refusalOf(get('UVA').agreements.standing.draft(aText()))).to.equal('agreement-malformed')
    const signed = await addSignature(draft, get('VU').steward)
    expect(await refusalOf(get('UVA').agreements.standing.publish(signed))).to.equal('agreement-malformed')
  })

  it('is shown to those that may take it, and hidden answers like absent', async () => {
    await publish({ standing: '{takers: [UVA]}' })
    const listed = async (name: string) =>
      (await get(name).agreements.standing.of('VU')).map((one) => one.name)
    expect(await listed('UVA')).to.deep.equal(['open-wages'])
    expect(await listed('RUG')).to.deep.equal([])
    const hidden = await rejectionOf(toTake(get('RUG')))
    const absent = await rejectionOf(get('RUG').agreements.standing.toTake('open-wage', 'VU'))
    expect([hidden, absent].map(codeOf)).to.deep.equal(['not-found', 'not-found'])
    expect(String(hidden)).to.equal(String(absent).replace('open-wage', 'open-wages'))
  })

  it('of a dataset that only parties see names who may take it', async () => {
    expect(await refusalOf(publish({ dataset: 'secret' }))).to.equal('agreement-malformed')
    await publish({ dataset: 'secret', standing: '{takers: [UVA]}' })
    expect(await get('UVA').agreements.standing.of('VU')).to.have.length(1)
    expect(await get('RUG').agreements.standing.of('VU')).to.have.length(0)
  })

  it('is taken by nobody once it was withdrawn; what was taken goes on', async () => {
    await publish()
    const { agreement } = await take('UVA')
    const late = await addSignature(await toTake(get('RUG')), get('RUG').steward)
    await get('VU').agreements.standing.withdraw('open-wages')
    expect(await refusalOf(toTake(get('SURF')))).to.equal('not-found')
    expect(await shownAtVu('RUG', late)).to.equal('not-found')
    expect(await get('VU').stateOf(late.id)).to.equal(undefined)
    expect(await get('VU').stateOf(agreement.id)).to.equal('in-force')
    const { pending } = await get('RUG').agreements.propose(late)
    expect(pending.map(({ organisation }) => organisation)).to.deep.equal(['VU'])
    expect(await get('RUG').stateOf(late.id)).to.equal('proposed')
  })

  it('cannot be published again as it was when it was withdrawn', async () => {
    const offer = await publish()
    await get('VU').agreements.standing.withdraw('open-wages')
    expect(await refusalOf(get('VU').agreements.standing.publish(offer))).to.equal('already-ended')
    expect(await refusalOf(get('VU').agreements.standing.withdraw('open-wages'))).to.equal('not-found')
  })

  it('ends when it says, by the clock of the provider', async () => {
    const end = market.clock.at + 86_400_000
    await publish({ standing: `{takers: "*", until: "${new Date(end).toISOString()}"}` })
    const late = await addSignature(await toTake(get('UVA')), get('UVA').steward)
    market.clock.at = end
    expect(await refusalOf(toTake(get('UVA')))).to.equal('not-found')
    expect(await shownAtVu('UVA', late)).to.equal('not-found')
  })

  it('is taken by as many as it allows, by each once', async () => {
    await publish({ standing: '{takers: "*", max: 1}' })
    await take('UVA')
    const { pending } = await take('RUG')
    expect(pending[0]?.reason).to.include('as many members as it allows')
    market.clock.at += 1000
    expect((await take('UVA')).pending).to.deep.equal([])
    expect(get('VU').agreements.inForce({ party: 'UVA' })).to.have.length(1)
  })

  it('is not taken thousands of times by one member', async () => {
    await publish()
    const codes = new Set<string>()
    for (let count = 0; count < 70; count += 1) {
      market.clock.at += 1000
      const one = await addSignature(await toTake(get('UVA')), get('UVA').steward)
      await get('VU')
        .agreements.shown({ agreement: one.bytes }, get('UVA').peer)
        .catch((error: unknown) => codes.add(codeOf(error)))
    }
    expect([...codes]).to.deep.equal(['busy'])
  })

  it('is not taken again by who had it revoked by the provider, published anew or not', async () => {
    await publish()
    await take('UVA')
    market.clock.at += 1000
    await get('VU').revokes('open-wages.UVA')
    market.clock.at += 1000
    expect((await take('UVA')).pending[0]?.reason).to.include('has revoked')
    market.clock.at += 1000
    await publish({ purposes: '[policy]' })
    market.clock.at += 1000
    expect((await take('UVA')).pending[0]?.reason).to.include('has revoked')
  })

  it('published anew replaces the earlier, for those that take it', async () => {
    await publish()
    const { agreement } = await take('UVA')
    market.clock.at += 1000
    await publish({ purposes: '[policy]' })
    expect(await get('UVA').stateOf(agreement.id)).to.equal('in-force')
    market.clock.at += 1000
    const again = await take('UVA')
    expect(again.agreement.payload.supersedes).to.equal(agreement.id)
    for (const name of ['VU', 'UVA']) {
      expect(await get(name).stateOf(agreement.id)).to.equal('superseded')
      expect(await get(name).stateOf(again.agreement.id)).to.equal('in-force')
    }
  })

  it('never replaces an agreement that was signed by hand', async () => {
    await get('VU').agreements.propose(
      await addSignature(
        await get('VU').agreements.draft(
          aText({ agreement: 'open-wages.UVA' }).replace(
            'standing: {takers: "*"}',
            'consumers: [{organisation: RUG}]'
          )
        ),
        get('VU').steward
      )
    )
    await get('RUG').signs('open-wages.UVA')
    market.clock.at += 1000
    await publish()
    market.clock.at += 1000
    expect((await take('UVA')).pending[0]?.reason).to.include('another agreement')
    expect(get('VU').agreements.inForce({ consumer: 'RUG' })).to.have.length(1)
  })

  it('is not taken for another organisation, by its agent alone, nor by the provider', async () => {
    await publish()
    const { agreements, steward } = get('UVA')
    const forUva = await agreements.standing.toTake('open-wages', 'VU')
    expect(await shownAtVu('UVA', forUva)).to.equal('bad-signature')
    const signed = await addSignature(forUva, steward)
    expect(await shownAtVu('RUG', signed)).to.equal('agreement-malformed')
    const byRug = await addSignature(forUva, get('RUG').steward)
    expect(await shownAtVu('UVA', byRug)).to.equal('bad-signature')
    expect(await refusalOf(toTake(get('VU')))).to.equal('not-found')
  })

  it('has its terms taken as they are, whatever is changed', async () => {
    await publish({ standing: '{takers: [UVA, RUG]}' })
    const taken = await toTake(get('UVA'))
    const { payload } = taken
    const { terms } = payload
    const changes: Record<string, object> = {
      purposes: { terms: { ...terms, purposes: '*' } },
      tables: { terms: { ...terms, tables: '*' } },
      recipients: { terms: { ...terms, recipients: '*' } },
      limits: { terms: { ...terms, limits: { requests: 1, per: 1 } } },
      consumers: { terms: { ...terms, consumers: [...terms.consumers, { organisation: 'RUG' }] } },
      user: { terms: { ...terms, consumers: [{ user: { organisation: 'UVA', name: 'a@uva.nl' } }] } },
      valid: { terms: { ...terms, valid: { until: payload.expires + 1 } }, expires: payload.expires + 1 },
      name: { name: 'other' },
      dataset: { dataset: 'secret' },
      pins: { pins: {} },
      expires: { expires: payload.expires + 1 },
      early: { issuedAt: payload.issuedAt - 1 },
      counters: { counters: taken.id },
      parties: { parties: ['VU', 'UVA', 'RUG'] }
    }
    await fc.assert(
      fc.asyncProperty(fc.subarray(Object.keys(changes), { minLength: 1 }), async (chosen) => {
        const changed = Object.assign({}, payload, ...chosen.map((one) => changes[one]))
        const forged = await signFields('agreement', changed, get('UVA').steward)
        expect(await shownAtVu('UVA', forged), chosen.join()).to.equal('agreement-malformed')
        expect(await get('VU').stateOf(forged.id)).to.equal(undefined)
      }),
      { numRuns: 60 }
    )
  })

  it('is neither shown to nor taken by those from whom the rules of its provider keep the dataset', async () => {
    await publish({ standing: '{takers: [UVA, RUG]}' })
    const held = await addSignature(await toTake(get('UVA')), get('UVA').steward)
    const absent = await rejectionOf(get('UVA').agreements.standing.toTake('open-wage', 'VU'))
    get('VU').hidden.add('wageGap from UVA')
    expect(await get('UVA').agreements.standing.of('VU')).to.deep.equal([])
    expect(String(await rejectionOf(toTake(get('UVA'))))).to.equal(
      String(absent).replace('open-wage', 'open-wages')
    )
    expect(await shownAtVu('UVA', held)).to.equal('not-found')
    expect(await get('VU').stateOf(held.id)).to.equal(undefined)
    expect((await take('RUG')).pending).to.deep.equal([])
  })

  it('is not counted by an agent with another key than it names, which would sign what counts nowhere', async () => {
    await publish()
    const held = await addSignature(await toTake(get('UVA')), get('UVA').steward)
    await market.restarted('VU', await keyOf('VU anew'))
    expect(await get('UVA').agreements.standing.of('VU')).to.deep.equal([])
    expect(await shownAtVu('UVA', held)).to.equal('not-found')
    expect((await get('VU').agreements.standing.own())[0]?.takers).to.deep.equal([])
  })

  it('is taken by nobody once the key of the steward who signed it is on the status list', async () => {
    await publish()
    const held = await addSignature(await toTake(get('UVA')), get('UVA').steward)
    const { status } = await expel(market.marketplace(), [peerOf(get('VU').steward)], market.by())
    await get('VU').members.acceptStatus(status)
    expect(await get('UVA').agreements.standing.of('VU')).to.deep.equal([])
    expect(await shownAtVu('UVA', held)).to.equal('not-found')
    expect((await get('VU').agreements.standing.own())[0]?.takers).to.deep.equal([])
  })

  it('takes no place when it comes without the signature of a steward', async () => {
    await publish({ standing: '{takers: "*", max: 1}' })
    const { payload } = await toTake(get('UVA'))
    const { standing } = payload
    const agents = standing === undefined ? [] : standing.signatures.slice(0, 1)
    const bare = { ...payload, standing: { payload: standing?.payload, signatures: agents } }
    expect(await shownAtVu('UVA', await signFields('agreement', bare, get('UVA').steward))).to.equal(
      'not-found'
    )
    expect((await take('RUG')).pending).to.deep.equal([])
  })

  it('does not come back to who had an agreement of that name revoked that was signed by hand', async () => {
    const text = aText({ agreement: 'open-wages.UVA' }).replace(
      'standing: {takers: "*"}',
      'consumers: [{organisation: UVA}]'
    )
    await get('VU').agreements.propose(
      await addSignature(await get('VU').agreements.draft(text), get('VU').steward)
    )
    await get('UVA').signs('open-wages.UVA')
    market.clock.at += 1000
    await get('VU').revokes('open-wages.UVA')
    market.clock.at += 1000
    await publish()
    market.clock.at += 1000
    expect((await take('UVA')).pending[0]?.reason).to.include('has revoked')
  })

  it('made up by others is worth nothing, even when an agent of the provider signs', async () => {
    const real = await publish()
    const rogue = await keyOf('rogue')
    const fake = await signFields(
      'standing-offer',
      { ...real.payload, issuedAt: real.payload.issuedAt + 1 },
      rogue
    )
    const taken = await toTake(get('UVA'))
    const payload = { ...taken.payload, issuedAt: real.payload.issuedAt + 1, standing: fake.bytes }
    const expires =
      payload.terms.valid.until ?? payload.issuedAt + (taken.payload.expires - taken.payload.issuedAt)
    const forged = await signFields('agreement', { ...payload, expires }, get('UVA').steward)
    expect(await shownAtVu('UVA', forged)).to.equal('not-found')
    const counted = await addSignature(forged, get('VU').key)
    expect(get('SURF').agreements.signedBy(counted)).to.deep.equal(['UVA'])
  })
})
