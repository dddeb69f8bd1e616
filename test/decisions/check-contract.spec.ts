import { expect } from 'chai'
import { compose, composeChain } from '../../agent/composition/index.ts'
import { checkContract } from '../../agent/decisions/check-contract.ts'
import { writeContract } from '../../agent/requests/write-contract.ts'
import {
  openSection,
  type Payload,
  type RefusalCode,
  type Section,
  sections as sectionsSchema
} from '../../protocol/documents/index.ts'
import {
  type Agent,
  agreementIdOf,
  answersOf,
  aRequest,
  archetypes,
  compositionOf,
  computeToData,
  HOLDERS,
  manifests,
  NOW,
  type OfferSpec,
  PARAMETERS,
  ROW,
  RUG,
  SARA,
  SQL,
  SURF,
  TERMS,
  TUD,
  UVA,
  VU
} from '../composition/market.ts'

type Facts = Parameters<typeof checkContract>[0]
type Contract = Payload<'contract'>
type DataSection = Extract<Section, { as: 'data' }>
type OtherSection = Exclude<Section, { as: 'data' }>

const QUERY = { sql: SQL, parameters: PARAMETERS }
const OTHER_ID = agreementIdOf('other')

interface Case {
  archetype?: 'computeToData' | 'dataThroughTtp'
  specs?: Partial<Record<string, OfferSpec>>
  request?: Parameters<typeof aRequest>[0]
  recipient?: Agent
}

/** What a contract is, and what `self` would check of it. */
async function factsOf(
  self: Agent,
  { archetype = 'dataThroughTtp', specs = {}, request, recipient = UVA }: Case = {}
) {
  const dossier = await aRequest(request)
  const agents = [...HOLDERS, SURF, SARA]
  const answers = await answersOf(
    dossier,
    agents.map((agent) => [agent, specs[agent.organisation] ?? {}] as const)
  )
  const row = archetype === 'computeToData' ? ROW.atData : ROW.surf
  const only = new Map(archetypes)
  only.delete(archetype === 'computeToData' ? 'dataThroughTtp' : 'computeToData')
  const { plan, refusals } = compose(
    compositionOf(dossier, answers, {
      archetypes: only,
      recipient: { peer: recipient.peer, organisation: recipient.organisation }
    })
  )
  if (plan?.row !== row) throw new Error(`no plan: ${JSON.stringify(refusals)}`)
  const { contract, sections } = await writeContract(
    { plan, dossier, epoch: 1, sandbox: 'bubblewrap' },
    UVA.speaker
  )
  const party = contract.payload.parties.find((one) => one.peer === self.peer)
  const section = sections.get(self.peer)
  if (party === undefined || section === undefined) throw new Error(`${self.organisation} is no party`)
  const answer = answers.find((one) => one.offer.id === party.offer)
  const facts: Facts = {
    self: { peer: self.peer, organisation: self.organisation, sandbox: 'bubblewrap' },
    contract: structuredClone(contract.payload),
    sections: await openSection(section, party.section, sectionsSchema),
    request: dossier.request.payload,
    offer: answer?.details == null ? null : { payload: answer.offer.payload, details: answer.details },
    query: party.roles.includes('data') ? QUERY : null,
    archetypes,
    services: manifests.services,
    now: NOW
  }
  return facts
}

const codeOf = (facts: Facts): RefusalCode | 'accepted' => checkContract(facts)?.code ?? 'accepted'

const RECIPIENT_ANYWHERE: Partial<Record<string, OfferSpec>> = Object.fromEntries(
  HOLDERS.map(({ organisation }) => [
    organisation,
    { rows: Object.fromEntries([0, 1, 2].map((row) => [row, { terms: { recipients: '*' as const } }])) }
  ])
)

describe('a contract as it was offered', () => {
  for (const archetype of ['computeToData', 'dataThroughTtp'] as const) {
    const parties = archetype === 'computeToData' ? [VU, RUG, TUD, UVA] : [VU, RUG, TUD, SURF, UVA]
    for (const self of parties) {
      it(`is accepted: ${archetype}, at ${self.organisation}`, async () => {
        expect(codeOf(await factsOf(self, { archetype }))).to.equal('accepted')
      })
    }
  }

  it('is accepted with results that stay apart', async () => {
    const request = { options: { aggregate: false, anonymize: false, graph: false } }
    for (const archetype of ['computeToData', 'dataThroughTtp'] as const)
      for (const self of archetype === 'computeToData' ? [VU, UVA] : [VU, SURF, UVA])
        expect(codeOf(await factsOf(self, { archetype, request })), self.organisation).to.equal('accepted')
  })

  it('is accepted with a picture, at each party, also specified', async () => {
    const request = { options: { aggregate: true, anonymize: false, graph: true } }
    for (const archetype of ['computeToData', 'dataThroughTtp'] as const)
      for (const self of archetype === 'computeToData' ? [VU, UVA] : [VU, SURF, UVA])
        expect(codeOf(await factsOf(self, { archetype, request })), self.organisation).to.equal('accepted')
    const facts = await factsOf(UVA, { request })
    const specified = (graph: string) => ({
      ...facts,
      sections: facts.sections.map((one) => (one.as === 'recipient' ? { ...one, graph } : one))
    })
    expect(codeOf(specified('{"mark":"bar"}'))).to.equal('accepted')
    expect(codeOf(specified('{"mark":"bar","data":{"url":"http://x"}}'))).to.equal('graph-specification')
    expect(codeOf(specified('mark: bar'))).to.equal('graph-specification')
  })

  it('is declined with a picture that nobody asked for', async () => {
    const facts = await factsOf(UVA)
    const sections = facts.sections.map((one) =>
      one.as === 'recipient' ? { ...one, graph: '{"mark":"bar"}' } : one
    )
    expect(codeOf({ ...facts, sections })).to.equal('contract-invalid')
    const graph = { step: facts.contract.chain.length, service: 'graph', at: UVA.peer }
    expect(
      codeOf({ ...facts, contract: { ...facts.contract, chain: [...facts.contract.chain, graph] } })
    ).to.equal('contract-invalid')
  })

  it('is accepted where an agreement, or the asker, has data anonymised', async () => {
    const required = { rows: { [ROW.surf]: { services: ['anonymize'] } } }
    expect(codeOf(await factsOf(VU, { specs: { VU: required } }))).to.equal('accepted')
    expect(codeOf(await factsOf(RUG, { specs: { VU: required } }))).to.equal('accepted')
    const request = { options: { aggregate: true, anonymize: true, graph: false } }
    for (const self of [VU, SURF, UVA])
      expect(codeOf(await factsOf(self, { request })), self.organisation).to.equal('accepted')
  })

  it('is accepted when another than the asker takes the result', async () => {
    const request = { recipients: ['SARA'] }
    const specs = { ...RECIPIENT_ANYWHERE, SARA: { as: ['infrastructure', 'recipient'] } satisfies OfferSpec }
    for (const self of [VU, SURF, SARA])
      expect(codeOf(await factsOf(self, { request, specs, recipient: SARA })), self.organisation).to.equal(
        'accepted'
      )
  })

  it('is accepted by a compute provider that takes the result itself', async () => {
    const request = { recipients: ['SURF'] }
    const specs = { ...RECIPIENT_ANYWHERE, SURF: { as: ['infrastructure', 'recipient'] } satisfies OfferSpec }
    expect(codeOf(await factsOf(SURF, { request, specs, recipient: SURF }))).to.equal('accepted')
  })

  it('is accepted with fewer providers than were asked, a shorter deadline, or stricter terms', async () => {
    const rows = Object.fromEntries([0, 1, 2].map((row) => [row, { refuse: 'busy' as const }]))
    expect(codeOf(await factsOf(VU, { specs: { TUD: { rows } } }))).to.equal('accepted')
    const facts = await factsOf(VU)
    const { contract } = facts
    const stricter = { ...TERMS, maxRows: 10, forbid: ['drawing'], until: facts.now + 1 }
    expect(codeOf({ ...facts, contract: { ...contract, deadline: 1 } })).to.equal('accepted')
    expect(codeOf({ ...facts, contract: { ...contract, terms: stricter } })).to.equal('accepted')
  })

  it('is refused when it is not within its own terms', async () => {
    const outside: [Partial<typeof TERMS>, string][] = [
      [{ recipients: [] }, 'recipient-not-permitted'],
      [{ purposes: ['marketing'] }, 'purpose-not-permitted'],
      [{ until: 5 }, 'agreement-expired'],
      [{ services: ['encrypt'] }, 'service-required'],
      [{ forbid: ['query'] }, 'service-forbidden']
    ]
    for (const self of [SURF, UVA]) {
      const facts = await factsOf(self)
      for (const [change, code] of outside) {
        const terms = { ...facts.contract.terms, ...change }
        expect(codeOf({ ...facts, contract: { ...facts.contract, terms } }), self.organisation).to.equal(code)
      }
    }
  })
})

const partyOf = (contract: Contract, agent: Agent): Contract['parties'][number] => {
  const party = contract.parties.find((one) => one.peer === agent.peer)
  if (party === undefined) throw new Error(`${agent.organisation} is no party`)
  return party
}
const stranger = (roles: Contract['parties'][number]['roles']): Contract['parties'][number] => ({
  peer: SARA.peer,
  organisation: 'SARA',
  roles,
  offer: null,
  sandbox: 'bubblewrap',
  section: OTHER_ID
})

type Change = (contract: Contract) => void
/** One thing changed in a contract over VU, RUG, TUD and SURF; what VU says. */
const CHANGES: readonly (readonly [string, RefusalCode, Change])[] = [
  [
    'header: another marketplace',
    'contract-differs-from-offer',
    (one) => {
      one.marketplace = OTHER_ID
    }
  ],
  [
    'header: another issuer',
    'contract-differs-from-offer',
    (one) => {
      one.issuer = SARA.peer
    }
  ],
  [
    'header: another organisation',
    'contract-differs-from-offer',
    (one) => {
      one.organisation = 'RUG'
    }
  ],
  [
    'header: another user',
    'contract-differs-from-offer',
    (one) => {
      one.user.name = 'somebody'
    }
  ],
  [
    'header: a user of another organisation',
    'contract-differs-from-offer',
    (one) => {
      one.user.organisation = 'RUG'
    }
  ],
  [
    'header: another purpose',
    'contract-differs-from-offer',
    (one) => {
      one.purpose = 'marketing'
    }
  ],
  [
    'header: another dataset',
    'contract-differs-from-offer',
    (one) => {
      one.datasets = ['salaries']
    }
  ],
  [
    'header: a further dataset',
    'contract-differs-from-offer',
    (one) => {
      one.datasets.push('salaries')
    }
  ],
  [
    'header: another algorithm',
    'contract-differs-from-offer',
    (one) => {
      one.algorithm = 'table'
    }
  ],
  [
    'header: a further recipient',
    'contract-differs-from-offer',
    (one) => {
      one.recipients.push('SARA')
    }
  ],
  [
    'header: a longer deadline',
    'contract-differs-from-offer',
    (one) => {
      one.deadline += 1
    }
  ],
  [
    'archetype: one nobody knows',
    'archetype-unknown',
    (one) => {
      one.archetype.name = 'swarm'
    }
  ],
  [
    'archetype: other steps under a known name',
    'archetype-differs',
    (one) => {
      one.archetype.steps.shift()
    }
  ],
  [
    'archetype: a step that is asked is required',
    'archetype-differs',
    (one) => {
      one.archetype.steps[1] = { service: 'anonymize', at: 'data', when: 'asked' }
    }
  ],
  [
    'archetype: other conditions',
    'archetype-differs',
    (one) => {
      one.archetype.where = []
    }
  ],
  [
    'archetype: other roles',
    'archetype-differs',
    (one) => {
      one.archetype.roles.infrastructure = 'many'
    }
  ],
  [
    'archetype: another output',
    'archetype-differs',
    (one) => {
      one.archetype.output.to = 'infrastructure'
    }
  ],
  [
    'archetype: the other one, same parties',
    'contract-invalid',
    (one) => {
      one.archetype = structuredClone(computeToData)
    }
  ],
  [
    'parties: this agent left out',
    'contract-invalid',
    (one) => {
      one.parties = one.parties.filter((party) => party.peer !== VU.peer)
    }
  ],
  [
    'parties: this agent under another name',
    'contract-invalid',
    (one) => {
      partyOf(one, VU).organisation = 'RUG'
    }
  ],
  [
    'parties: this agent with another sandbox',
    'contract-differs-from-offer',
    (one) => {
      partyOf(one, VU).sandbox = 'none'
    }
  ],
  [
    'parties: this agent without its offer',
    'contract-invalid',
    (one) => {
      partyOf(one, VU).offer = null
    }
  ],
  [
    'parties: this agent with a further role',
    'contract-invalid',
    (one) => {
      partyOf(one, VU).roles.push('infrastructure')
    }
  ],
  [
    'parties: this agent takes the result',
    'contract-invalid',
    (one) => {
      partyOf(one, VU).roles.push('recipient')
    }
  ],
  [
    'parties: no recipient',
    'contract-invalid',
    (one) => {
      partyOf(one, UVA).roles = ['infrastructure']
    }
  ],
  [
    'parties: a second recipient',
    'contract-invalid',
    (one) => {
      one.parties.push(stranger(['recipient']))
    }
  ],
  [
    'parties: a recipient nobody asked for',
    'contract-differs-from-offer',
    (one) => {
      partyOf(one, UVA).organisation = 'SARA'
    }
  ],
  [
    'parties: a data provider nobody asked',
    'contract-differs-from-offer',
    (one) => {
      one.parties.push(stranger(['data']))
    }
  ],
  [
    'parties: no compute provider',
    'contract-invalid',
    (one) => {
      one.parties = one.parties.filter((party) => party.peer !== SURF.peer)
    }
  ],
  [
    'parties: a second compute provider',
    'contract-invalid',
    (one) => {
      one.parties.push(stranger(['infrastructure']))
    }
  ],
  [
    'parties: a compute provider nobody asked for',
    'contract-differs-from-offer',
    (one) => {
      partyOf(one, SURF).peer = TUD.peer.replace(/...$/, 'abc')
    }
  ],
  [
    'parties: another compute provider of the rows',
    'contract-invalid',
    (one) => {
      partyOf(one, SURF).peer = SARA.peer
    }
  ],
  [
    'parties: one data provider fewer, steps and flows as before',
    'contract-invalid',
    (one) => {
      one.parties = one.parties.filter((party) => party.peer !== TUD.peer)
    }
  ],
  [
    'parties: this agent twice',
    'contract-invalid',
    (one) => {
      one.parties.push(structuredClone(partyOf(one, VU)))
    }
  ],
  [
    'parties: a role twice',
    'contract-invalid',
    (one) => {
      partyOf(one, RUG).roles.push('data')
    }
  ],
  [
    'parties: one of them twice',
    'contract-invalid',
    (one) => {
      one.parties.push(structuredClone(partyOf(one, SURF)))
    }
  ],
  [
    'chain: a step more',
    'contract-invalid',
    (one) => {
      one.chain.push({ step: one.chain.length, service: 'algorithm', at: SURF.peer })
    }
  ],
  [
    'chain: a step fewer',
    'contract-invalid',
    (one) => {
      one.chain.pop()
    }
  ],
  [
    'chain: a step elsewhere',
    'contract-invalid',
    (one) => {
      for (const step of one.chain) if (step.service === 'aggregate') step.at = SARA.peer
    }
  ],
  [
    'chain: another service',
    'contract-invalid',
    (one) => {
      for (const step of one.chain) if (step.service === 'aggregate') step.service = 'table'
    }
  ],
  [
    'chain: other numbers',
    'contract-invalid',
    (one) => {
      for (const step of one.chain) step.step += 1
    }
  ],
  [
    'chain: another order',
    'contract-invalid',
    (one) => {
      one.chain.reverse()
    }
  ],
  [
    'flows: one more, to somebody else',
    'contract-invalid',
    (one) => {
      one.flows.push({ flow: one.flows.length, from: VU.peer, to: SARA.peer, step: 0 })
    }
  ],
  [
    'flows: one fewer',
    'contract-invalid',
    (one) => {
      one.flows.pop()
    }
  ],
  [
    'flows: rows past the compute provider',
    'contract-invalid',
    (one) => {
      for (const flow of one.flows) if (flow.from === VU.peer) flow.to = UVA.peer
    }
  ],
  [
    'flows: rows of an earlier step',
    'contract-invalid',
    (one) => {
      for (const flow of one.flows) if (flow.from === SURF.peer) flow.step = 0
    }
  ],
  [
    'flows: other numbers',
    'contract-invalid',
    (one) => {
      for (const flow of one.flows) flow.flow += 1
    }
  ],
  [
    'flows: from somebody else',
    'contract-invalid',
    (one) => {
      for (const flow of one.flows) if (flow.from === VU.peer) flow.from = RUG.peer
    }
  ],
  [
    'terms: for more recipients',
    'contract-differs-from-offer',
    (one) => {
      one.terms.recipients = ['UVA', 'SARA']
    }
  ],
  [
    'terms: for anyone',
    'contract-differs-from-offer',
    (one) => {
      one.terms.recipients = '*'
    }
  ],
  [
    'terms: for more purposes',
    'contract-differs-from-offer',
    (one) => {
      one.terms.purposes = '*'
    }
  ],
  [
    'terms: without an end',
    'contract-differs-from-offer',
    (one) => {
      one.terms.until = null
    }
  ],
  [
    'terms: until later',
    'contract-differs-from-offer',
    (one) => {
      one.terms.until = 9e12
    }
  ],
  [
    'terms: fewer required services',
    'contract-differs-from-offer',
    (one) => {
      one.terms.services = []
    }
  ],
  [
    'terms: fewer forbidden services',
    'contract-differs-from-offer',
    (one) => {
      one.terms.forbid = []
    }
  ],
  [
    'terms: more rows',
    'contract-differs-from-offer',
    (one) => {
      one.terms.maxRows = 1001
    }
  ],
  [
    'terms: without a limit of rows',
    'contract-differs-from-offer',
    (one) => {
      one.terms.maxRows = null
    }
  ]
]

const STRICT = { rows: { [ROW.surf]: { terms: { until: 8e12, services: ['query'], forbid: ['graph'] } } } }

describe('a contract in which one thing was changed is declined by a data provider', () => {
  for (const [what, code, change] of CHANGES) {
    it(what, async () => {
      const facts = await factsOf(VU, { specs: { VU: STRICT } })
      expect(codeOf(facts), 'as it was').to.equal('accepted')
      change(facts.contract)
      expect(codeOf(facts)).to.equal(code)
    })
  }

  it('other rows than the one that was permitted here', async () => {
    const facts = await factsOf(VU)
    if (facts.offer === null) throw new Error('VU made an offer')
    const rows = facts.offer.payload.rows.map((one) =>
      one.row === ROW.surf
        ? {
            row: one.row,
            verdict: 'refuse' as const,
            refusal: { code: 'busy' as const, clause: null, reason: '', acceptable: null, position: null }
          }
        : one
    )
    const offer = { ...facts.offer, payload: { ...facts.offer.payload, rows } }
    expect(codeOf({ ...facts, offer })).to.equal('contract-differs-from-offer')
    expect(codeOf({ ...facts, offer: null })).to.equal('contract-differs-from-offer')
  })

  it('that names it twice, with a chain to match', async () => {
    const facts = await factsOf(VU)
    const { contract, services } = facts
    contract.parties.push(structuredClone(partyOf(contract, VU)))
    const chain = composeChain({
      archetype: contract.archetype,
      services,
      data: [VU, RUG, TUD, VU].map(({ peer }) => ({ peer, required: [] })),
      infrastructure: SURF.peer,
      recipient: UVA.peer,
      union: true,
      asked: []
    })
    if ('problem' in chain) throw new Error(chain.problem)
    contract.chain = chain.steps
    contract.flows = chain.flows
    expect(codeOf(facts)).to.equal('contract-invalid')
  })

  it('that is over, or from the future', async () => {
    const facts = await factsOf(VU)
    const { expires, issuedAt } = facts.contract
    expect(codeOf({ ...facts, now: expires - 1 })).to.equal('accepted')
    expect(codeOf({ ...facts, now: expires })).to.equal('document-expired')
    expect(codeOf({ ...facts, now: issuedAt - 120_000 })).to.equal('accepted')
    expect(codeOf({ ...facts, now: issuedAt - 120_001 })).to.equal('clock-skew')
  })

  it('without the service that was required here', async () => {
    const facts = await factsOf(VU)
    if (facts.offer === null) throw new Error('VU made an offer')
    const rows = facts.offer.payload.rows.map((one) =>
      one.verdict === 'permit' ? { ...one, services: ['anonymize'] } : one
    )
    const offer = { ...facts.offer, payload: { ...facts.offer.payload, rows } }
    expect(codeOf({ ...facts, offer })).to.equal('service-required')
  })
})

describe('sections in which one thing was changed are declined', () => {
  const data = async (
    change: (section: DataSection) => void,
    archetype: Case['archetype'] = 'dataThroughTtp'
  ) => {
    const facts = await factsOf(VU, { archetype })
    const sections = structuredClone(facts.sections).map((one) => {
      if (one.as === 'data') change(one)
      return one
    })
    return codeOf({ ...facts, sections })
  }
  const other = async (
    self: Agent,
    change: (section: OtherSection) => void,
    archetype: Case['archetype'] = 'dataThroughTtp'
  ) => {
    const facts = await factsOf(self, { archetype })
    const sections = structuredClone(facts.sections).map((one) => {
      if (one.as !== 'data') change(one)
      return one
    })
    return codeOf({ ...facts, sections })
  }

  it('by a data provider: another query, other parameters', async () => {
    expect(
      await data((one) => {
        one.query.sql += ' WHERE true'
      })
    ).to.equal('contract-differs-from-offer')
    expect(
      await data((one) => {
        one.query.parameters = { value: 'age' }
      })
    ).to.equal('contract-differs-from-offer')
    expect(codeOf({ ...(await factsOf(VU)), query: null })).to.equal('contract-differs-from-offer')
  })

  it('by a data provider: another agreement', async () => {
    expect(
      await data((one) => {
        one.agreements = [{ dataset: 'wageGap', agreement: OTHER_ID }]
      })
    ).to.equal('contract-differs-from-offer')
    expect(
      await data((one) => {
        one.agreements = [{ dataset: 'wageGap', agreement: agreementIdOf('RUG') }]
      })
    ).to.equal('contract-differs-from-offer')
    expect(
      await data((one) => {
        one.agreements = one.agreements.map(({ agreement }) => ({ dataset: 'other', agreement }))
      }),
      'about another dataset'
    ).to.equal('contract-differs-from-offer')
    expect(
      await data((one) => {
        one.agreements = [...one.agreements, ...one.agreements]
      }),
      'and one more'
    ).to.equal('contract-differs-from-offer')
  })

  it('by a data provider: the algorithm in another phase', async () => {
    for (const phase of ['complete', 'partial'] as const)
      expect(
        await data((one) => {
          one.algorithm = phase
        }),
        phase
      ).to.equal('contract-invalid')
    for (const phase of [null, 'complete'] as const)
      expect(
        await data((one) => {
          one.algorithm = phase
        }, 'computeToData'),
        `${phase}`
      ).to.equal('contract-invalid')
  })

  it('by a compute provider: the algorithm in another phase', async () => {
    for (const phase of [null, 'partial'] as const)
      expect(
        await other(SURF, (one) => {
          if (one.as === 'infrastructure') one.algorithm = phase
        }),
        `${phase}`
      ).to.equal('contract-invalid')
  })

  it('by a compute provider and a recipient: put together otherwise', async () => {
    for (const self of [SURF, UVA])
      expect(
        await other(self, (one) => {
          one.union = false
        }),
        self.organisation
      ).to.equal('contract-invalid')
    expect(
      await other(UVA, (one) => {
        if (one.as === 'recipient') one.merge = true
      })
    ).to.equal('contract-invalid')
    expect(
      await other(
        UVA,
        (one) => {
          if (one.as === 'recipient') one.merge = false
        },
        'computeToData'
      )
    ).to.equal('contract-invalid')
  })

  it('by a compute provider and a recipient: inputs that are no flows to it', async () => {
    for (const self of [SURF, UVA]) {
      expect(
        await other(self, (one) => {
          one.inputs.pop()
        }),
        self.organisation
      ).to.equal('contract-invalid')
      expect(
        await other(self, (one) => {
          for (const input of one.inputs) input.flow += 1
        }),
        self.organisation
      ).to.equal('contract-invalid')
      expect(
        await other(self, (one) => {
          one.inputs.push({ flow: 0, organisations: ['VU'], columns: [] })
        }),
        self.organisation
      ).to.equal('contract-invalid')
    }
  })

  it('by a compute provider and a recipient: rows under the name of others', async () => {
    for (const self of [SURF, UVA]) {
      const renamed = await other(self, (one) => {
        for (const input of one.inputs) input.organisations = ['RUG']
      })
      expect(renamed, self.organisation).to.equal('contract-invalid')
    }
  })

  it('by everyone: a section of another role, or none', async () => {
    const recipient = (await factsOf(UVA)).sections
    for (const self of [VU, SURF]) {
      const facts = await factsOf(self)
      expect(codeOf({ ...facts, sections: recipient }), self.organisation).to.equal('contract-invalid')
      expect(codeOf({ ...facts, sections: [] }), self.organisation).to.equal('contract-invalid')
      expect(codeOf({ ...facts, sections: [...facts.sections, ...recipient] })).to.equal('contract-invalid')
    }
  })
})

describe('a compute provider declines', () => {
  it('a place that rests on no offer', async () => {
    const facts = await factsOf(SURF)
    partyOf(facts.contract, SURF).offer = null
    expect(codeOf({ ...facts, offer: null })).to.equal('contract-invalid')
  })

  it('a row that it refused', async () => {
    const facts = await factsOf(SURF)
    expect(codeOf({ ...facts, offer: null })).to.equal('contract-differs-from-offer')
  })

  it('a sandbox that is not its own', async () => {
    const facts = await factsOf(SURF)
    expect(codeOf({ ...facts, self: { ...facts.self, sandbox: 'none' } })).to.equal(
      'contract-differs-from-offer'
    )
  })
})

describe('a recipient that did not ask', () => {
  it('declines a place that rests on no offer of its own', async () => {
    const request = { recipients: ['SARA'] }
    const specs = { ...RECIPIENT_ANYWHERE, SARA: { as: ['infrastructure', 'recipient'] } satisfies OfferSpec }
    const facts = await factsOf(SARA, { request, specs, recipient: SARA })
    partyOf(facts.contract, SARA).offer = null
    expect(codeOf({ ...facts, offer: null })).to.equal('contract-invalid')
  })
})
