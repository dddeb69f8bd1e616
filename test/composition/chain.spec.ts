import { expect } from 'chai'
import fc from 'fast-check'
import {
  type Chain,
  composeChain,
  computesAtData,
  flowsToInfrastructure,
  flowsToRecipient
} from '../../agent/composition/index.ts'
import type { ArchetypeBody } from '../../protocol/documents/index.ts'
import type { ServiceManifest } from '../../services/index.ts'
import { wrongWith } from './chain-checker.ts'
import { computeToData, dataThroughTtp, manifests } from './market.ts'

type ChainInput = Parameters<typeof composeChain>[0]

function anInput(overrides: Partial<ChainInput> = {}): ChainInput {
  return {
    archetype: dataThroughTtp,
    services: manifests.services,
    data: ['VU', 'RUG'].map((peer) => ({ peer, required: [] })),
    infrastructure: 'SURF',
    recipient: 'UVA',
    union: true,
    asked: [],
    ...overrides
  }
}

function chainOf(input: ChainInput): Chain {
  const chain = composeChain(input)
  if ('problem' in chain) throw new Error(chain.problem)
  expect(wrongWith(input, chain)).to.deep.equal([])
  return chain
}

function problemOf(input: ChainInput): string {
  const chain = composeChain(input)
  return 'problem' in chain ? chain.problem : `no problem: ${drawn(chain)}`
}

const drawn = (chain: Chain): string => chain.steps.map(({ service, at }) => `${service}@${at}`).join(' ')
const arrows = (chain: Chain): string[] =>
  chain.flows.map(({ from, to, step, flow }) => `${from}→${to} of step ${step}: ${chain.carries[flow]}`)

/** The project's services with one of them changed. */
function servicesWith(name: string, changes: Partial<ServiceManifest>): ChainInput['services'] {
  const services = new Map(manifests.services)
  const known = services.get(name)
  if (known === undefined) throw new Error(`no service ${name}`)
  return services.set(name, { ...known, ...changes })
}

function anArchetype(steps: ArchetypeBody['steps'], changes: Partial<ArchetypeBody> = {}): ArchetypeBody {
  return { ...dataThroughTtp, name: 'invented', steps, ...changes }
}

describe('the chain of a request', () => {
  for (const [archetype, infrastructure] of [
    [computeToData, null],
    [dataThroughTtp, 'SURF']
  ] as const)
    it(`ends in a picture at the recipient when one is asked for: ${archetype.name}`, () => {
      for (const recipient of ['UVA', 'VU', 'SURF']) {
        const chain = chainOf(anInput({ archetype, infrastructure, recipient, asked: ['graph'] }))
        expect(chain.steps.at(-1)).to.deep.equal({
          step: chain.steps.length - 1,
          service: 'graph',
          at: recipient
        })
        expect(chain.steps.filter((step) => step.service === 'graph')).to.have.length(1)
      }
    })

  it('goes through a trusted third party: rows of all to it, one result to the recipient', () => {
    const chain = chainOf(anInput())
    expect(drawn(chain)).to.equal('query@VU query@RUG aggregate@SURF algorithm@SURF')
    expect(arrows(chain)).to.deep.equal([
      'VU→SURF of step 0: VU',
      'RUG→SURF of step 1: RUG',
      'SURF→UVA of step 3: VU,RUG'
    ])
    expect(chain.algorithmAtData).to.equal(false)
  })

  it('brings the algorithm to the data: no row leaves, each result goes to the recipient', () => {
    const chain = chainOf(anInput({ archetype: computeToData, infrastructure: null }))
    expect(drawn(chain)).to.equal('query@VU algorithm@VU query@RUG algorithm@RUG')
    expect(arrows(chain)).to.deep.equal(['VU→UVA of step 1: VU', 'RUG→UVA of step 3: RUG'])
    expect(chain.algorithmAtData).to.equal(true)
  })

  it('puts nothing together for a single provider', () => {
    const one = chainOf(anInput({ data: [{ peer: 'VU', required: [] }], union: false }))
    expect(drawn(one)).to.equal('query@VU algorithm@SURF')
  })

  it('keeps the providers apart where one result each was asked', () => {
    const chain = chainOf(anInput({ union: false }))
    expect(drawn(chain)).to.equal('query@VU query@RUG algorithm@SURF')
    expect(arrows(chain).slice(2)).to.deep.equal(['SURF→UVA of step 2: VU', 'SURF→UVA of step 2: RUG'])
  })

  it('anonymises where an agreement requires it, and there alone', () => {
    const data = [
      { peer: 'VU', required: ['anonymize'] },
      { peer: 'RUG', required: [] }
    ]
    expect(drawn(chainOf(anInput({ data })))).to.equal(
      'query@VU anonymize@VU query@RUG aggregate@SURF algorithm@SURF'
    )
  })

  it('anonymises everywhere when the asker wants it', () => {
    const archetype = computeToData
    const chain = chainOf(anInput({ archetype, infrastructure: null, asked: ['anonymize'] }))
    expect(drawn(chain)).to.equal('query@VU anonymize@VU algorithm@VU query@RUG anonymize@RUG algorithm@RUG')
  })

  it('lets the compute provider be the recipient of what it makes', () => {
    const chain = chainOf(anInput({ recipient: 'SURF' }))
    expect(arrows(chain)).to.deep.equal([
      'VU→SURF of step 0: VU',
      'RUG→SURF of step 1: RUG',
      'SURF→SURF of step 3: VU,RUG'
    ])
    expect(flowsToInfrastructure(chain.flows, 'SURF').map((one) => one.flow)).to.deep.equal([0, 1])
    expect(flowsToRecipient(chain.flows, 'SURF', 'SURF').map((one) => one.flow)).to.deep.equal([2])
  })

  it('counts only rows of data providers as inputs of a compute provider that is the recipient', () => {
    const input = anInput({
      data: [{ peer: 'VU', required: [] }],
      union: false,
      recipient: 'SURF',
      services: servicesWith('algorithm', { inputs: { min: 1, max: 1 } })
    })
    expect(drawn(chainOf(input))).to.equal('query@VU algorithm@SURF')
  })

  it('lets a data provider be the recipient', () => {
    const through = chainOf(anInput({ recipient: 'VU' }))
    expect(flowsToRecipient(through.flows, 'VU', 'SURF').map((one) => one.flow)).to.deep.equal([2])
    const itself = chainOf(anInput({ archetype: computeToData, infrastructure: null, recipient: 'VU' }))
    expect(arrows(itself)).to.deep.equal(['VU→VU of step 1: VU', 'RUG→VU of step 3: RUG'])
  })

  it('takes as many providers as the manifests allow inputs, and no more', () => {
    const data = Array.from({ length: 65 }, (_, index) => ({ peer: `P${index}`, required: [] }))
    expect(chainOf(anInput({ data: data.slice(0, 64) })).flows).to.have.length(65)
    expect(problemOf(anInput({ data }))).to.equal('aggregate takes 1 to 64 inputs, here are 65')
  })
})

describe('no chain is given', () => {
  it('without the compute provider that the archetype needs', () => {
    expect(problemOf(anInput({ infrastructure: null }))).to.match(/needs a compute provider/)
  })

  it('with neighbours that the first manifest does not allow, at a provider', () => {
    const data = [{ peer: 'VU', required: ['anonymize'] }]
    const input = anInput({ data, services: servicesWith('query', { next: ['aggregate', 'algorithm'] }) })
    expect(problemOf(input)).to.equal('query may not be followed by anonymize')
  })

  it('with neighbours that the first manifest does not allow, across a flow', () => {
    const input = anInput({ services: servicesWith('query', { next: ['anonymize', 'algorithm'] }) })
    expect(problemOf(input)).to.equal('query may not be followed by aggregate')
  })

  it('with neighbours that the first manifest does not allow, at the compute provider', () => {
    expect(problemOf(anInput({ services: servicesWith('aggregate', { next: [] }) }))).to.equal(
      'aggregate may not be followed by algorithm'
    )
  })

  it('with steps that are only in a topological order', () => {
    const archetype = anArchetype([
      { service: 'anonymize', at: 'data' },
      { service: 'query', at: 'data' },
      { service: 'algorithm', at: 'infrastructure' }
    ])
    expect(problemOf(anInput({ archetype }))).to.equal('anonymize may not be followed by query')
  })

  it('with a service that is invalid in the archetype', () => {
    const archetype = { ...computeToData, steps: dataThroughTtp.steps }
    expect(problemOf(anInput({ archetype, infrastructure: null }))).to.equal(
      'aggregate is invalid in computeToData'
    )
  })

  it('with a service that is not known', () => {
    const archetype = anArchetype([
      { service: 'query', at: 'data' },
      { service: 'mail', at: 'infrastructure' }
    ])
    expect(problemOf(anInput({ archetype }))).to.match(/no service mail|may not be followed by mail/)
  })

  it('with a picture anywhere but where results are put together', () => {
    const archetype = anArchetype([
      { service: 'query', at: 'data' },
      { service: 'algorithm', at: 'infrastructure' },
      { service: 'graph', at: 'infrastructure', when: 'asked' }
    ])
    expect(problemOf(anInput({ archetype, asked: ['graph'] }))).to.equal(
      'graph is done where results are put together, at recipient; invented places it at infrastructure'
    )
    expect(composeChain(anInput({ archetype }))).not.to.have.property('problem')
  })

  it('with a picture that was asked for and has no place', () => {
    const archetype = anArchetype([
      { service: 'query', at: 'data' },
      { service: 'algorithm', at: 'infrastructure' }
    ])
    expect(problemOf(anInput({ archetype, asked: ['graph'] }))).to.equal('invented has no place for graph')
  })

  it('with another service than pictures at the recipient', () => {
    const archetype = anArchetype([
      { service: 'query', at: 'data' },
      { service: 'algorithm', at: 'recipient' }
    ])
    expect(problemOf(anInput({ archetype }))).to.equal('algorithm cannot be placed at recipient')
  })

  it('with a service of data providers at a compute provider', () => {
    const archetype = anArchetype([
      { service: 'query', at: 'data' },
      { service: 'anonymize', at: 'infrastructure' },
      { service: 'algorithm', at: 'infrastructure' }
    ])
    expect(problemOf(anInput({ archetype }))).to.equal('anonymize runs at data providers only')
  })

  it('that leaves out a service which an agreement requires', () => {
    const data = [{ peer: 'VU', required: ['aggregate'] }]
    expect(problemOf(anInput({ data, union: false }))).to.match(/aggregate is required/)
  })

  it('when nothing happens at a data provider', () => {
    const archetype = anArchetype([
      { service: 'query', at: 'data', when: 'required' },
      { service: 'algorithm', at: 'infrastructure' }
    ])
    const data = [
      { peer: 'VU', required: ['query'] },
      { peer: 'RUG', required: [] }
    ]
    expect(problemOf(anInput({ archetype, data }))).to.match(/no step at data/)
  })

  it('when a step stands where no step can be placed, rather than one without it', () => {
    for (const at of ['recipient', 'algorithm'] as const) {
      const archetype = anArchetype([...dataThroughTtp.steps, { service: 'algorithm', at }])
      expect(problemOf(anInput({ archetype })), at).to.match(new RegExp(`algorithm .*${at}`))
    }
  })
})

describe('an archetype', () => {
  it('computes at the data when it says that infrastructure and data are one, in either order', () => {
    const where = (...conditions: string[]) => computesAtData({ ...dataThroughTtp, where: conditions })
    expect(where('infrastructure == data')).to.equal(true)
    expect(where('data == infrastructure')).to.equal(true)
    expect(where('infrastructure != data')).to.equal(false)
    expect(where('recipient == data', 'infrastructure == recipient')).to.equal(false)
    expect(where()).to.equal(false)
  })
})

const NAMES = ['s0', 's1', 's2', 's3', 's4']
const STEPS: fc.Arbitrary<ArchetypeBody['steps'][number]> = fc
  .record({
    service: fc.constantFrom(...NAMES),
    at: fc.constantFrom('data', 'data', 'data', 'infrastructure', 'infrastructure', 'recipient'),
    when: fc.constantFrom(undefined, undefined, 'required', 'asked', 'several')
  })
  .map(({ when, ...step }) => (when === undefined ? step : { ...step, when }))

const SERVICES: fc.Arbitrary<ReadonlyMap<string, ServiceManifest>> = fc
  .tuple(
    ...NAMES.map((service) =>
      fc.record<ServiceManifest>({
        service: fc.constant(service),
        version: fc.constant('1.0.0'),
        label: fc.constantFrom('computeProvider', 'computeProvider', 'dataProvider'),
        inputs: fc.constantFrom(
          { min: 1, max: 64 },
          { min: 1, max: 64 },
          { min: 1, max: 1 },
          { min: 2, max: 3 }
        ),
        next: fc.oneof(fc.constant(NAMES), fc.subarray(NAMES, { minLength: 3 })),
        invalidIn: fc.constantFrom([], [], [], ['invented'], ['other']),
        parameters: fc.constant({}),
        digest: fc.constant(''),
        file: fc.constant('')
      })
    )
  )
  .map((all) => new Map(all.map((one): [string, ServiceManifest] => [one.service, one])))

const INPUTS: fc.Arbitrary<ChainInput> = fc
  .record({
    steps: fc.array(STEPS, { minLength: 1, maxLength: 5 }),
    where: fc.constantFrom<string[]>(
      [],
      ['infrastructure != data'],
      ['infrastructure == data'],
      ['data == infrastructure']
    ),
    services: SERVICES,
    required: fc.array(fc.subarray(NAMES, { maxLength: 1 }), { minLength: 1, maxLength: 4 }),
    infrastructure: fc.constantFrom('H', 'H', 'H', null),
    recipient: fc.constantFrom('R', 'R', 'H', 'D0'),
    union: fc.boolean(),
    asked: fc.subarray(NAMES, { maxLength: 2 })
  })
  .map(({ steps, where, required, ...rest }) => ({
    archetype: anArchetype(steps, { where }),
    data: required.map((services, index) => ({ peer: `D${index}`, required: services })),
    ...rest
  }))

describe('any chain that is given', () => {
  it('is a path that manifests and archetype allow, along which every row ends at the right party', () => {
    let given = 0
    fc.assert(
      fc.property(INPUTS, (input) => {
        const chain = composeChain(input)
        if ('problem' in chain) {
          expect(chain.problem).not.to.equal('')
          return
        }
        given += 1
        expect(wrongWith(input, chain)).to.deep.equal([])
      }),
      { numRuns: 5000 }
    )
    expect(given, 'chains among the attempts').to.be.greaterThan(100)
  })

  it('is the same whoever composes it', () => {
    fc.assert(
      fc.property(INPUTS, (input) => {
        expect(composeChain(structuredClone(input))).to.deep.equal(composeChain(input))
      }),
      { numRuns: 300 }
    )
  })
})

describe('the project’s own archetypes', () => {
  it('give a chain for any number of providers, anonymised or not, put together or not', () => {
    const inputs = fc
      .record({
        archetype: fc.constantFrom(computeToData, dataThroughTtp),
        required: fc.array(fc.constantFrom([], ['anonymize']), { minLength: 1, maxLength: 8 }),
        recipient: fc.constantFrom('UVA', 'SURF', 'D0'),
        union: fc.boolean(),
        asked: fc.constantFrom([], ['anonymize'])
      })
      .map(({ required, archetype, ...rest }) =>
        anInput({
          archetype,
          infrastructure: archetype === computeToData ? null : 'SURF',
          data: required.map((services, index) => ({ peer: `D${index}`, required: services })),
          ...rest
        })
      )
    fc.assert(
      fc.property(inputs, (input) => {
        chainOf(input)
      }),
      { numRuns: 500 }
    )
  })
})
