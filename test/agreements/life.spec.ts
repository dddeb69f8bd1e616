import { expect } from 'chai'
import { AgreementNotSignable, type Ending, viewAgreement } from '../../agent/agreements/index.ts'
import { verifyLog } from '../../agent/audit/index.ts'
import { writeAgreement } from '../../policy/index.ts'
import { addSignature, type Payload, signDocument } from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import { keyOf } from '../membership/builders.ts'
import { rejectionOf } from '../store/folder.ts'
import { offices } from './offices.ts'

const aText = (purposes = 'research', more = '') => `
agreement: wages
provider: VU
dataset: wageGap
consumers: [{organisation: UVA}, {organisation: RUG}]
purposes: [${purposes}]
archetypes: [computeToData]
tables: {person: {columns: [sex, wage]}}
algorithms: [average]
${more}`
const ALL = ['VU', 'UVA', 'RUG'] as const

describe('the life of an agreement', () => {
  const market = offices(['VU', 'UVA', 'RUG', 'SURF'])
  const { get } = market
  beforeEach(async () => {
    // By hand: no agent uses its steward's key.
    for (const name of ALL) await market.withoutSteward(name)
  })
  const refusalOf = async (promise: Promise<unknown>): Promise<string> => {
    const error = await rejectionOf(promise)
    expect(error).to.be.instanceOf(AgreementNotSignable)
    return codeOf(error)
  }
  const statesOf = async (id: string) =>
    await Promise.all(ALL.map(async (name) => await get(name).stateOf(id)))
  const inForce = async (more?: string) => {
    const { agreement } = await get('VU').agreements.proposals.propose(aText('research', more))
    for (const name of ALL) await get(name).signs('wages')
    return agreement
  }
  const undelivered = async (name: string) =>
    (await get(name).store.agreementLife.undelivered()).map(({ party, kind }) => `${kind} to ${party}`)

  describe('that is proposed', () => {
    it('is seen by its parties as it is, signed by nobody', async () => {
      const { agreement } = await get('UVA').agreements.proposals.propose(aText())
      expect(await statesOf(agreement.id)).to.deep.equal(['proposed', 'proposed', 'proposed'])
      const [seen] = await get('RUG').agreements.all()
      expect(seen?.proposedBy).to.equal('UVA')
      expect(get('RUG').agreements.signedBy(agreement)).to.deep.equal([])
    })

    it('is in force when all have signed, in whatever order, whoever proposed it', async () => {
      const { agreement } = await get('UVA').agreements.proposals.propose(aText())
      await get('RUG').signs('wages')
      await get('VU').signs(agreement.id)
      expect(await statesOf(agreement.id)).to.deep.equal(['proposed', 'proposed', 'proposed'])
      await get('UVA').signs('wages')
      expect(await statesOf(agreement.id)).to.deep.equal(['in-force', 'in-force', 'in-force'])
      for (const name of ALL) expect((await verifyLog(get(name).store)).intact, name).to.equal(true)
    })

    it('is signed once by a party, however often its steward signs', async () => {
      const { agreement } = await get('VU').agreements.proposals.propose(aText())
      await get('UVA').signs('wages')
      const again = await get('UVA').signs('wages')
      expect(again.signers).to.have.length(2)
      const twice = {
        payload: again.bytes.payload,
        signatures: [...again.bytes.signatures, ...again.bytes.signatures]
      }
      const shown = get('VU').agreements.shown({ agreement: twice }, get('UVA').peer)
      expect(codeOf(await rejectionOf(shown))).to.equal('bad-signature')
      expect(await get('VU').stateOf(agreement.id)).to.equal('proposed')
    })

    it('reaches a party that was away, after a restart of whoever sends it too', async () => {
      get('VU').silent.add('UVA')
      const { agreement, pending } = await get('VU').agreements.proposals.propose(aText())
      expect(pending.map(({ organisation }) => organisation).sort()).to.deep.equal(['RUG', 'UVA'])
      expect(await get('UVA').stateOf(agreement.id)).to.equal(undefined)
      await get('RUG').signs('wages')
      await get('VU').signs('wages')
      expect(await undelivered('VU')).to.deep.equal(['agreement to UVA'])
      const vu = await market.restarted('VU')
      await vu.agreements.proposals.deliver('UVA')
      expect(await undelivered('VU')).to.deep.equal([])
      await get('UVA').signs('wages')
      expect(await statesOf(agreement.id)).to.deep.equal(['in-force', 'in-force', 'in-force'])
    })

    it('that names no party of who proposes it is not sent', async () => {
      expect(await refusalOf(get('SURF').agreements.proposals.propose(aText()))).to.equal(
        'agreement-malformed'
      )
    })

    it('can be shown whatever instants it names', async () => {
      const far = Number.MAX_SAFE_INTEGER
      const vu = get('VU')
      const { payload } = (await vu.agreements.proposals.propose(aText())).agreement
      const terms = { ...payload.terms, valid: { from: far - 1, until: far }, timezone: 'Mars/Olympus' }
      const odd = await signDocument(
        'agreement',
        { ...payload, terms, expires: far, issuedAt: payload.issuedAt + 1 },
        vu.key
      )
      await get('UVA').agreements.shown({ agreement: odd.bytes }, vu.peer)
      const records = await get('UVA').agreements.proposals.records()
      const [one] = (await get('UVA').agreements.all()).filter(({ agreement }) => agreement.id === odd.id)
      if (one === undefined) throw new Error('expected it to be kept')
      const view = viewAgreement({ ...one, signedBy: [] }, market.clock.at, records)
      expect(view.plain.join('\n')).to.include(String(far))
      expect(writeAgreement(odd.payload)).to.include(String(far))
    })

    it('is taken of no stranger, under no stranger’s signature, and of no other marketplace', async () => {
      const vu = get('VU')
      const { payload } = (await vu.agreements.proposals.propose(aText())).agreement
      const made = async (changes: Partial<Payload<'agreement'>>, key = vu.key) =>
        await signDocument('agreement', { ...payload, ...changes, issuedAt: payload.issuedAt + 1 }, key)
      const shown = async (one: Awaited<ReturnType<typeof made>>, from = vu.peer) =>
        await refusalOf(get('UVA').agreements.shown({ agreement: one.bytes }, from))
      expect(await shown(await made({}), get('SURF').peer)).to.equal('agreement-malformed')
      expect(await shown(await made({ marketplace: '' }))).to.equal('agreement-malformed')
      expect(await shown(await made({}, get('SURF').key))).to.equal('bad-signature')
      const surf = await made({ issuer: get('SURF').peer }, get('SURF').key)
      expect(await shown(surf)).to.equal('bad-signature')
      const more = await addSignature(await made({}), await keyOf('nobody'))
      expect(await shown(more)).to.equal('bad-signature')
    })

    it('is refused as one too many when a party floods another, and keeps nobody else out', async () => {
      const proposals = get('UVA').agreements.proposals
      const named = (index: number) => aText().replace('agreement: wages', `agreement: w${index}`)
      for (let index = 0; index < 64; index += 1) await proposals.propose(named(index))
      const { pending } = await proposals.propose(named(64))
      expect(pending[0]?.reason).to.include('at most 64 agreements of UVA')
      const { agreement } = await get('RUG').agreements.proposals.propose(aText())
      expect(await get('VU').stateOf(agreement.id)).to.equal('proposed')
    })

    it('takes the place of what the same party proposed before, and of nothing that others did', async () => {
      const first = await get('VU').agreements.proposals.propose(aText())
      market.clock.at += 1000
      const other = await get('RUG').agreements.proposals.propose(aText('policy'))
      expect(await get('UVA').stateOf(first.agreement.id)).to.equal('proposed')
      market.clock.at += 1000
      await get('VU').agreements.proposals.propose(aText('teaching'))
      for (const name of ALL) expect(await get(name).stateOf(first.agreement.id), name).to.equal('superseded')
      expect(await get('UVA').stateOf(other.agreement.id)).to.equal('proposed')
      expect(await refusalOf(get('UVA').agreements.proposals.waiting('wages'))).to.equal(
        'agreement-ambiguous'
      )
    })
  })

  describe('that is refused', () => {
    it('comes into force nowhere, and everybody reads why', async () => {
      const { agreement } = await get('VU').agreements.proposals.propose(aText())
      await get('VU').signs('wages')
      await get('RUG').signs('wages')
      await get('UVA').agreements.proposals.refuse('wages', 'too many columns')
      expect(await statesOf(agreement.id)).to.deep.equal(['refused', 'refused', 'refused'])
      for (const name of ALL) {
        const { refusals } = await get(name).agreements.proposals.records()
        expect(
          refusals.map(({ organisation, reason }) => [organisation, reason]),
          name
        ).to.deep.equal([['UVA', 'too many columns']])
      }
      const late = await addSignature(agreement, get('UVA').steward)
      expect(await refusalOf(get('UVA').agreements.propose(late))).to.equal('already-ended')
    })

    it('is refused by nobody who has signed it, nor in another’s name', async () => {
      const { agreement } = await get('VU').agreements.proposals.propose(aText())
      await get('UVA').signs('wages')
      expect(await refusalOf(get('UVA').agreements.proposals.refuse('wages', 'no'))).to.equal(
        'already-accepted'
      )
      const rug = get('RUG')
      const forged = await signDocument(
        'agreement-refusal',
        {
          type: 'agreement-refusal',
          version: 1,
          marketplace: agreement.payload.marketplace,
          issuer: get('UVA').peer,
          issuedAt: agreement.payload.issuedAt,
          expires: agreement.payload.expires,
          agreement: agreement.id,
          organisation: 'RUG',
          reason: 'no'
        },
        get('UVA').key
      )
      expect(await refusalOf(get('VU').agreements.proposals.noticed({ refusal: forged.bytes }))).to.equal(
        'bad-signature'
      )
      expect(await rug.stateOf(agreement.id)).to.equal('proposed')
    })

    it('is told to a party that was away', async () => {
      const { agreement } = await get('VU').agreements.proposals.propose(aText())
      get('UVA').silent.add('VU')
      await get('UVA').agreements.proposals.refuse('wages', 'no')
      expect(await get('VU').stateOf(agreement.id)).to.equal('proposed')
      expect(await undelivered('UVA')).to.deep.equal(['refusal to VU'])
      get('UVA').silent.clear()
      await get('UVA').agreements.proposals.deliver('VU')
      expect(await get('VU').stateOf(agreement.id)).to.equal('refused')
      expect(await undelivered('UVA')).to.deep.equal([])
    })
  })

  describe('that is answered with other terms', () => {
    it('cannot be signed any more; the answer can', async () => {
      const { agreement } = await get('VU').agreements.proposals.propose(aText())
      const answer = (await get('UVA').agreements.proposals.counter('wages', aText('policy'))).agreement
      expect(answer.payload.counters).to.equal(agreement.id)
      expect(await statesOf(agreement.id)).to.deep.equal(['countered', 'countered', 'countered'])
      expect(await refusalOf(get('RUG').signs(agreement.id))).to.equal('already-ended')
      for (const name of ALL) await get(name).signs('wages')
      expect(await statesOf(answer.id)).to.deep.equal(['in-force', 'in-force', 'in-force'])
    })

    it('is answered under its own name only', async () => {
      await get('VU').agreements.proposals.propose(aText())
      const other = aText().replace('agreement: wages', 'agreement: other')
      expect(await refusalOf(get('UVA').agreements.proposals.counter('wages', other))).to.equal(
        'agreement-malformed'
      )
      expect(await refusalOf(get('UVA').agreements.proposals.counter('nothing', other))).to.equal('not-found')
    })

    it('is answered no more once a newer version took its place', async () => {
      const first = (await get('VU').agreements.proposals.propose(aText())).agreement
      market.clock.at += 1000
      await get('VU').agreements.proposals.propose(aText('teaching'))
      expect(await refusalOf(get('UVA').agreements.proposals.counter(first.id, aText('policy')))).to.equal(
        'already-ended'
      )
      const uva = get('UVA')
      const late = await signDocument(
        'agreement',
        { ...first.payload, issuer: uva.peer, counters: first.id, issuedAt: first.payload.issuedAt + 5 },
        uva.key
      )
      const shown = get('RUG').agreements.shown({ agreement: late.bytes }, uva.peer)
      expect(await refusalOf(shown)).to.equal('already-ended')
    })

    it('is answered by its parties alone', async () => {
      const surf = get('SURF')
      const { agreement } = await get('VU').agreements.proposals.propose(aText())
      const { payload } = await get('VU').agreements.draft(
        aText().replace('{organisation: RUG}', '{organisation: SURF}')
      )
      const foreign = await signDocument(
        'agreement',
        { ...payload, issuer: surf.peer, counters: agreement.id, issuedAt: payload.issuedAt + 1 },
        surf.key
      )
      const shown = get('UVA').agreements.shown({ agreement: foreign.bytes }, surf.peer)
      expect(await refusalOf(shown)).to.equal('agreement-malformed')
      expect(await get('UVA').stateOf(agreement.id)).to.equal('proposed')
    })

    it('waits no more once another version of its name is in force', async () => {
      const first = (await get('UVA').agreements.proposals.propose(aText())).agreement
      market.clock.at += 1000
      const second = await get('VU').agreements.proposals.propose(aText('policy'))
      for (const name of ALL) await get(name).signs(second.agreement.id)
      expect(await statesOf(first.id)).to.deep.equal(['superseded', 'superseded', 'superseded'])
    })

    it('may be answered by two at once: both answers wait', async () => {
      await get('VU').agreements.proposals.propose(aText())
      get('UVA').silent.add('RUG')
      await get('UVA').agreements.proposals.counter('wages', aText('policy'))
      await get('RUG').agreements.proposals.counter('wages', aText('teaching'))
      get('UVA').silent.clear()
      await get('UVA').agreements.proposals.deliver()
      for (const name of ALL)
        expect(
          (await get(name).agreements.all()).filter(({ state }) => state === 'proposed'),
          name
        ).to.have.length(2)
    })
  })

  describe('that names what it replaces', () => {
    it('names an earlier version of its own name', async () => {
      const first = await inForce()
      const vu = get('VU')
      const shown = async (changes: Partial<Payload<'agreement'>>) => {
        const made = await signDocument('agreement', { ...first.payload, ...changes }, vu.key)
        return await refusalOf(get('UVA').agreements.shown({ agreement: made.bytes }, vu.peer))
      }
      const later = first.payload.issuedAt + 10
      expect(await shown({ name: 'other', supersedes: first.id, issuedAt: later })).to.equal(
        'agreement-malformed'
      )
      // A circle would need an earlier one that replaces a later one.
      expect(await shown({ name: 'wages', supersedes: first.id, issuedAt: first.payload.issuedAt })).to.equal(
        'document-expired'
      )
      expect(await shown({ name: 'other', counters: first.id, issuedAt: first.payload.issuedAt })).to.equal(
        'agreement-malformed'
      )
    })
  })

  describe('that is revoked', () => {
    const endings = (name: string): Ending[] => {
      const heard: Ending[] = []
      get(name).agreements.onEnded((ending) => heard.push(ending))
      return heard
    }

    it('ends at once at all parties, whoever revokes it', async () => {
      const { id } = await inForce()
      const heard = ALL.map(endings)
      await get('UVA').revokes('wages', 'the study is over')
      expect(await statesOf(id)).to.deep.equal(['revoked', 'revoked', 'revoked'])
      for (const [index, name] of ALL.entries()) {
        const { agreements } = get(name)
        expect(agreements.inForce(), name).to.deep.equal([])
        expect(agreements.running(id), name).to.equal(undefined)
        const [ending, ...others] = heard[index] ?? []
        expect(others, name).to.deep.equal([])
        expect(ending, name).to.include({
          agreement: id,
          why: 'revoked',
          effect: 'stop',
          by: 'UVA',
          reason: 'the study is over',
          at: market.clock.at
        })
        expect(agreements.ending(id), name).to.deep.equal(ending)
        await agreements.open()
        expect(agreements.ending(id), name).to.deep.equal(ending)
      }
    })

    it('stays in force until its notice is over, and lets what runs finish where its clause says so', async () => {
      const { id } = await inForce('revocation: {effect: finish, notice: PT1H}')
      const heard = endings('VU')
      await get('VU').revokes('wages')
      const { agreements } = get('VU')
      expect(agreements.get(id)?.id).to.equal(id)
      expect(agreements.ending(id)?.at).to.equal(market.clock.at + 3_600_000)
      market.clock.at += 3_599_999
      await agreements.sweep()
      expect(agreements.get(id)?.id).to.equal(id)
      market.clock.at += 1
      expect(agreements.get(id)).to.equal(undefined)
      expect(agreements.running(id)?.id).to.equal(id)
      expect(heard).to.deep.equal([])
      await Promise.all([agreements.sweep(), agreements.sweep()])
      expect(heard.map(({ effect, why }) => [effect, why])).to.deep.equal([['finish', 'revoked']])
      expect(await get('VU').stateOf(id)).to.equal('revoked')
      expect(agreements.running(id)?.id).to.equal(id)
      await agreements.open()
      expect(agreements.running(id)?.id).to.equal(id)
      expect(agreements.inForce()).to.deep.equal([])
    })

    it('ends after a restart within its notice', async () => {
      const { id } = await inForce('revocation: {notice: PT1H}')
      await get('VU').revokes('wages')
      await get('UVA').agreements.open()
      const heard = endings('UVA')
      market.clock.at += 3_600_000
      await get('UVA').agreements.sweep()
      expect(heard.map(({ agreement }) => agreement)).to.deep.equal([id])
    })

    it('does not come back, whoever shows it again', async () => {
      const { id } = await inForce()
      const agreement = get('RUG').agreements.get(id)
      if (agreement === undefined) throw new Error('expected it in force')
      await get('VU').revokes('wages')
      const shown = get('UVA').agreements.shown({ agreement: agreement.bytes }, get('RUG').peer)
      expect(await refusalOf(shown)).to.equal('already-ended')
      expect(await get('UVA').stateOf(id)).to.equal('revoked')
    })

    it('is revoked by a party’s steward alone, as its clause says', async () => {
      const { id } = await inForce('revocation: {notice: PT1H}')
      const uva = get('UVA')
      const payload = await uva.agreements.proposals.revocationOf('wages', 'no')
      const noticed = async (changes: Partial<Payload<'revocation'>>, key = uva.steward) => {
        const document = await signDocument('revocation', { ...payload, ...changes }, key)
        return await refusalOf(get('VU').agreements.proposals.noticed({ revocation: document.bytes }))
      }
      expect(await noticed({}, uva.key)).to.equal('bad-signature')
      expect(await noticed({ organisation: 'RUG' })).to.equal('bad-signature')
      expect(await noticed({ organisation: 'SURF' }, get('SURF').steward)).to.equal('agreement-malformed')
      expect(await noticed({ notice: 0 })).to.equal('agreement-malformed')
      expect(await noticed({ effect: 'finish' })).to.equal('agreement-malformed')
      expect(await noticed({ issuedAt: 0 })).to.equal('agreement-malformed')
      expect(await noticed({ issuedAt: market.clock.at + 1e9 })).to.equal('clock-skew')
      expect(await noticed({ marketplace: '' })).to.equal('agreement-malformed')
      expect(get('VU').agreements.get(id)?.id).to.equal(id)
    })

    it('is told to a party that was away', async () => {
      const { id } = await inForce()
      get('VU').silent.add('UVA')
      await get('VU').revokes('wages')
      expect(await get('UVA').stateOf(id)).to.equal('in-force')
      get('VU').silent.clear()
      await get('VU').agreements.proposals.deliver()
      expect(await get('UVA').stateOf(id)).to.equal('revoked')
    })

    it('ends at the earliest of several revocations', async () => {
      const { id } = await inForce('revocation: {notice: PT1H}')
      get('UVA').silent.add('VU')
      await get('UVA').revokes('wages')
      market.clock.at += 1000
      await get('VU').revokes('wages')
      get('UVA').silent.clear()
      await get('UVA').agreements.proposals.deliver()
      expect(get('VU').agreements.ending(id)?.by).to.equal('UVA')
    })
  })

  it('ends when a newer version takes its place, and when its time is over', async () => {
    const first = await inForce('valid: {until: 2100-01-01}')
    const heard: Ending[] = []
    const stop = get('VU').agreements.onEnded((ending) => heard.push(ending))
    market.clock.at += 1000
    const second = await inForce('valid: {until: 2099-01-01}')
    expect(heard.map(({ agreement, why }) => [agreement, why])).to.deep.equal([[first.id, 'superseded']])
    market.clock.at = Date.UTC(2099, 0, 1)
    await get('VU').agreements.sweep()
    await get('VU').agreements.sweep()
    expect(heard.slice(1).map(({ agreement, why }) => [agreement, why])).to.deep.equal([
      [second.id, 'expired']
    ])
    stop()
  })
})
