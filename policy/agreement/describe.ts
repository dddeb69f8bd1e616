import type { AnyOrNames, Terms } from '../../protocol/documents/index.ts'
import { anonymisationInWords } from './anonymize-words.ts'
import { type Agreed, REQUESTER } from './draft.ts'
import { unenforceableClauses } from './enforceable.ts'
import { listInWords } from './list-in-words.ts'
import { protectionOf } from './protection.ts'
import { formatDuration, formatInstant } from './quantities.ts'

function anyOr(names: AnyOrNames, any: string, none: string): string {
  return names === '*' ? any : listInWords(names, none)
}

function consumers(terms: Terms): string {
  return listInWords(
    terms.consumers.map((consumer) =>
      'user' in consumer
        ? `${consumer.user.name} of ${consumer.user.organisation}`
        : `everybody at ${consumer.organisation}`
    ),
    'nobody'
  )
}

function tables(terms: Terms): string[] {
  if (terms.tables === '*') return ['They may see all tables and columns.']
  const shown = Object.entries(terms.tables).map(
    ([name, { columns, where }]) =>
      `They may see of ${name}: ${anyOr(columns, 'all columns', 'no columns')}${where === undefined ? '' : `; only rows where ${where}`}.`
  )
  return shown.length > 0 ? shown : ['They may see no tables.']
}

function anonymisation(terms: Terms): string[] {
  const parts = anonymisationInWords(terms)
  return parts.length > 0 ? [`Before anything leaves, anonymize ${listInWords(parts, '')}.`] : []
}

function protection(terms: Terms): string[] {
  const found = protectionOf(terms)
  if (found === null) return []
  const { unit, minGroupSize } = found
  const only = 'Only counts, means, variances and sums leave, never rows.'
  if (minGroupSize === 1) return [only]
  const of = unit === null ? 'people or whatever else its tables are about' : `values of ${unit}`
  return [
    only,
    `A group leaves when at least ${minGroupSize} different ${of} are in it, and does not differ from an earlier one by fewer.`
  ]
}

function limits(terms: Terms): string[] {
  const { from, until } = terms.valid
  return [
    ...(terms.output.maxRows === undefined ? [] : [`A result has at most ${terms.output.maxRows} rows.`]),
    ...(terms.limits === undefined
      ? []
      : [`At most ${terms.limits.requests} requests in ${formatDuration(terms.limits.per)}.`]),
    ...(from === undefined ? [] : [`In force from ${formatInstant(from)}.`]),
    ...(until === undefined
      ? ['It has no end.']
      : [`In force until ${formatInstant(until)}, which is not included.`])
  ]
}

function approval({ approval }: Terms): string[] {
  if (approval === undefined) return []
  const { by, when, within } = approval
  const what =
    when === 'firstTime'
      ? 'The first request of a person for a purpose and an algorithm'
      : 'Every single request'
  const who = by.length > 1 ? `one of ${listInWords(by, 'nobody')}` : listInWords(by, 'nobody')
  return [`${what} waits until ${who} approves it, at most ${formatDuration(within)}.`]
}

/** Nobody could say it in fewer words that bind: so they are shown as they are. */
function rules(provider: string, { cedar }: Terms): string[] {
  const text = cedar?.replaceAll(/\s+/g, ' ').trim() ?? ''
  return text === '' ? [] : [`Besides, ${provider} forbids what these rules (Cedar) forbid: ${text}`]
}

function cache({ cache }: Terms): string[] {
  const kept = [
    ...(cache === undefined || cache.extract === 'none' ? [] : [`extracts for at most ${cache.extract}`]),
    ...(cache === undefined || cache.results === 'none' ? [] : [`results for at most ${cache.results}`])
  ]
  return kept.length === 0 ? [] : [`The provider may keep ${listInWords(kept)} to answer again.`]
}

function revocation({ revocation }: Terms): string {
  const { effect, notice } = revocation ?? { effect: 'stop', notice: 0 }
  const when = notice === 0 ? 'at once' : `${formatDuration(notice)} after its steward said so`
  const runs = effect === 'finish' ? 'what runs then may finish' : 'what runs then is stopped'
  return `Each party may revoke it: it ends ${when}, and ${runs}.`
}

/** An agreement in plain language, made from the same terms that are decided by; nothing else is said. */
export function describeAgreement({ name, provider, dataset, terms }: Agreed): string[] {
  const recipients =
    terms.recipients === '*'
      ? terms.recipients
      : terms.recipients.map((one) => (one === REQUESTER ? 'the organisation that asks' : one))
  return [
    `${name}: ${provider} lets ${consumers(terms)} ask about the dataset ${dataset}.`,
    `Purposes: ${anyOr(terms.purposes, 'any', 'none, so nothing is permitted')}.`,
    ...tables(terms),
    `Ways to work together: ${anyOr(terms.archetypes, 'any', 'none, so nothing is permitted')}.`,
    `Algorithms: ${anyOr(terms.algorithms, 'any', 'none, so nothing is permitted')}.`,
    terms.computeProviders !== '*' && terms.computeProviders.length === 0
      ? `Only ${provider} itself may hold the data.`
      : `Besides ${provider}, ${anyOr(terms.computeProviders, 'anybody', 'nobody')} may hold the data.`,
    `Results go to: ${anyOr(recipients, 'anybody', 'nobody')}. They may not be passed on.`,
    ...(terms.releaseAsk === true
      ? [`Each result waits where it was made until ${provider} has released it; ${provider} may refuse.`]
      : []),
    ...(terms.services.require.length > 0
      ? [`Every chain contains ${listInWords(terms.services.require, '')}.`]
      : []),
    ...(terms.services.forbid.length > 0
      ? [`No chain contains ${listInWords(terms.services.forbid, '')}.`]
      : []),
    ...anonymisation(terms),
    ...protection(terms),
    ...limits(terms),
    ...approval(terms),
    ...cache(terms),
    revocation(terms),
    terms.sandbox === 'required'
      ? 'Wherever the data goes, jobs run in sandboxes.'
      : 'Places that run jobs without sandboxes may hold the data.',
    ...rules(provider, terms),
    ...unenforceableClauses(terms).map(
      ({ clause, reason }) => `Not enforceable here, so everything is refused: ${clause} (${reason}).`
    ),
    ...Object.entries(terms.about).map(([key, value]) => `${key}: ${value} (for the record, not enforced)`)
  ]
}
