import type { AnyOrNames, ResultTerms, Terms } from '../../protocol/documents/index.ts'
import { formatInstant, REQUESTER } from '../agreement/index.ts'

/** A clause by which an agreement would permit what the terms of its data do not, and what those allow. */
export interface Excess {
  clause: string
  message: string
}

function beyond(bound: AnyOrNames, names: AnyOrNames): string[] {
  if (bound === '*') return []
  if (names === '*') return ['*']
  return names.filter((name) => !bound.includes(name))
}

function listed(names: AnyOrNames): string {
  return names === '*' ? 'any' : names.length === 0 ? 'nobody' : names.join(', ')
}

/**
 * Everything by which an agreement about data that was made from others' is wider than the terms that came with it. `onward:
 * none` keeps it inside the organisation that received it: who may ask, compute and receive is that organisation alone. The
 * services that the terms require were in the chain that made it, and are not required once more.
 *
 * @param holder the organisation that received the result, and that would be the provider
 */
export function excessOver(bound: ResultTerms, terms: Terms, holder: string): Excess[] {
  const inside = bound.onward === 'none'
  const consumers = [
    ...new Set(terms.consumers.map((one) => ('user' in one ? one.user.organisation : one.organisation)))
  ]
  const recipients =
    terms.recipients === '*'
      ? '*'
      : [...new Set(terms.recipients.flatMap((name) => (name === REQUESTER ? consumers : [name])))]
  const own: AnyOrNames = inside ? [holder] : '*'
  const receivers = inside ? own : bound.recipients
  const found: Excess[] = []
  const compare = (clause: string, allowed: AnyOrNames, names: AnyOrNames): void => {
    const wider = beyond(allowed, names)
    if (wider.length > 0)
      found.push({
        clause,
        message: `wider than the terms that this data came with, which allow ${listed(allowed)}: ${wider.map((name) => `"${name}"`).join(', ')}${inside && clause !== 'purposes' ? '; they say onward: none' : ''}`
      })
  }
  compare('consumers', own, consumers)
  compare('computeProviders', own, terms.computeProviders)
  compare('recipients', receivers, recipients)
  compare('purposes', bound.purposes, terms.purposes)
  const { until } = terms.valid
  if (bound.until !== null && (until === undefined || until > bound.until))
    found.push({
      clause: 'valid.until',
      message: `the terms that this data came with end ${formatInstant(bound.until)}, expected an end by then, found ${until === undefined ? 'none' : formatInstant(until)}`
    })
  const missing = bound.forbid.filter((name) => !terms.services.forbid.includes(name))
  if (missing.length > 0)
    found.push({
      clause: 'services.forbid',
      message: `the terms that this data came with forbid ${missing.join(', ')}: expected them here too`
    })
  const { maxRows } = terms.output
  if (bound.maxRows !== null && (maxRows === undefined || maxRows > bound.maxRows))
    found.push({
      clause: 'output.maxRows',
      message: `the terms that this data came with allow ${bound.maxRows} rows: expected no more, found ${maxRows ?? 'no limit'}`
    })
  return found
}
