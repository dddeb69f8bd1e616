import { expect } from 'chai'
import { compose, composeChain } from '../../agent/composition/index.ts'
import { checkContract } from '../../agent/decisions/check-contract.ts'
import { writeContract } from '../../agent/requests/write-contract.ts'
import {
  openSection,
  type Payload,
  type Section,
  sections as sectionsSchema
} from '../../protocol/documents/index.ts'
import {
  type Agent,
  answersOf,
  aRequest,
  archetypes,
  compositionOf,
  HOLDERS,
  manifests,
  NOW,
  PARAMETERS,
  ROW,
  SARA,
  SQL,
  SURF,
  UVA,
  VU
} from '../composition/market.ts'

type Facts = Parameters<typeof checkContract>[0]
type Contract = Payload<'contract'>

/** What SURF computes is computed again at SARA; what `self` would check of that contract. */
async function factsOf(self: Agent, aggregate = true): Promise<Facts> {
  const options = { aggregate, anonymize: false, graph: true }
  const dossier = await aRequest({ verify: SARA.peer, options })
  const answers = await answersOf(
    dossier,
    [...HOLDERS, SURF, SARA].map((agent) => [agent] as const)
  )
  const { plan, refusals } = compose(compositionOf(dossier, answers))
  if (plan?.row !== ROW.surf) throw new Error(`no plan: ${JSON.stringify(refusals)}`)
  const { contract, sections } = await writeContract(
    { plan, dossier, epoch: 1, sandbox: 'bubblewrap' },
    UVA.speaker
  )
  const party = contract.payload.parties.find((one) => one.peer === self.peer)
  const section = sections.get(self.peer)
  if (party === undefined || section === undefined) throw new Error(`${self.organisation} is no party`)
  const answer = answers.find((one) => one.offer.id === party.offer)
  return {
    self: { peer: self.peer, organisation: self.organisation, sandbox: 'bubblewrap' },
    contract: structuredClone(contract.payload),
    sections: await openSection(section, party.section, sectionsSchema),
    request: dossier.request.payload,
    offer: answer?.details == null ? null : { payload: answer.offer.payload, details: answer.details },
    query: party.roles.includes('data') ? { sql: SQL, parameters: PARAMETERS } : null,
    archetypes,
    services: manifests.services,
    now: NOW
  }
}

const verdict = (facts: Facts): string => checkContract(facts)?.code ?? 'accepted'

/** The chain that an honest agent would write for other parties. */
function rechained(contract: Contract, verifier: string | undefined): Pick<Contract, 'chain' | 'flows'> {
  const chain = composeChain({
    archetype: contract.archetype,
    services: manifests.services,
    data: HOLDERS.map(({ peer }) => ({ peer, required: [] })),
    infrastructure: SURF.peer,
    verifier,
    recipient: UVA.peer,
    union: true,
    asked: ['graph']
  })
  if ('problem' in chain) throw new Error(chain.problem)
  return { chain: chain.steps, flows: chain.flows }
}

describe('A contract under which steps are run again elsewhere', () => {
  for (const aggregate of [true, false])
    for (const self of [...HOLDERS, SURF, SARA, UVA])
      it(`is accepted by ${self.organisation}, with ${aggregate ? 'one result' : 'a result of each'}`, async () => {
        expect(verdict(await factsOf(self, aggregate))).to.equal('accepted')
      })

  const CHANGES: readonly [string, string, (contract: Contract) => Contract][] = [
    [
      'is run once',
      'contract-differs-from-offer',
      ({ verify: _, ...contract }) => ({
        ...contract,
        ...rechained(contract, undefined),
        parties: contract.parties.filter(({ peer }) => peer !== SARA.peer)
      })
    ],
    [
      'names nobody who runs it again, although the steps are there',
      'contract-differs-from-offer',
      ({ verify: _, ...contract }) => contract
    ],
    [
      'is verified by the one who computes it',
      'contract-differs-from-offer',
      (contract) => ({ ...contract, verify: SURF.peer })
    ],
    [
      'is verified by who receives it',
      'contract-differs-from-offer',
      (contract) => ({ ...contract, verify: UVA.peer })
    ],
    [
      'has the two change places',
      'contract-differs-from-offer',
      (contract) => ({ ...contract, verify: SURF.peer, ...rechained(contract, SARA.peer) })
    ],
    [
      'says that it is verified, and runs it once',
      'contract-invalid',
      (contract) => ({ ...contract, ...rechained(contract, undefined) })
    ],
    [
      'is run again by another agent of who runs it first',
      'contract-invalid',
      (contract) => ({
        ...contract,
        parties: contract.parties.map((party) =>
          party.peer === SARA.peer ? { ...party, organisation: 'SURF' } : party
        )
      })
    ],
    [
      'is run again by another agent of who receives it',
      'contract-invalid',
      (contract) => ({
        ...contract,
        parties: contract.parties.map((party) =>
          party.peer === SARA.peer ? { ...party, organisation: 'UVA' } : party
        )
      })
    ],
    [
      'has no party that runs it again',
      'contract-invalid',
      (contract) => ({ ...contract, parties: contract.parties.filter(({ peer }) => peer !== SARA.peer) })
    ],
    [
      'sends the rows of one provider to the first alone',
      'contract-invalid',
      (contract) => ({
        ...contract,
        flows: contract.flows.filter(({ from, to }) => !(from === VU.peer && to === SARA.peer))
      })
    ],
    [
      'sends what was run again to the one who is verified',
      'contract-invalid',
      (contract) => ({
        ...contract,
        flows: contract.flows.map((flow) => (flow.from === SARA.peer ? { ...flow, to: SURF.peer } : flow))
      })
    ],
    [
      'has a step of it at the first instead',
      'contract-invalid',
      (contract) => ({
        ...contract,
        chain: contract.chain.map((step) => (step.at === SARA.peer ? { ...step, at: SURF.peer } : step))
      })
    ]
  ]
  for (const [what, code, change] of CHANGES)
    it(`is declined by every party where it ${what}`, async () => {
      for (const self of [VU, SURF, UVA]) {
        const facts = await factsOf(self)
        expect(verdict({ ...facts, contract: change(facts.contract) }), self.organisation).to.equal(code)
      }
    })

  const RECIPIENTS: readonly [string, (section: Extract<Section, { as: 'recipient' }>) => Section][] = [
    ['nothing to compare with', ({ again: _, ...section }) => section],
    ['the first result to compare with itself', (section) => ({ ...section, again: section.inputs })],
    [
      'the one that was run again in place of the first',
      (section) => ({ ...section, inputs: section.again ?? [] })
    ]
  ]
  for (const [what, change] of RECIPIENTS)
    it(`is declined by its recipient when it is given ${what}`, async () => {
      const facts = await factsOf(UVA)
      const sections = facts.sections.map((one) => (one.as === 'recipient' ? change(one) : one))
      expect(verdict({ ...facts, sections })).to.equal('contract-invalid')
    })

  it('is declined by a recipient where nothing was to be run again, and something is', async () => {
    const { request, ...facts } = await factsOf(UVA)
    const { verify: _, ...once } = request
    expect(verdict({ ...facts, request: once })).to.equal('contract-differs-from-offer')
  })
})
