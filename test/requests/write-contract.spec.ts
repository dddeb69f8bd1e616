import { expect } from 'chai'
import fc from 'fast-check'
import { compose } from '../../agent/composition/index.ts'
import { checkContract } from '../../agent/decisions/check-contract.ts'
import type { Composed, Dossier } from '../../agent/negotiation/index.ts'
import { latestOffer } from '../../agent/requests/answers.ts'
import { writeContract } from '../../agent/requests/write-contract.ts'
import {
  encodePlain,
  openSection,
  type Section,
  sectionDigest,
  sections as sectionsSchema
} from '../../protocol/documents/index.ts'
import {
  type Agent,
  agreementIdOf,
  anAgent,
  anOffer,
  answersOf,
  aRequest,
  archetypes,
  compositionOf,
  HOLDERS,
  manifests,
  NOW,
  PARAMETERS,
  ROW,
  RUG,
  SARA,
  SQL,
  SURF,
  TUD,
  UVA,
  VU
} from '../composition/market.ts'

const APART = { aggregate: false, anonymize: false, graph: false }
const TOGETHER = { aggregate: true, anonymize: false, graph: false }
const ANYONE = Object.fromEntries([0, 1, 2].map((row) => [row, { terms: { recipients: '*' as const } }]))
/** Names that would not be the same by accident. */
const columnOf = (agent: Agent): string => `only-at-${agent.organisation}`
const estimateOf = (agent: Agent): number => 1_234_567 + HOLDERS.indexOf(agent)

interface Written {
  dossier: Dossier
  composed: Composed
  sections: Map<string, Section[]>
}

interface Case {
  atData?: boolean
  options?: typeof APART
  recipient?: Agent
  columns?: (agent: Agent) => { name: string; type: string }[]
  epoch?: number
}

async function written({
  atData = false,
  options = TOGETHER,
  recipient = UVA,
  columns,
  epoch = 1
}: Case = {}): Promise<Written> {
  const dossier = await aRequest({ options, recipients: [recipient.organisation] })
  const takes = recipient === UVA ? [] : (['recipient'] as const)
  const answers = await answersOf(
    dossier,
    [...HOLDERS, SURF, SARA].map((agent) => {
      const holds = HOLDERS.includes(agent)
      const as: ('data' | 'infrastructure' | 'recipient')[] = [holds ? 'data' : 'infrastructure']
      if (agent === recipient) as.push(...takes)
      const estimates = holds ? { bytes: estimateOf(agent) } : {}
      return [
        agent,
        { as, rows: ANYONE, estimates, ...(columns === undefined ? {} : { columns: columns(agent) }) }
      ]
    })
  )
  const { plan } = compose(
    compositionOf(dossier, answers, {
      recipient: { peer: recipient.peer, organisation: recipient.organisation },
      archetypes: new Map([...archetypes].filter(([name]) => (name === 'computeToData') === atData))
    })
  )
  if (plan === null) throw new Error('expected a plan')
  const composed = await writeContract({ plan, dossier, epoch, sandbox: 'bubblewrap' }, UVA.speaker)
  const sections = new Map<string, Section[]>()
  for (const { peer, section: digest } of composed.contract.payload.parties) {
    const section = composed.sections.get(peer)
    if (section === undefined) throw new Error(`no section for ${peer}`)
    sections.set(peer, await openSection(section, digest, sectionsSchema))
  }
  return { dossier, composed, sections }
}

/** The bytes that one reader gets, as text to search in. */
const readBy = ({ composed }: Written, agent: Agent): string =>
  Buffer.from(composed.sections.get(agent.peer)?.content ?? []).toString('latin1')
const header = ({ composed }: Written): string =>
  Buffer.from(composed.contract.bytes.payload).toString('latin1')

describe('a contract that is written', () => {
  it('says what was asked, and whose offers it rests on', async () => {
    const { dossier, composed } = await written({ epoch: 2 })
    const { payload, signers } = composed.contract
    const request = dossier.request.payload
    expect(signers).to.deep.equal([UVA.peer])
    expect(payload.request).to.equal(dossier.request.id)
    expect(payload.epoch).to.equal(2)
    for (const field of [
      'organisation',
      'user',
      'purpose',
      'datasets',
      'algorithm',
      'recipients',
      'deadline'
    ] as const)
      expect(payload[field], field).to.deep.equal(request[field])
    expect(payload.expires).to.be.greaterThan(NOW + request.deadline)
    for (const { peer, offer } of payload.parties)
      expect(offer, peer).to.equal(peer === UVA.peer ? null : latestOffer(dossier, peer)?.offer.id)
    expect(payload.parties.map((one) => `${one.organisation}: ${one.roles}`)).to.deep.equal([
      'VU: data',
      'RUG: data',
      'TUD: data',
      'SURF: infrastructure',
      'UVA: recipient'
    ])
  })

  it('has one section for each party, each under the digest that was signed, under a salt of its own', async () => {
    const { composed } = await written()
    const { parties } = composed.contract.payload
    expect([...composed.sections.keys()]).to.have.members(parties.map((one) => one.peer))
    for (const { peer, section: digest } of parties) {
      const section = composed.sections.get(peer)
      expect(section === undefined ? '' : await sectionDigest(section)).to.equal(digest)
    }
    const salts = [...composed.sections.values()].map((one) => Buffer.from(one.salt).toString('hex'))
    expect(new Set(salts).size).to.equal(parties.length)
  })

  it('gives one party with two roles both its sections', async () => {
    const { sections, composed } = await written({ recipient: SURF })
    expect(sections.get(SURF.peer)?.map((one) => one.as)).to.deep.equal(['infrastructure', 'recipient'])
    const party = composed.contract.payload.parties.filter((one) => one.peer === SURF.peer)
    expect(party.map((one) => one.roles)).to.deep.equal([['infrastructure', 'recipient']])
  })

  it('names whose rows each input carries', async () => {
    const inputsOf = async (one: Case, agent: Agent) => {
      const { sections } = await written(one)
      return sections
        .get(agent.peer)
        ?.flatMap((section) =>
          section.as === 'data' ? [] : section.inputs.map((input) => input.organisations)
        )
    }
    const each = [['VU'], ['RUG'], ['TUD']]
    expect(await inputsOf({}, SURF)).to.deep.equal(each)
    expect(await inputsOf({}, UVA)).to.deep.equal([['VU', 'RUG', 'TUD']])
    expect(await inputsOf({ options: APART }, UVA)).to.deep.equal(each)
    expect(await inputsOf({ atData: true }, UVA)).to.deep.equal(each)
  })

  it('rests on the newest offer of a hop', async () => {
    const dossier = await aRequest()
    const first = await anOffer(dossier.request, VU)
    const later = await anOffer(dossier.request, await anAgent('VU', NOW + 5))
    await dossier.holdOffer(later.answer.offer, later.section)
    await dossier.holdOffer(first.answer.offer, first.section)
    expect(latestOffer(dossier, VU.peer)?.offer.id).to.equal(later.answer.offer.id)
    expect(latestOffer(dossier, RUG.peer)).to.equal(undefined)
  })
})

describe('what a party reads of a contract', () => {
  const apart: Case = { options: APART, columns: (agent) => [{ name: columnOf(agent), type: 'BIGINT' }] }

  it('as a data provider: the query and its own agreement, nothing of another', async () => {
    for (const atData of [true, false]) {
      const one = await written({ ...apart, atData })
      for (const agent of HOLDERS) {
        const bytes = readBy(one, agent)
        expect(bytes).to.include(SQL).and.to.include(agreementIdOf(agent.organisation))
        for (const other of HOLDERS.filter((holder) => holder !== agent)) {
          expect(bytes).not.to.include(agreementIdOf(other.organisation))
          expect(bytes).not.to.include(columnOf(other))
          expect(bytes).not.to.include(other.organisation)
        }
      }
    }
  })

  it('as a compute provider: its inputs and the parameters, never the SQL nor an agreement', async () => {
    const one = await written(apart)
    const bytes = readBy(one, SURF)
    expect(bytes).not.to.include(SQL).and.not.to.include('SELECT')
    for (const agent of HOLDERS) {
      expect(bytes).to.include(columnOf(agent))
      expect(bytes).not.to.include(agreementIdOf(agent.organisation))
    }
    const [section] = one.sections.get(SURF.peer) ?? []
    expect(section?.as === 'infrastructure' && section.parameters).to.deep.equal(PARAMETERS)
  })

  it('as a recipient: what arrives, never the SQL, an agreement or a column', async () => {
    for (const recipient of [UVA, SARA]) {
      const bytes = readBy(await written({ ...apart, recipient }), recipient)
      expect(bytes).not.to.include(SQL)
      for (const agent of HOLDERS)
        expect(bytes).not.to.include(agreementIdOf(agent.organisation)).and.not.to.include(columnOf(agent))
    }
  })

  it('as anyone: a header without query, parameters, agreements, columns or estimates', async () => {
    for (const atData of [true, false]) {
      const one = await written({ ...apart, atData })
      const everything = [header(one), ...[...HOLDERS, SURF, UVA].map((agent) => readBy(one, agent))]
      expect(header(one)).not.to.include('SELECT')
      expect(header(one)).not.to.include(Buffer.from(encodePlain(PARAMETERS)).toString('latin1'))
      for (const agent of HOLDERS) {
        expect(header(one))
          .not.to.include(agreementIdOf(agent.organisation))
          .and.not.to.include(columnOf(agent))
        const estimate = Buffer.from(encodePlain(estimateOf(agent))).toString('latin1')
        for (const bytes of everything) expect(bytes).not.to.include(estimate)
      }
    }
  })
})

describe('what is written', () => {
  it('is accepted by every party that checks it', async () => {
    const cases = fc.record({
      atData: fc.boolean(),
      options: fc.record({ aggregate: fc.boolean(), anonymize: fc.boolean(), graph: fc.constant(false) }),
      recipient: fc.constantFrom(UVA, SARA, VU, SURF)
    })
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { dossier, composed, sections } = await written(one)
        for (const party of composed.contract.payload.parties) {
          const held = party.offer === null ? undefined : dossier.offers.get(party.offer)
          const objection = checkContract({
            self: { peer: party.peer, organisation: party.organisation, sandbox: 'bubblewrap' },
            contract: composed.contract.payload,
            sections: sections.get(party.peer) ?? [],
            request: dossier.request.payload,
            offer: held === undefined ? null : { payload: held.offer.payload, details: held.details },
            query: party.roles.includes('data') ? { sql: SQL, parameters: PARAMETERS } : null,
            archetypes,
            services: manifests.services,
            now: NOW
          })
          expect(objection, party.organisation).to.equal(null)
        }
      }),
      { numRuns: 30 }
    )
  })

  it('has the rows of every data provider in it once', async () => {
    const { composed } = await written()
    const from = composed.contract.payload.flows
      .filter((flow) => flow.to === SURF.peer)
      .map((flow) => flow.from)
    expect(from).to.deep.equal([VU, RUG, TUD].map((one) => one.peer))
    expect(ROW.surf).to.equal(1)
  })
})
