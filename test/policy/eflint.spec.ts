import { expect } from 'chai'
import fc from 'fast-check'
import {
  createCedarEngine,
  decideAsProvider,
  eflintView,
  type PolicyEngine,
  type Viewed
} from '../../policy/index.ts'
import type { Terms } from '../../protocol/documents/index.ts'
import { anyAgreement } from './any-terms.ts'
import { anAgreement, providerFacts, TERMS } from './builders.ts'

interface Fact {
  name: string
  parts: string[]
}

const FACT = /^\+([a-z][a-z-]*)\(("(?:[^"\\]|\\.)*"(?:, "(?:[^"\\]|\\.)*")*)\)\.$/
const STRING = /"((?:[^"\\]|\\.)*)"/g
const LETTERS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

function unquoted(text: string): string {
  return text.replaceAll(/\\u([0-9a-f]{4})|\\(.)/g, (_, code: string | undefined, letter: string) =>
    code === undefined ? (LETTERS[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16))
  )
}

/** The facts of a text; every line is one, a query, a comment or part of the fixed layers. */
function factsOf(text: string): Fact[] {
  return text.split('\n').flatMap((line) => {
    const [, name, parts] = FACT.exec(line) ?? []
    if (name === undefined || parts === undefined) {
      expect(line).not.to.match(/^\+/)
      return []
    }
    return [{ name, parts: [...parts.matchAll(STRING)].map(([, inner = '']) => unquoted(inner)) }]
  })
}

/** Arity by name, of what is declared before it is used. */
function declarations(text: string): Map<string, number> {
  const declared = new Map<string, number>()
  for (const [, name = '', identified] of text.matchAll(
    /^Fact ([a-z-]+)(?: Identified by ([a-z*\- ]+?))?$/gm
  )) {
    for (const part of identified?.split(' * ') ?? []) expect(declared.has(part), part).to.equal(true)
    declared.set(name, identified?.split(' * ').length ?? 1)
  }
  return declared
}

const of = (facts: readonly Fact[], name: string) =>
  facts.filter((fact) => fact.name === name).map(({ parts }) => parts)

/** Every text of the terms with where it stands, told apart from the code under test: by a plain walk. */
function textsOf(value: unknown): string[] {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null) return [String(value)]
  return Object.values(value).flatMap(textsOf)
}

/** Layer 2 by hand: what its rules derive from the facts. */
function enforcer(facts: readonly Fact[]) {
  const has = (name: string, ...parts: string[]) =>
    of(facts, name).some((found) => found.join('\n') === parts.join('\n'))
  return {
    permittedAt: (requester: string, steward: string) =>
      has('agreement', steward) && has('has-relation', requester, steward),
    valid: (kind: 'archetype' | 'compute-provider', requester: string, steward: string, name: string) =>
      has(`relation-allows-${kind}`, requester, steward, name) &&
      has(`steward-supports-${kind}`, steward, name)
  }
}

describe('an agreement as eFLINT', () => {
  it('declares each fact once, before it is used, with as many parts as it has', () => {
    fc.assert(
      fc.property(anyAgreement, (agreed) => {
        const text = eflintView(agreed)
        const declared = declarations(text)
        for (const { name, parts } of factsOf(text)) expect(declared.get(name), name).to.equal(parts.length)
        for (const name of declared.keys())
          expect(text.split(`\nFact ${name} `).length + text.split(`\nFact ${name}\n`).length - 2).to.equal(1)
      })
    )
  })

  it('declares the five facts that the enforcer asks for, and derives each of them', () => {
    const text = eflintView({ name: 'a', provider: 'VU', dataset: 'd', terms: TERMS })
    for (const name of [
      'permitted-request',
      'permitted-at-steward',
      'valid-archetype',
      'valid-compute-provider',
      'permitted-continuation'
    ]) {
      expect(text).to.match(new RegExp(`^Fact ${name} Identified by`, 'm'))
      expect(text).to.match(new RegExp(`^Extend Fact ${name}\\n {2}Holds when`, 'm'))
    }
  })

  it('carries every clause of any agreement once, and nothing that is no clause', () => {
    fc.assert(
      fc.property(anyAgreement, (agreed) => {
        const clauses = of(factsOf(eflintView(agreed)), 'agreement-clause')
        expect(clauses.every(([steward]) => steward === agreed.provider)).to.equal(true)
        const values = clauses
          .map(([, , value = '']) => value)
          .filter((value) => value !== '[]' && value !== '{}')
        const said = textsOf(agreed.terms).filter((value) => value !== '[]' && value !== '{}')
        expect(values.sort()).to.deep.equal(said.sort())
        expect(new Set(clauses.map(([, clause]) => clause)).size).to.equal(clauses.length)
      })
    )
  })

  it('differs for terms that differ', () => {
    fc.assert(
      fc.property(anyAgreement, anyAgreement, (one, other) => {
        const clausesOf = (agreed: Viewed) =>
          JSON.stringify(
            of(factsOf(eflintView(agreed)), 'agreement-clause')
              .map(([, ...rest]) => rest)
              .sort()
          )
        const same = JSON.stringify(sorted(one.terms)) === JSON.stringify(sorted(other.terms))
        expect(clausesOf(one) === clausesOf(other)).to.equal(same)
      })
    )
  })

  it('names only archetypes, compute providers, consumers and the dataset that the agreement names', () => {
    fc.assert(
      fc.property(anyAgreement, (agreed) => {
        const facts = factsOf(eflintView(agreed))
        const { archetypes, computeProviders } = agreed.terms
        const named = (names: '*' | string[]) => (names === '*' ? [] : names)
        expect(of(facts, 'archetype').flat()).to.deep.equal(named(archetypes))
        expect(of(facts, 'compute-provider').flat()).to.deep.equal(named(computeProviders))
        expect(of(facts, 'dataset').flat()).to.deep.equal([agreed.dataset])
        expect(of(facts, 'requester').length).to.equal(agreed.terms.consumers.length)
        expect(of(facts, 'request-type')).to.deep.equal([])
      })
    )
  })

  describe('decides by its rules', () => {
    let engine: PolicyEngine
    before(async () => {
      engine = await createCedarEngine()
    })

    it('about consumers, archetypes and compute providers as our engine does', () => {
      const names = fc.subarray(['computeToData', 'dataThroughTtp', 'other'])
      const places = fc.subarray(['SURF', 'Cloud'])
      const people = fc.subarray(['Niels', 'Alice', 'Bob'])
      fc.assert(
        fc.property(names, places, people, (archetypes, computeProviders, consumers) => {
          const terms: Terms = {
            ...TERMS,
            archetypes,
            computeProviders,
            consumers: consumers.map((name) => ({ user: { organisation: 'UVA', name } }))
          }
          const agreement = anAgreement(terms)
          const view = enforcer(factsOf(eflintView({ name: 'a', provider: 'VU', dataset: 'wageGap', terms })))
          for (const name of ['Niels', 'Alice', 'Bob']) {
            const who = `UVA/${name}`
            const asked = (facts: Parameters<typeof providerFacts>[0]) =>
              decideAsProvider(
                engine,
                providerFacts({ requester: { organisation: 'UVA', name }, infrastructure: null, ...facts }, [
                  agreement
                ]),
                [agreement]
              ).verdict === 'permit'
            expect(view.permittedAt(who, 'VU')).to.equal(asked({ question: 'discover' }))
            for (const archetype of ['computeToData', 'dataThroughTtp', 'other']) {
              expect(view.valid('archetype', who, 'VU', archetype)).to.equal(asked({ archetype }))
              for (const infrastructure of ['SURF', 'Cloud'])
                expect(
                  view.valid('archetype', who, 'VU', archetype) &&
                    view.valid('compute-provider', who, 'VU', infrastructure)
                ).to.equal(asked({ archetype, infrastructure }))
            }
          }
        }),
        { numRuns: 20 }
      )
    })
  })
})

/** The same for mappings whose keys stand in another order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, sorted(inner)] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1))
  )
}
