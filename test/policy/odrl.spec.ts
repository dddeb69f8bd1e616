import { expect } from 'chai'
import fc from 'fast-check'
import { z } from 'zod'
import { DYNAMOS_ODRL, odrlView, REQUESTER, type Viewed } from '../../policy/index.ts'
import { generalisation, type Terms } from '../../protocol/documents/index.ts'
import { anyAgreement } from './any-terms.ts'
import { TERMS } from './builders.ts'

/** The words of ODRL 2.2 (https://www.w3.org/TR/odrl-vocab/) that may stand in this subset. */
const LEFT_OPERANDS = ['count', 'dateTime', 'purpose', 'recipient'] as const
const OPERATORS = ['eq', 'lt', 'lteq', 'gteq', 'isAnyOf', 'isAllOf'] as const
const ACTIONS = ['use', 'distribute', 'obtainConsent'] as const
const REFINED_ACTIONS = ['odrl:use', 'odrl:anonymize', 'dynamos:run'] as const

const iri = z.string().refine((text) => URL.canParse(text), 'expected an IRI')
const compact = z.string().regex(/^dynamos:[a-zA-Z]+$/)
const typed = z.union([
  z.strictObject({
    '@type': z.enum(['xsd:duration', 'xsd:dateTime', 'xsd:decimal']),
    '@value': z.string().min(1)
  }),
  z.strictObject({
    '@type': z.literal('@json'),
    '@value': z.strictObject({ column: z.string(), to: z.unknown() })
  })
])
const operand = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.strictObject({ '@id': z.union([compact, iri]) }),
  typed
])
/** ODRL information model 2.5: one left operand, one operator, at least one right operand. */
const constraint = z.strictObject({
  leftOperand: z.union([z.enum(LEFT_OPERANDS), compact]),
  operator: z.enum(OPERATORS),
  rightOperand: z.union([operand, z.array(operand).min(1)]),
  'dynamos:per': typed.optional()
})
const action = z.union([
  z.enum(ACTIONS),
  z
    .array(
      z.strictObject({
        'rdf:value': z.strictObject({ '@id': z.enum(REFINED_ACTIONS) }),
        refinement: z.array(constraint).min(1)
      })
    )
    .length(1)
])
const asset = z.strictObject({
  '@type': z.literal('AssetCollection'),
  source: iri,
  refinement: z.array(constraint).min(1).optional()
})
const party = z.union([
  z.strictObject({ '@type': z.literal('Party'), uid: iri }),
  z.strictObject({ '@type': z.literal('PartyCollection'), source: iri })
])
const duty = z.strictObject({
  action,
  consentingParty: z.array(iri).min(1).optional(),
  constraint: z.array(constraint).min(1).optional()
})
const rule = z.strictObject({
  target: z.union([asset, z.array(asset).min(1)]),
  action,
  assigner: party,
  assignee: z.array(party).min(1).optional(),
  constraint: z.array(constraint).min(1).optional(),
  duty: z.array(duty).min(1).optional()
})
/** ODRL information model 2.1: a policy has an IRI and a rule; an Agreement and an Offer have the parties that they need. */
const policy = z
  .strictObject({
    '@context': z.tuple([z.literal('http://www.w3.org/ns/odrl.jsonld'), z.record(z.string(), iri)]),
    '@type': z.enum(['Agreement', 'Offer']),
    uid: iri,
    profile: iri,
    'dct:title': z.string(),
    permission: z.array(rule).length(1),
    prohibition: z.array(rule).min(1),
    'dynamos:timezone': z.string(),
    'dynamos:onward': z.string().optional(),
    'dynamos:releaseAsk': z.boolean().optional(),
    'dynamos:revocation': z
      .strictObject({ 'dynamos:effect': z.enum(['stop', 'finish']), 'dynamos:notice': typed })
      .optional(),
    'dynamos:cedar': z.string().optional(),
    'dynamos:about': z
      .array(z.strictObject({ 'dynamos:key': z.string(), 'dynamos:text': z.string() }))
      .min(1)
      .optional()
  })
  .refine(
    (one) => one['@type'] === 'Offer' || one.permission.every(({ assignee }) => assignee !== undefined),
    'an Agreement has assignees'
  )
type Read = z.infer<typeof policy>
type Constraint = z.infer<typeof constraint>

const parts = (urn: string) => urn.split(':').slice(3).map(decodeURIComponent)
const last = (urn: string) => parts(urn).at(-1) ?? ''
const typedValue = z.strictObject({ '@type': z.string(), '@value': z.string() })
const millisecondsOf = (value: unknown) =>
  Math.round(Number(/^PT(.*)S$/.exec(typedValue.parse(value)['@value'])?.[1]) * 1000)
const microsOf = (value: unknown) => Math.round(Number(typedValue.parse(value)['@value']) * 1e6)

/** The terms that a policy says, read by the table of docs/odrl.md alone. */
function termsOf(read: Read): { name: string; provider: string; dataset: string; terms: unknown } {
  const [permission] = read.permission
  if (permission === undefined) throw new Error('expected a permission')
  const of = (among: readonly Constraint[] | undefined, operand: string) =>
    among?.find(({ leftOperand }) => leftOperand === operand)
  const here = (operand: string) => of(permission.constraint, operand)
  const value = (operand: string) => {
    const found = here(operand)?.rightOperand
    return found === undefined ? {} : { value: found }
  }
  const strings = z.array(z.string())
  const identified = z.array(z.strictObject({ '@id': z.string() }))
  const isNone = (found: unknown) => JSON.stringify(found) === '[{"@id":"dynamos:none"}]'
  const names = (found: Constraint | undefined) => {
    if (found === undefined) return '*'
    return isNone(found.rightOperand) ? [] : strings.parse(found.rightOperand)
  }
  const organisations = (found: Constraint | undefined) => {
    if (found === undefined) return '*'
    if (isNone(found.rightOperand)) return []
    return identified
      .parse(found.rightOperand)
      .map((one) => (one['@id'] === 'dynamos:requester' ? REQUESTER : last(one['@id'])))
  }
  const refined = (among: z.infer<typeof action>) =>
    typeof among === 'string' ? [] : (among[0]?.refinement ?? [])
  const actionOf = (found: z.infer<typeof action>) =>
    typeof found === 'string' ? found : found[0]?.['rdf:value']['@id']
  const duties = permission.duty ?? []
  const anonymize = duties
    .filter((one) => actionOf(one.action) === 'odrl:anonymize')
    .flatMap((one) => refined(one.action))
  const consent = duties.find((one) => one.action === 'obtainConsent')
  const list = (operand: string) => strings.parse(of(anonymize, operand)?.rightOperand ?? [])
  const targets = Array.isArray(permission.target) ? permission.target : [permission.target]
  const tables = targets.flatMap(({ refinement = [] }) => {
    const table = of(refinement, 'dynamos:table')?.rightOperand
    if (table === undefined || isNone(table)) return []
    const where = of(refinement, 'dynamos:where')?.rightOperand
    return [
      [
        z.string().parse(table),
        { columns: names(of(refinement, 'dynamos:column')), ...(where === undefined ? {} : { where }) }
      ] as const
    ]
  })
  const held = organisations(here('dynamos:heldBy'))
  const run = (found: z.infer<typeof action>) =>
    actionOf(found) === 'dynamos:run' ? refined(found).flatMap(({ rightOperand }) => rightOperand) : []
  const optional = <Key extends string>(key: Key, operand: string) => {
    const { value: found } = value(operand)
    return found === undefined ? {} : { [key]: found }
  }
  const instant = (operator: string, key: 'from' | 'until') => {
    const found = permission.constraint?.find(
      (one) => one.leftOperand === 'dateTime' && one.operator === operator
    )
    return found === undefined ? {} : { [key]: Date.parse(typedValue.parse(found.rightOperand)['@value']) }
  }
  const generalise = anonymize
    .filter(({ leftOperand }) => leftOperand === 'dynamos:generalise')
    .map(({ rightOperand }) => {
      const { column, to } = z
        .strictObject({
          '@type': z.literal('@json'),
          '@value': z.strictObject({ column: z.string(), to: generalisation })
        })
        .parse(rightOperand)['@value']
      return [column, to] as const
    })
  const count = here('count')
  const budget = here('dynamos:privacyBudget')
  const cache = here('dynamos:cacheExtract')
  const revocation = read['dynamos:revocation']
  const quasi = of(anonymize, 'dynamos:quasi')
  const k = of(anonymize, 'dynamos:k')
  return {
    name: read['dct:title'],
    provider: 'uid' in permission.assigner ? last(permission.assigner.uid) : '',
    dataset: last(targets[0]?.source ?? ''),
    terms: {
      consumers: (permission.assignee ?? []).map((one) => {
        if ('source' in one) return { organisation: last(one.source) }
        const [organisation, name] = parts(one.uid)
        return { user: { organisation, name } }
      }),
      purposes: names(here('purpose')),
      archetypes: names(here('dynamos:archetype')),
      computeProviders: held === '*' ? held : held.slice(1),
      recipients: organisations(here('recipient')),
      tables: targets.every(({ refinement }) => refinement === undefined) ? '*' : Object.fromEntries(tables),
      algorithms:
        permission.action === 'use' ? '*' : names(of(refined(permission.action), 'dynamos:algorithm')),
      services: {
        require: duties.flatMap((one) => run(one.action)),
        forbid: read.prohibition.flatMap((one) => run(one.action))
      },
      output: {
        ...optional('unit', 'dynamos:unit'),
        ...optional('minGroupSize', 'dynamos:groupSize'),
        ...optional('maxRows', 'dynamos:rows'),
        ...optional('aggregatesOnly', 'dynamos:aggregatesOnly')
      },
      ...(anonymize.length === 0
        ? {}
        : {
            anonymize: {
              pseudonymise: list('dynamos:pseudonymise'),
              generalise: Object.fromEntries(generalise),
              suppress: list('dynamos:suppress'),
              ...(k === undefined ? {} : { k: k.rightOperand }),
              ...(quasi === undefined ? {} : { quasi: quasi.rightOperand })
            }
          }),
      ...(count === undefined
        ? {}
        : { limits: { requests: count.rightOperand, per: millisecondsOf(count['dynamos:per']) } }),
      ...(consent === undefined
        ? {}
        : {
            approval: {
              by: (consent.consentingParty ?? []).map(last),
              when: of(consent.constraint, 'dynamos:approval')?.rightOperand,
              within: millisecondsOf(of(consent.constraint, 'dynamos:approvalWithin')?.rightOperand)
            }
          }),
      ...(budget === undefined
        ? {}
        : {
            privacy: {
              epsilonMicros: microsOf(here('dynamos:epsilon')?.rightOperand),
              budgetMicros: microsOf(budget.rightOperand),
              per: millisecondsOf(budget['dynamos:per'])
            }
          }),
      ...(cache === undefined
        ? {}
        : { cache: { extract: cache.rightOperand, results: here('dynamos:cacheResults')?.rightOperand } }),
      valid: { ...instant('gteq', 'from'), ...instant('lt', 'until') },
      ...optional('sandbox', 'dynamos:sandbox'),
      ...(read['dynamos:onward'] === undefined ? {} : { onward: read['dynamos:onward'] }),
      ...(read['dynamos:releaseAsk'] === undefined ? {} : { releaseAsk: read['dynamos:releaseAsk'] }),
      ...(revocation === undefined
        ? {}
        : {
            revocation: {
              effect: revocation['dynamos:effect'],
              notice: millisecondsOf(revocation['dynamos:notice'])
            }
          }),
      timezone: read['dynamos:timezone'],
      about: Object.fromEntries(
        (read['dynamos:about'] ?? []).map((one) => [one['dynamos:key'], one['dynamos:text']])
      ),
      ...(read['dynamos:cedar'] === undefined ? {} : { cedar: read['dynamos:cedar'] })
    }
  }
}

/** An `anonymize` that orders nothing says nothing. */
function withoutIdle({ anonymize, ...others }: Terms): Terms {
  if (anonymize === undefined) return others
  const { pseudonymise, generalise, suppress, k, quasi } = anonymize
  const idle =
    pseudonymise.length + suppress.length + Object.keys(generalise).length === 0 &&
    k === undefined &&
    quasi === undefined
  return idle ? others : { ...others, anonymize }
}

const sent = (agreed: Viewed) => policy.parse(JSON.parse(JSON.stringify(odrlView(agreed))))

/** Keys of a JSON-LD document outside of literals, and what types it names. */
function words(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap(words)
  if (Reflect.get(value, '@type') === '@json') return []
  return Object.entries(value).flatMap(([key, inner]) => [key, ...(key === '@context' ? [] : words(inner))])
}

/** Terms of http://www.w3.org/ns/odrl.jsonld that are used as keys. */
const ODRL_KEYS = [
  'uid',
  'profile',
  'permission',
  'prohibition',
  'duty',
  'target',
  'source',
  'assigner',
  'assignee',
  'consentingParty',
  'action',
  'constraint',
  'refinement',
  'leftOperand',
  'operator',
  'rightOperand'
]

describe('an agreement as ODRL', () => {
  it('is a policy of ODRL 2.2, in the subset of docs/odrl.md', () => {
    fc.assert(fc.property(anyAgreement, (agreed) => void sent(agreed)))
  })

  it('says every clause of any agreement, and nothing that the agreement does not say', () => {
    fc.assert(
      fc.property(anyAgreement, (agreed) => {
        const { name, provider, dataset, terms } = agreed
        expect(termsOf(sent(agreed))).to.deep.equal({ name, provider, dataset, terms: withoutIdle(terms) })
      })
    )
  })

  it('is JSON-LD: each key is a word of the context or has a prefix of it', () => {
    fc.assert(
      fc.property(anyAgreement, (agreed) => {
        const read = sent(agreed)
        const prefixes = Object.keys(read['@context'][1])
        for (const word of words(read)) {
          const [prefix = '', name] = word.split(':')
          if (word.startsWith('@')) expect(['@context', '@type', '@id', '@value']).to.include(word)
          else if (name === undefined) expect(ODRL_KEYS).to.include(word)
          else expect(prefixes).to.include(prefix)
        }
      })
    )
    expect(
      odrlView({ name: 'a', provider: 'VU', dataset: 'd', terms: TERMS })['@context'][1].dynamos
    ).to.equal(DYNAMOS_ODRL)
  })

  it('is an Agreement once all have signed, and an Offer before, or without consumers', () => {
    const agreed = { name: 'a', provider: 'VU', dataset: 'd', terms: TERMS }
    expect(odrlView(agreed)).to.include({ '@type': 'Offer', uid: 'urn:dynamos:draft:VU:a' })
    const signed = { ...agreed, id: 'bafyone', signed: true }
    expect(odrlView(signed)).to.include({ '@type': 'Agreement', uid: 'urn:dynamos:agreement:bafyone' })
    expect(odrlView({ ...signed, terms: { ...TERMS, consumers: [] } })['@type']).to.equal('Offer')
  })

  it('is the same for the same agreement', () => {
    fc.assert(
      fc.property(anyAgreement, (agreed) => {
        expect(JSON.stringify(odrlView(structuredClone(agreed)))).to.equal(JSON.stringify(odrlView(agreed)))
      })
    )
  })

  it('reads as expected', () => {
    const { permission, prohibition } = odrlView({
      name: 'wage-gap',
      provider: 'VU',
      dataset: 'wageGap',
      terms: { ...TERMS, tables: { Personen: { columns: ['Geslacht'], where: 'Peildat >= 20170101' } } }
    })
    expect(permission[0]?.target).to.deep.equal([
      {
        '@type': 'AssetCollection',
        source: 'urn:dynamos:dataset:VU:wageGap',
        refinement: [
          { leftOperand: 'dynamos:table', operator: 'eq', rightOperand: 'Personen' },
          { leftOperand: 'dynamos:column', operator: 'isAnyOf', rightOperand: ['Geslacht'] },
          { leftOperand: 'dynamos:where', operator: 'eq', rightOperand: 'Peildat >= 20170101' }
        ]
      }
    ])
    expect(permission[0]?.assignee).to.deep.equal([{ '@type': 'Party', uid: 'urn:dynamos:user:UVA:analyst' }])
    expect(permission[0]?.constraint).to.deep.include({
      leftOperand: 'count',
      operator: 'lteq',
      rightOperand: 10,
      'dynamos:per': { '@type': 'xsd:duration', '@value': 'PT86400S' }
    })
    expect(prohibition.map(({ action: what }) => what)).to.deep.equal([
      'distribute',
      [
        {
          'rdf:value': { '@id': 'dynamos:run' },
          refinement: [{ leftOperand: 'dynamos:service', operator: 'isAnyOf', rightOperand: ['graph'] }]
        }
      ]
    ])
  })
})
