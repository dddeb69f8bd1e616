import fc from 'fast-check'
import { REQUESTER, type Viewed } from '../../policy/index.ts'
import { type Generalisation, type Terms, terms } from '../../protocol/documents/index.ts'

/** Without a key of that is no key of a mapping, and without halves of surrogate pairs. */
const anyText = fc.string({ unit: 'grapheme', maxLength: 24 }).filter((text) => text !== '__proto__')
const some = anyText.filter((text) => text.length > 0)
export const anOrganisation = fc.stringMatching(/^[A-Za-z0-9éüß][A-Za-z0-9 ._-]{0,12}$/)
const aName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,12}$/)
const whole = fc.nat({ max: 1e9 })

function list(item: fc.Arbitrary<string>, maxLength = 4): fc.Arbitrary<string[]> {
  return fc.uniqueArray(item, { maxLength })
}

function anyOr(item: fc.Arbitrary<string>): fc.Arbitrary<'*' | string[]> {
  return fc.oneof({ weight: 1, arbitrary: fc.constant('*' as const) }, { weight: 4, arbitrary: list(item) })
}

const generalisation: fc.Arbitrary<Generalisation> = fc.oneof(
  fc.constantFrom('year' as const, 'quarter' as const, 'month' as const),
  fc.integer({ min: 1, max: 1000 }),
  fc.record({ prefix: fc.integer({ min: 1, max: 128 }) }),
  fc.record({ edges: fc.array(fc.constantFrom('0', '-1.5', '10'), { minLength: 1, maxLength: 3 }) }),
  fc.record(
    { values: fc.dictionary(some, anyText, { maxKeys: 3 }), otherwise: anyText },
    { requiredKeys: ['values'] }
  )
)

const anyTerms: fc.Arbitrary<Terms> = fc.record(
  {
    consumers: fc.uniqueArray(
      fc.oneof(
        anOrganisation.map((organisation) => ({ organisation })),
        fc.record({ organisation: anOrganisation, name: some }).map((user) => ({ user }))
      ),
      { maxLength: 3, selector: (consumer) => JSON.stringify(consumer) }
    ),
    purposes: anyOr(aName),
    archetypes: anyOr(aName),
    computeProviders: anyOr(anOrganisation),
    recipients: anyOr(fc.oneof(anOrganisation, fc.constant(REQUESTER))),
    tables: fc.oneof(
      fc.constant('*' as const),
      fc.dictionary(some, fc.record({ columns: anyOr(some), where: some }, { requiredKeys: ['columns'] }), {
        maxKeys: 3
      })
    ),
    services: fc.record({ require: list(aName), forbid: list(aName) }),
    algorithms: anyOr(aName),
    output: fc.record(
      { unit: some, minGroupSize: whole, maxRows: whole, aggregatesOnly: fc.boolean() },
      { requiredKeys: [] }
    ),
    anonymize: fc.record(
      {
        pseudonymise: list(some),
        generalise: fc.dictionary(some, generalisation, { maxKeys: 3 }),
        suppress: list(some),
        k: whole,
        quasi: fc.uniqueArray(some, { minLength: 1, maxLength: 3 })
      },
      { requiredKeys: ['pseudonymise', 'generalise', 'suppress'] }
    ),
    limits: fc.record({ requests: whole, per: whole }),
    approval: fc.record({ by: list(some), when: fc.constantFrom('always', 'firstTime'), within: whole }),
    privacy: fc.record({ epsilonMicros: whole, budgetMicros: whole, per: whole }),
    cache: fc.record({ extract: some, results: some }),
    valid: fc.record({ from: fc.nat({ max: 4e12 }), until: fc.nat({ max: 4e12 }) }, { requiredKeys: [] }),
    sandbox: fc.constantFrom('required' as const, 'none' as const),
    onward: some,
    releaseAsk: fc.boolean(),
    revocation: fc.record({ effect: fc.constantFrom('stop' as const, 'finish' as const), notice: whole }),
    timezone: fc.constantFrom('UTC', 'Europe/Amsterdam'),
    about: fc.dictionary(some, anyText, { maxKeys: 3 }),
    cedar: some
  },
  {
    requiredKeys: [
      'consumers',
      'purposes',
      'archetypes',
      'computeProviders',
      'recipients',
      'tables',
      'algorithms',
      'services',
      'output',
      'valid',
      'timezone',
      'about'
    ]
  }
)

/** The clauses that there are. */
export const CLAUSES = Object.keys(terms.shape)

/** Any agreement that can be signed, every clause in it. */
export const anyAgreement: fc.Arbitrary<Viewed> = fc.record(
  {
    name: aName,
    provider: anOrganisation,
    dataset: aName,
    terms: anyTerms.map((made) => terms.parse(made)),
    id: fc.constant('bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi'),
    signed: fc.boolean()
  },
  { requiredKeys: ['name', 'provider', 'dataset', 'terms'] }
)
