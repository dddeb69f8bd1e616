import type { AnyOrNames, Terms } from '../../protocol/documents/index.ts'
import { instantText } from '../../protocol/errors/index.ts'
import { REQUESTER } from '../agreement/index.ts'
import type { Viewed } from './viewed.ts'

/** Namespace of what ODRL has no word for; also how its profile is called. */
export const DYNAMOS_ODRL = 'urn:dynamos:odrl:'

const CONTEXT = [
  'http://www.w3.org/ns/odrl.jsonld',
  {
    odrl: 'http://www.w3.org/ns/odrl/2/',
    dct: 'http://purl.org/dc/terms/',
    rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
    xsd: 'http://www.w3.org/2001/XMLSchema#',
    dynamos: DYNAMOS_ODRL
  }
] as const

type Identified = { '@id': string }
type Typed = { '@type': string; '@value': unknown }
type Operand = string | number | boolean | Identified | Typed

export interface OdrlConstraint {
  leftOperand: string
  operator: 'eq' | 'lt' | 'lteq' | 'gteq' | 'isAnyOf' | 'isAllOf'
  rightOperand: Operand | Operand[]
  'dynamos:per'?: Typed
}

export interface OdrlAction {
  'rdf:value': Identified
  refinement: OdrlConstraint[]
}

export interface OdrlAsset {
  '@type': 'AssetCollection'
  source: string
  refinement?: OdrlConstraint[]
}

export type OdrlParty = { '@type': 'Party'; uid: string } | { '@type': 'PartyCollection'; source: string }

export interface OdrlRule {
  target: OdrlAsset | OdrlAsset[]
  action: string | OdrlAction[]
  assigner: OdrlParty
  assignee?: OdrlParty[]
  constraint?: OdrlConstraint[]
  duty?: OdrlDuty[]
}

export interface OdrlDuty {
  action: string | OdrlAction[]
  consentingParty?: string[]
  constraint?: OdrlConstraint[]
}

export interface OdrlPolicy {
  '@context': typeof CONTEXT
  '@type': 'Agreement' | 'Offer'
  uid: string
  profile: string
  'dct:title': string
  permission: OdrlRule[]
  prohibition: OdrlRule[]
  'dynamos:timezone': string
  'dynamos:onward'?: string
  'dynamos:releaseAsk'?: boolean
  'dynamos:revocation'?: { 'dynamos:effect': string; 'dynamos:notice': Typed }
  'dynamos:cedar'?: string
  'dynamos:about'?: { 'dynamos:key': string; 'dynamos:text': string }[]
}

/** Half a surrogate pair has no place in an IRI. */
function urn(kind: string, ...parts: string[]): string {
  return ['urn:dynamos', kind, ...parts.map((part) => encodeURIComponent(part.toWellFormed()))].join(':')
}

const organisation = (name: string) => urn('organisation', name)

function duration(milliseconds: number): Typed {
  return { '@type': 'xsd:duration', '@value': `PT${milliseconds / 1000}S` }
}

function instant(milliseconds: number): Typed {
  return { '@type': 'xsd:dateTime', '@value': instantText(milliseconds) }
}

/** Millionths, written without a binary fraction. */
function decimal(micros: number): Typed {
  const digits = String(micros).padStart(7, '0')
  return { '@type': 'xsd:decimal', '@value': `${digits.slice(0, -6)}.${digits.slice(-6)}` }
}

/** In ODRL an empty set of values is no constraint at all; here it lets nothing through. */
const NOTHING: Identified = { '@id': 'dynamos:none' }

function oneOf(
  leftOperand: string,
  names: AnyOrNames,
  operand: (name: string) => Operand = (name) => name
): OdrlConstraint[] {
  if (names === '*') return []
  return [
    { leftOperand, operator: 'isAnyOf', rightOperand: names.length === 0 ? [NOTHING] : names.map(operand) }
  ]
}

function when<Value>(
  value: Value | undefined,
  constraint: (value: Value) => OdrlConstraint
): OdrlConstraint[] {
  return value === undefined ? [] : [constraint(value)]
}

function targets({ provider, dataset, terms: { tables } }: Viewed): OdrlAsset | OdrlAsset[] {
  const source = urn('dataset', provider, dataset)
  if (tables === '*') return { '@type': 'AssetCollection', source }
  const shown = Object.entries(tables)
  if (shown.length === 0)
    return { '@type': 'AssetCollection', source, refinement: oneOf('dynamos:table', []) }
  return shown.map(([name, { columns, where }]) => ({
    '@type': 'AssetCollection',
    source,
    refinement: [
      { leftOperand: 'dynamos:table', operator: 'eq', rightOperand: name },
      ...oneOf('dynamos:column', columns),
      ...when(where, (rightOperand) => ({ leftOperand: 'dynamos:where', operator: 'eq', rightOperand }))
    ]
  }))
}

function constraints(provider: string, terms: Terms): OdrlConstraint[] {
  const { computeProviders, output, limits, valid, privacy, cache, sandbox } = terms
  const held = computeProviders === '*' ? computeProviders : [provider, ...computeProviders]
  return [
    ...when(valid.from, (from) => ({
      leftOperand: 'dateTime',
      operator: 'gteq',
      rightOperand: instant(from)
    })),
    ...when(valid.until, (until) => ({
      leftOperand: 'dateTime',
      operator: 'lt',
      rightOperand: instant(until)
    })),
    ...oneOf('purpose', terms.purposes),
    ...oneOf('recipient', terms.recipients, (name) => ({
      '@id': name === REQUESTER ? 'dynamos:requester' : organisation(name)
    })),
    ...oneOf('dynamos:archetype', terms.archetypes),
    ...oneOf('dynamos:heldBy', held, (name) => ({ '@id': organisation(name) })),
    ...when(limits, ({ requests, per }) => ({
      leftOperand: 'count',
      operator: 'lteq',
      rightOperand: requests,
      'dynamos:per': duration(per)
    })),
    ...when(output.maxRows, (rows) => ({
      leftOperand: 'dynamos:rows',
      operator: 'lteq',
      rightOperand: rows
    })),
    ...when(output.unit, (unit) => ({ leftOperand: 'dynamos:unit', operator: 'eq', rightOperand: unit })),
    ...when(output.minGroupSize, (size) => ({
      leftOperand: 'dynamos:groupSize',
      operator: 'gteq',
      rightOperand: size
    })),
    ...when(output.aggregatesOnly, (only) => ({
      leftOperand: 'dynamos:aggregatesOnly',
      operator: 'eq',
      rightOperand: only
    })),
    ...when(privacy, ({ epsilonMicros }) => ({
      leftOperand: 'dynamos:epsilon',
      operator: 'lteq',
      rightOperand: decimal(epsilonMicros)
    })),
    ...when(privacy, ({ budgetMicros, per }) => ({
      leftOperand: 'dynamos:privacyBudget',
      operator: 'lteq',
      rightOperand: decimal(budgetMicros),
      'dynamos:per': duration(per)
    })),
    ...when(cache?.extract, (kept) => ({
      leftOperand: 'dynamos:cacheExtract',
      operator: 'eq',
      rightOperand: kept
    })),
    ...when(cache?.results, (kept) => ({
      leftOperand: 'dynamos:cacheResults',
      operator: 'eq',
      rightOperand: kept
    })),
    ...when(sandbox, (needed) => ({ leftOperand: 'dynamos:sandbox', operator: 'eq', rightOperand: needed }))
  ]
}

function anonymising({ anonymize }: Terms): OdrlConstraint[] {
  if (anonymize === undefined) return []
  const columns = (leftOperand: string, names: readonly string[]): OdrlConstraint[] =>
    names.length === 0 ? [] : [{ leftOperand, operator: 'isAllOf', rightOperand: [...names] }]
  return [
    ...columns('dynamos:pseudonymise', anonymize.pseudonymise),
    ...Object.entries(anonymize.generalise).map(
      ([column, to]): OdrlConstraint => ({
        leftOperand: 'dynamos:generalise',
        operator: 'eq',
        rightOperand: { '@type': '@json', '@value': { column, to } }
      })
    ),
    ...columns('dynamos:suppress', anonymize.suppress),
    ...when(anonymize.k, (k) => ({ leftOperand: 'dynamos:k', operator: 'gteq', rightOperand: k })),
    ...columns('dynamos:quasi', anonymize.quasi ?? [])
  ]
}

function act(name: string, refinement: OdrlConstraint[]): OdrlAction[] {
  return [{ 'rdf:value': { '@id': name }, refinement }]
}

/** What has to happen besides: services, anonymising, somebody's consent. */
function duties(provider: string, terms: Terms): OdrlDuty[] {
  const { approval, services } = terms
  const refinement = anonymising(terms)
  return [
    ...services.require.map((name) => ({
      action: act('dynamos:run', [{ leftOperand: 'dynamos:service', operator: 'eq', rightOperand: name }])
    })),
    ...(refinement.length === 0 ? [] : [{ action: act('odrl:anonymize', refinement) }]),
    ...(approval === undefined
      ? []
      : [
          {
            action: 'obtainConsent',
            ...(approval.by.length === 0
              ? {}
              : { consentingParty: approval.by.map((name) => urn('user', provider, name)) }),
            constraint: [
              { leftOperand: 'dynamos:approval', operator: 'eq' as const, rightOperand: approval.when },
              {
                leftOperand: 'dynamos:approvalWithin',
                operator: 'lteq' as const,
                rightOperand: duration(approval.within)
              }
            ]
          }
        ])
  ]
}

/**
 * The agreement as ODRL 2.2 in JSON-LD, in the subset of docs/odrl.md. One that all have signed is an Agreement, anything else
 * an Offer. `"*"` is no constraint, and an empty list is the value `dynamos:none`, which nothing is.
 */
export function odrlView(agreed: Viewed): OdrlPolicy {
  const { id, name, provider, dataset, terms, signed = false } = agreed
  const { consumers, onward, releaseAsk, revocation, cedar, services } = terms
  const about = Object.entries(terms.about)
  const parties = {
    assigner: { '@type': 'Party' as const, uid: organisation(provider) },
    ...(consumers.length === 0
      ? {}
      : {
          assignee: consumers.map(
            (consumer): OdrlParty =>
              'user' in consumer
                ? { '@type': 'Party', uid: urn('user', consumer.user.organisation, consumer.user.name) }
                : { '@type': 'PartyCollection', source: organisation(consumer.organisation) }
          )
        })
  }
  const whole: OdrlAsset = { '@type': 'AssetCollection', source: urn('dataset', provider, dataset) }
  const constraint = constraints(provider, terms)
  const duty = duties(provider, terms)
  return {
    '@context': CONTEXT,
    '@type': signed && consumers.length > 0 ? 'Agreement' : 'Offer',
    uid: id === undefined ? urn('draft', provider, name) : urn('agreement', id),
    profile: DYNAMOS_ODRL,
    'dct:title': name,
    permission: [
      {
        target: targets(agreed),
        action:
          terms.algorithms === '*' ? 'use' : act('odrl:use', oneOf('dynamos:algorithm', terms.algorithms)),
        ...parties,
        ...(constraint.length === 0 ? {} : { constraint }),
        ...(duty.length === 0 ? {} : { duty })
      }
    ],
    prohibition: [
      { target: whole, action: 'distribute', ...parties },
      ...(services.forbid.length === 0
        ? []
        : [
            {
              target: whole,
              action: act('dynamos:run', oneOf('dynamos:service', services.forbid)),
              ...parties
            }
          ])
    ],
    'dynamos:timezone': terms.timezone,
    ...(onward === undefined ? {} : { 'dynamos:onward': onward }),
    ...(releaseAsk === undefined ? {} : { 'dynamos:releaseAsk': releaseAsk }),
    ...(revocation === undefined
      ? {}
      : {
          'dynamos:revocation': {
            'dynamos:effect': revocation.effect,
            'dynamos:notice': duration(revocation.notice)
          }
        }),
    ...(cedar === undefined ? {} : { 'dynamos:cedar': cedar }),
    ...(about.length === 0
      ? {}
      : { 'dynamos:about': about.map(([key, text]) => ({ 'dynamos:key': key, 'dynamos:text': text })) })
  }
}
