import type { Terms } from '../../protocol/documents/index.ts'
import type { Viewed } from './viewed.ts'

/** Names, arities and queries as the enforcer of DYNAMOS-eflint knows them; it has this layer itself. */
const INTERFACE = `// Layer 1: what the enforcer of DYNAMOS-eflint asks. It brings this layer itself.
Fact requester
Fact data-steward
Fact dataset
Fact request-type
Fact archetype
Fact compute-provider
Fact requested-steward Identified by data-steward
Fact permitted-request Identified by requester
Fact permitted-at-steward Identified by requester * data-steward
Fact valid-archetype Identified by requester * data-steward * archetype
Fact valid-compute-provider Identified by requester * data-steward * compute-provider
Fact permitted-continuation Identified by requester * data-steward * archetype
Duty obligated-log Holder data-steward Claimant requester
Fact data-request Identified by requester * data-steward
Act submit-data-request Actor requester Related to data-steward
  Holds when requested-steward(data-steward) && permitted-at-steward(requester, data-steward)
  Creates data-request(requester, data-steward)
  Creates obligated-log(data-steward, requester)
`

const RULES = `// Layer 2, the same for all stewards: what an agreement says, and what follows from it.
Fact agreement Identified by data-steward
Fact steward-supports-archetype Identified by data-steward * archetype
  Conditioned by agreement(data-steward)
Fact steward-supports-compute-provider Identified by data-steward * compute-provider
  Conditioned by agreement(data-steward)
Fact has-relation Identified by requester * data-steward
  Conditioned by agreement(data-steward)
Fact relation-allows-request-type Identified by requester * data-steward * request-type
  Conditioned by has-relation(requester, data-steward)
Fact relation-allows-dataset Identified by requester * data-steward * dataset
  Conditioned by has-relation(requester, data-steward)
Fact relation-allows-archetype Identified by requester * data-steward * archetype
  Conditioned by has-relation(requester, data-steward)
Fact relation-allows-compute-provider Identified by requester * data-steward * compute-provider
  Conditioned by has-relation(requester, data-steward)
Extend Fact permitted-at-steward
  Holds when agreement(data-steward) && has-relation(requester, data-steward)
Extend Fact permitted-request
  Holds when requested-steward(data-steward) && permitted-at-steward(requester, data-steward)
Extend Fact valid-archetype
  Holds when relation-allows-archetype(requester, data-steward, archetype)
    && steward-supports-archetype(data-steward, archetype)
Extend Fact valid-compute-provider
  Holds when relation-allows-compute-provider(requester, data-steward, compute-provider)
    && steward-supports-compute-provider(data-steward, compute-provider)
Extend Fact permitted-continuation
  Holds when permitted-at-steward(requester, data-steward)
    && valid-archetype(requester, data-steward, archetype)
`

const CARRIED = `// Layer 2, further: every clause as it was agreed. No rule above reads these: the layers know no purposes, columns, limits
// or times, so that they permit more than the agreement does.
Fact clause
Fact clause-value
Fact agreement-clause Identified by data-steward * clause * clause-value
  Conditioned by agreement(data-steward)
`

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t'
}

function quoted(text: string): string {
  // Nothing of a text may end its line, or show another text than is there
  const escaped = text.replaceAll(
    /[\\"\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/gu,
    (letter) => ESCAPES[letter] ?? `\\u${(letter.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
  )
  return `"${escaped}"`
}

function fact(name: string, ...parts: string[]): string {
  return `+${name}(${parts.map(quoted).join(', ')}).`
}

/** Somebody as PROTOCOL names people; everybody of an organisation by its name. No organisation has a "/" in its name. */
function requesterOf(consumer: Terms['consumers'][number]): string {
  return 'user' in consumer ? `${consumer.user.organisation}/${consumer.user.name}` : consumer.organisation
}

/** Dots, slashes and brackets in names would make two clauses one. */
function step(key: string): string {
  return /^[\p{L}\p{N}_-]+$/u.test(key) ? key : `[${JSON.stringify(key)}]`
}

/** Each leaf of the terms as clause and value; an empty list or mapping is a leaf. */
function* leaves(value: unknown, path: string): Generator<[clause: string, value: string]> {
  if (value === undefined) return
  if (typeof value !== 'object' || value === null) {
    yield [path, String(value)]
    return
  }
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  if (entries.length === 0) yield [path, Array.isArray(value) ? '[]' : '{}']
  for (const [key, inner] of entries)
    yield* leaves(inner, path === '' ? step(String(key)) : `${path}.${step(String(key))}`)
}

function named(names: Terms['archetypes']): readonly string[] {
  return names === '*' ? [] : names
}

function steward({ provider, dataset, terms }: Viewed): string[] {
  const archetypes = named(terms.archetypes)
  const places = named(terms.computeProviders)
  return [
    fact('data-steward', provider),
    fact('dataset', dataset),
    ...archetypes.map((name) => fact('archetype', name)),
    ...places.map((name) => fact('compute-provider', name)),
    fact('agreement', provider),
    ...archetypes.map((name) => fact('steward-supports-archetype', provider, name)),
    ...places.map((name) => fact('steward-supports-compute-provider', provider, name))
  ]
}

function relation(requester: string, { provider, dataset, terms }: Viewed): string[] {
  return [
    fact('has-relation', requester, provider),
    fact('relation-allows-dataset', requester, provider, dataset),
    ...named(terms.archetypes).map((name) => fact('relation-allows-archetype', requester, provider, name)),
    ...named(terms.computeProviders).map((name) =>
      fact('relation-allows-compute-provider', requester, provider, name)
    )
  ]
}

function queries(requester: string, provider: string): string[] {
  const who = quoted(requester)
  const where = quoted(provider)
  return [
    `?Holds(permitted-request(${who})).`,
    `?Holds(permitted-at-steward(${who}, ${where})).`,
    `?-archetype When valid-archetype(${who}, ${where}, archetype).`,
    `?-compute-provider When valid-compute-provider(${who}, ${where}, compute-provider).`
  ]
}

/**
 * The layers of DYNAMOS-eflint: its interface and shared rules, the agreement's facts, and one request by each consumer. What
 * the layers have no fact for is carried clause by clause as `agreement-clause`. An open list (`"*"`) names nobody: the
 * enforcer goes by names, so that the layers permit none.
 */
export function eflintView(agreed: Viewed): string {
  const { name, provider, terms } = agreed
  const requesters = [...new Set(terms.consumers.map(requesterOf))]
  const open = [
    ...(terms.archetypes === '*' ? ['archetypes'] : []),
    ...(terms.computeProviders === '*' ? ['computeProviders'] : [])
  ]
  return [
    INTERFACE,
    RULES,
    `// Layer 2, of this steward: the agreement ${quoted(name)}.`,
    ...open.map((clause) => `// ${clause} is "*", any; add the facts of those that you mean.`),
    ...steward(agreed),
    ...requesters.flatMap((requester) => ['', ...relation(requester, agreed)]),
    '',
    CARRIED,
    ...[...leaves(terms, '')].map(([clause, value]) => fact('agreement-clause', provider, clause, value)),
    '',
    '// Layer 3: a request by each consumer. The enforcer makes the facts of the request that it is asked about.',
    fact('requested-steward', provider),
    ...requesters.map((requester) => fact('requester', requester)),
    '',
    '// What the enforcer asks then.',
    ...requesters.flatMap((requester) => queries(requester, provider)),
    ''
  ].join('\n')
}
