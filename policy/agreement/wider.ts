import type { AnyOrNames, Terms } from '../../protocol/documents/index.ts'
import { REQUESTER } from './draft.ts'

type Compare = (bound: Terms, terms: Terms) => boolean

/** Equal as data; the keys of one may stand in another order. */
function same(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other)
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
        : inner
    ) ?? ''
  )
}

function within(bound: AnyOrNames, names: AnyOrNames): boolean {
  if (bound === '*') return true
  return names !== '*' && names.every((name) => bound.includes(name))
}

function atMost(bound: number | undefined, found: number | undefined): boolean {
  return bound === undefined || (found !== undefined && found <= bound)
}

function atLeast(bound: number | undefined, found: number | undefined): boolean {
  return bound === undefined || (found !== undefined && found >= bound)
}

function organisationsOf(terms: Terms): string[] {
  return terms.consumers.map((one) => ('user' in one ? one.user.organisation : one.organisation))
}

function recipients(bound: Terms, terms: Terms): boolean {
  if (bound.recipients === '*') return true
  if (terms.recipients === '*') return false
  const allowed = [
    ...bound.recipients,
    ...(bound.recipients.includes(REQUESTER) ? organisationsOf(terms) : [])
  ]
  return terms.recipients
    .flatMap((name) => (name === REQUESTER && !allowed.includes(name) ? organisationsOf(terms) : [name]))
    .every((name) => allowed.includes(name))
}

function consumers(bound: Terms, terms: Terms): boolean {
  return terms.consumers.every((consumer) =>
    bound.consumers.some((one) => {
      if ('organisation' in one)
        return one.organisation === ('user' in consumer ? consumer.user.organisation : consumer.organisation)
      return 'user' in consumer && same(one.user, consumer.user)
    })
  )
}

function tables(bound: Terms, terms: Terms): boolean {
  if (bound.tables === '*') return true
  if (terms.tables === '*') return false
  const allowed = bound.tables
  return Object.entries(terms.tables).every(([name, grant]) => {
    const limit = Object.hasOwn(allowed, name) ? allowed[name] : undefined
    if (limit === undefined || !within(limit.columns, grant.columns)) return false
    return limit.where === undefined || limit.where.trim() === grant.where?.trim()
  })
}

function anonymize(bound: Terms, terms: Terms): boolean {
  const limit = bound.anonymize
  if (limit === undefined) return true
  const found = terms.anonymize
  if (found === undefined) return false
  const suppressed = (column: string) => found.suppress.includes(column)
  return (
    limit.suppress.every(suppressed) &&
    limit.pseudonymise.every((column) => suppressed(column) || found.pseudonymise.includes(column)) &&
    Object.entries(limit.generalise).every(
      ([column, how]) =>
        suppressed(column) || (Object.hasOwn(found.generalise, column) && same(how, found.generalise[column]))
    ) &&
    atLeast(limit.k, found.k) &&
    (limit.quasi === undefined || same(limit.quasi, found.quasi))
  )
}

/** Each clause: whether the terms permit nothing by it that the bound does not. */
const CLAUSES: Readonly<Record<string, Compare>> = {
  purposes: (bound, terms) => within(bound.purposes, terms.purposes),
  archetypes: (bound, terms) => within(bound.archetypes, terms.archetypes),
  computeProviders: (bound, terms) => within(bound.computeProviders, terms.computeProviders),
  recipients,
  tables,
  algorithms: (bound, terms) => within(bound.algorithms, terms.algorithms),
  services: ({ services: bound }, { services }) =>
    bound.require.every((name) => services.require.includes(name)) &&
    bound.forbid.every((name) => services.forbid.includes(name)),
  output: ({ output: bound }, { output }) =>
    (bound.unit === undefined || bound.unit === output.unit) &&
    atLeast(bound.minGroupSize, output.minGroupSize) &&
    atMost(bound.maxRows, output.maxRows) &&
    (bound.aggregatesOnly !== true || output.aggregatesOnly === true),
  anonymize,
  limits: ({ limits: bound }, { limits }) =>
    atMost(bound?.requests, limits?.requests) && atLeast(bound?.per, limits?.per),
  approval: ({ approval: bound }, { approval }) => bound === undefined || same(bound, approval),
  privacy: ({ privacy: bound }, { privacy }) =>
    atMost(bound?.epsilonMicros, privacy?.epsilonMicros) &&
    atMost(bound?.budgetMicros, privacy?.budgetMicros) &&
    atLeast(bound?.per, privacy?.per),
  cache: ({ cache: bound }, { cache }) =>
    (['extract', 'results'] as const).every((key) => {
      const kept = cache?.[key] ?? 'none'
      return kept === 'none' || kept === bound?.[key]
    }),
  valid: ({ valid: bound }, { valid }) => atLeast(bound.from, valid.from) && atMost(bound.until, valid.until),
  sandbox: (bound, terms) => bound.sandbox !== 'required' || terms.sandbox === 'required',
  onward: (bound, terms) => {
    const onward = terms.onward ?? 'none'
    return onward === 'none' || onward === bound.onward
  },
  releaseAsk: (bound, terms) => bound.releaseAsk !== true || terms.releaseAsk === true,
  revocation: (bound, terms) => {
    const limit = bound.revocation ?? { effect: 'stop', notice: 0 }
    const found = terms.revocation ?? { effect: 'stop', notice: 0 }
    return (found.effect === 'stop' || limit.effect === 'finish') && found.notice <= limit.notice
  },
  cedar: ({ cedar: bound }, { cedar }) => bound === undefined || bound.trim() === cedar?.trim()
}

/**
 * The clauses by which terms may permit what a bound does not. Where that cannot be told (conditions on rows, further rules),
 * only the same text counts as no wider.
 *
 * @param options.consumers whether who may ask is compared too
 */
export function widerThan(bound: Terms, terms: Terms, options: { consumers: boolean }): string[] {
  const wider = Object.entries(CLAUSES).flatMap(([clause, fits]) => (fits(bound, terms) ? [] : [clause]))
  return options.consumers && !consumers(bound, terms) ? ['consumers', ...wider] : wider
}
