import { expect } from 'chai'
import { AgreementNotSignable, isConsumer } from '../../agent/agreements/index.ts'
import { verifyLog } from '../../agent/audit/index.ts'
import { addSignature, openDocument, type Payload, signDocument } from '../../protocol/documents/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'
import { rejectionOf } from '../store/folder.ts'
import { offices } from './offices.ts'

const aText = (purposes = 'research') => `
agreement: wages
provider: VU
dataset: wageGap
consumers: [{organisation: UVA}, {user: analyst@rug.nl}]
purposes: [${purposes}]
archetypes: [computeToData]
recipients: [UVA]
tables: {person: {columns: [sex, wage]}}
algorithms: [average]
`

describe('an agreement', () => {
  const market = offices(['VU', 'UVA', 'RUG', 'SURF'])
  const refusalOf = async (promise: Promise<unknown>): Promise<string> => {
    const error = await rejectionOf(promise)
    expect(error).to.be.instanceOf(AgreementNotSignable)
    return codeOf(error)
  }
  /** The provider's own, signed by its steward, with something changed in it. */
  const changed = async (change: Partial<Payload<'agreement'>>) => {
    const vu = market.get('VU')
    const { payload } = await vu.agreements.draft(aText())
    return await addSignature(await signDocument('agreement', { ...payload, ...change }, vu.key), vu.steward)
  }

  it('is drafted between its provider and the organisations of its consumers', async () => {
    const { payload } = await market.get('VU').agreements.draft(aText())
    expect(payload.parties).to.deep.equal(['VU', 'RUG', 'UVA'])
    expect(isConsumer(payload, 'UVA')).to.equal(true)
    expect(isConsumer(payload, 'RUG')).to.equal(true)
    expect(isConsumer(payload, 'VU')).to.equal(false)
    expect(Object.values(payload.pins).every((pin) => /^[0-9a-f]{64}$/.test(pin))).to.equal(true)
    expect(Object.keys(payload.pins)).to.have.length(2)
  })

  it('is drafted by its provider alone', async () => {
    expect(await refusalOf(market.get('UVA').agreements.draft(aText()))).to.equal('agreement-malformed')
  })

  it('is in force everywhere once every party signed', async () => {
    const vu = market.get('VU')
    const { agreement, pending } = await vu.agreements.propose(await vu.signed(aText()))
    expect(pending).to.deep.equal([])
    expect(vu.agreements.signedBy(agreement)).to.deep.equal(['VU', 'RUG', 'UVA'])
    for (const name of ['VU', 'UVA', 'RUG']) {
      const { agreements, enforced, store } = market.get(name)
      const filter = { provider: 'VU', dataset: 'wageGap', consumer: 'UVA' }
      expect(
        agreements.inForce(filter).map((one) => one.id),
        name
      ).to.deep.equal([agreement.id])
      expect(agreements.signedBy(agreements.inForce()[0] ?? agreement), name).to.have.length(3)
      expect(enforced, name).to.equal(1)
      expect((await verifyLog(store)).intact, name).to.equal(true)
    }
    expect(market.get('SURF').agreements.inForce()).to.deep.equal([])
  })

  it('waits for a party that is silent, and is in force when that one has signed too', async () => {
    const vu = market.get('VU')
    vu.silent.add('RUG')
    const signed = await vu.signed(aText())
    const first = await vu.agreements.propose(signed)
    expect(first.pending.map((one) => one.organisation)).to.deep.equal(['RUG'])
    expect(await vu.stateOf(signed.id)).to.equal('proposed')
    expect(await market.get('UVA').stateOf(signed.id)).to.equal('proposed')
    vu.silent.clear()
    expect((await vu.agreements.propose(first.agreement)).pending).to.deep.equal([])
    for (const name of ['VU', 'UVA', 'RUG'])
      expect(await market.get(name).stateOf(signed.id), name).to.equal('in-force')
  })

  it('waits for a steward whose key the agent may not use', async () => {
    const uva = await market.withoutSteward('UVA')
    const vu = market.get('VU')
    const { agreement, pending } = await vu.agreements.propose(await vu.signed(aText()))
    expect(pending).to.deep.equal([{ organisation: 'UVA', reason: 'the steward of UVA has not signed yet' }])
    expect(await refusalOf(uva.agreements.signAsSteward(agreement))).to.equal('policy-forbids')
    expect(uva.agreements.inForce()).to.deep.equal([])
    const byHand = await addSignature(agreement, uva.steward)
    expect((await uva.agreements.shown({ agreement: byHand.bytes }, vu.peer)).agreement).not.to.equal(null)
    expect(await uva.stateOf(agreement.id)).to.equal('in-force')
  })

  it('keeps every signature that came, in whatever copies', async () => {
    const vu = market.get('VU')
    const rug = market.get('RUG')
    const bare = await vu.signed(aText())
    const uva = await market.withoutSteward('UVA')
    const byRug = await addSignature(bare, rug.steward)
    const byUva = await addSignature(bare, uva.steward)
    await uva.agreements.shown({ agreement: byRug.bytes }, vu.peer)
    const reply = await uva.agreements.shown({ agreement: byUva.bytes }, vu.peer)
    if (reply.agreement === null) throw new Error('expected it to be signed')
    const merged = await openDocument('agreement', reply.agreement)
    expect(uva.agreements.signedBy(merged)).to.deep.equal(['VU', 'RUG', 'UVA'])
    expect(await uva.stateOf(bare.id)).to.equal('in-force')
  })

  it('is not signed by agents’ keys, nor by another organisation’s steward', async () => {
    const vu = market.get('VU')
    const draft = await vu.agreements.draft(aText())
    expect(vu.agreements.signedBy(draft)).to.deep.equal([])
    const foreign = await addSignature(draft, market.get('SURF').steward)
    expect(vu.agreements.signedBy(foreign)).to.deep.equal([])
    expect(await refusalOf(vu.agreements.propose(foreign))).to.equal('bad-signature')
    expect(
      await refusalOf(market.get('UVA').agreements.shown({ agreement: foreign.bytes }, vu.peer))
    ).to.equal('bad-signature')
  })

  it('names exactly its parties, in their order', async () => {
    const { agreements } = market.get('UVA')
    const from = market.get('VU').peer
    for (const parties of [
      ['VU', 'UVA'],
      ['VU', 'UVA', 'RUG'],
      ['VU', 'RUG', 'UVA', 'SURF'],
      ['RUG', 'UVA', 'VU']
    ]) {
      const shown = agreements.shown({ agreement: (await changed({ parties })).bytes }, from)
      expect(await refusalOf(shown), parties.join()).to.equal('agreement-malformed')
    }
    expect(await agreements.all()).to.deep.equal([])
  })

  it('is of this marketplace', async () => {
    const shown = await changed({ marketplace: '' })
    expect(
      await refusalOf(market.get('UVA').agreements.shown({ agreement: shown.bytes }, market.get('VU').peer))
    ).to.equal('agreement-malformed')
  })

  it('is shown by a party to a party', async () => {
    const signed = await market.get('VU').signed(aText())
    const message = { agreement: signed.bytes }
    expect(await refusalOf(market.get('SURF').agreements.shown(message, market.get('VU').peer))).to.equal(
      'agreement-malformed'
    )
    expect(await refusalOf(market.get('UVA').agreements.shown(message, market.get('SURF').peer))).to.equal(
      'agreement-malformed'
    )
  })

  it('with a byte changed is none', async () => {
    const { bytes } = await market.get('VU').signed(aText())
    const payload = bytes.payload.slice()
    payload[payload.indexOf('r'.charCodeAt(0))] = 's'.charCodeAt(0)
    await rejectionOf(
      market.get('UVA').agreements.shown({ agreement: { ...bytes, payload } }, market.get('VU').peer)
    )
    expect(await market.get('UVA').agreements.all()).to.deep.equal([])
  })

  it('is superseded by the same name again, at every party', async () => {
    const vu = market.get('VU')
    const first = await vu.agreements.propose(await vu.signed(aText()))
    market.clock.at += 1000
    const second = await vu.agreements.propose(await vu.signed(aText('policy')))
    expect(second.agreement.payload.supersedes).to.equal(first.agreement.id)
    for (const name of ['VU', 'UVA', 'RUG']) {
      const office = market.get(name)
      expect(
        office.agreements.inForce().map((one) => one.id),
        name
      ).to.deep.equal([second.agreement.id])
      expect(await office.stateOf(first.agreement.id), name).to.equal('superseded')
    }
  })

  it('supersedes also when both were made in one millisecond', async () => {
    const vu = market.get('VU')
    await vu.agreements.propose(await vu.signed(aText()))
    const second = await vu.agreements.propose(await vu.signed(aText('policy')))
    expect(vu.agreements.inForce().map((one) => one.id)).to.deep.equal([second.agreement.id])
  })

  it('of an older version does not come back', async () => {
    const vu = market.get('VU')
    const first = await vu.agreements.propose(await vu.signed(aText()))
    market.clock.at += 1000
    const second = await vu.agreements.propose(await vu.signed(aText('policy')))
    const uva = market.get('UVA')
    const again = uva.agreements.shown({ agreement: first.agreement.bytes }, vu.peer)
    expect(await refusalOf(again)).to.equal('document-expired')
    expect(await refusalOf(vu.agreements.propose(first.agreement))).to.equal('document-expired')
    expect(uva.agreements.inForce().map((one) => one.id)).to.deep.equal([second.agreement.id])
  })

  it('is put in force once, however often it is shown', async () => {
    const vu = market.get('VU')
    const { agreement } = await vu.agreements.propose(await vu.signed(aText()))
    const uva = market.get('UVA')
    await uva.agreements.shown({ agreement: agreement.bytes }, vu.peer)
    await vu.agreements.propose(agreement)
    expect([vu.enforced, uva.enforced]).to.deep.equal([1, 1])
  })

  it('is in force again after a restart', async () => {
    const vu = market.get('VU')
    const { agreement } = await vu.agreements.propose(await vu.signed(aText()))
    await vu.agreements.open()
    expect(vu.agreements.get(agreement.id)?.signers).to.have.length(4)
  })

  describe('that anonymises', () => {
    const anonymising = (clause: string) => `${aText()}anonymize: ${clause}\n`
    const findings = (clause: string, files?: Record<string, string>) => {
      const { agreements } = market.get('VU')
      return agreements
        .check(agreements.parse(anonymising(clause), files))
        .map(({ level, clause: at, line, message }) => `${level} ${at}:${line}: ${message}`)
    }

    it('is told before it is signed that a column cannot become that', async () => {
      const [found] = findings('{generalise: {WAGE: 10}}')
      expect(found).to.match(
        /^error anonymize\.generalise\.WAGE:11: .*a bin width needs a number, it is VARCHAR/
      )
      const { agreements } = market.get('VU')
      expect(await refusalOf(agreements.draft(anonymising('{generalise: {wage: 10}}')))).to.equal(
        'agreement-malformed'
      )
    })

    it('is told that its values are too many to be shown to the other parties', async () => {
      const long = Array.from({ length: 4000 }, (_, index) => `${index}-${'é'.repeat(25)},${'y'.repeat(20)}`)
      const clause = '{generalise: {sex: {hierarchy: sex.csv}}}'
      expect(findings(clause, { 'sex.csv': long.join('\n') })[0]).to.match(
        /expected terms of at most 245760 bytes/
      )
      expect(findings(clause, { 'sex.csv': long.slice(0, 3000).join('\n') })).to.deep.equal([])
    })

    it('is warned of where k counts rows', () => {
      expect(findings('{generalise: {wage: {prefix: 1}}, k: 3}').join()).to.match(
        /^warning anonymize\.k:11: table "person" has no subject/
      )
    })

    it('holds what its hierarchy file held when it was made', async () => {
      const clause = '{generalise: {sex: {hierarchy: sex.csv}}}'
      const files = { 'sex.csv': 'M,person\nF,person\n' }
      expect(findings(clause, files)).to.deep.equal([])
      const { payload } = await market.get('VU').agreements.draft(anonymising(clause), files)
      expect(payload.terms.anonymize?.generalise.sex).to.deep.include({
        values: { M: 'person', F: 'person' }
      })
      expect(() => findings(clause)).to.throw('sex.csv')
    })
  })
})
