import type { AnyOrNames, Terms } from '../../protocol/documents/index.ts'
import type { Add } from './check-clauses.ts'
import { type Agreed, type AgreementDraft, REQUESTER } from './draft.ts'
import { listInWords } from './list-in-words.ts'

/** Others of which something is said. */
const SAID = 5
const NAMED = 3

interface Side {
  clause: string
  /** One request may need several at once. */
  together: boolean
  names: AnyOrNames
}

function columns({ tables }: Terms): AnyOrNames {
  if (tables === '*') return tables
  return Object.entries(tables).flatMap(([table, { columns }]) =>
    columns === '*' ? [`${table}.*`] : columns.map((column) => `${table}.${column}`)
  )
}

function sidesOf({ provider, terms }: Agreed): Side[] {
  const { recipients, computeProviders } = terms
  return [
    { clause: 'purposes', together: false, names: terms.purposes },
    { clause: 'archetypes', together: false, names: terms.archetypes },
    { clause: 'algorithms', together: false, names: terms.algorithms },
    {
      clause: 'computeProviders',
      together: false,
      names:
        computeProviders === '*' ? computeProviders : computeProviders.filter((name) => name !== provider)
    },
    {
      clause: 'recipients',
      together: true,
      names: recipients === '*' ? recipients : recipients.filter((name) => name !== REQUESTER)
    },
    { clause: 'tables', together: true, names: columns(terms) }
  ]
}

/** What one side permits and the other does not; none where that is not for certain. */
function beyond(one: AnyOrNames, other: AnyOrNames): string[] {
  if (other === '*') return []
  if (one === '*') return ['any']
  const has = (name: string) => other.includes(name) || other.includes(`${name.split('.')[0]}.*`)
  return one.filter((name) => !has(name))
}

function shareConsumers(one: Terms, other: Terms): boolean {
  return one.consumers.some((left) =>
    other.consumers.some((right) => {
      if ('user' in left && 'user' in right)
        return left.user.organisation === right.user.organisation && left.user.name === right.user.name
      const organisation = 'user' in left ? left.user.organisation : left.organisation
      return organisation === ('user' in right ? right.user.organisation : right.organisation)
    })
  )
}

/** Where each permits something that the other does not, and a request could want both. */
function halves(one: Agreed, other: Agreed): { clause: string; here: string; there: string } | undefined {
  const theirs = sidesOf(other)
  const differences = sidesOf(one).map(({ clause, together, names }, index) => {
    const facing = theirs[index]?.names ?? []
    return { clause, together, more: beyond(names, facing), less: beyond(facing, names) }
  })
  const named = (clause: string, list: readonly string[]) =>
    `${clause} ${listInWords(list.slice(0, NAMED))}${list.length > NAMED ? ' and more' : ''}`
  for (const mine of differences) {
    if (mine.more.length === 0) continue
    const theirsOnly = differences.find(
      ({ clause, together, less }) => less.length > 0 && (clause !== mine.clause || together)
    )
    if (theirsOnly !== undefined)
      return {
        clause: mine.clause,
        here: named(mine.clause, mine.more),
        there: named(theirsOnly.clause, theirsOnly.less)
      }
  }
  return undefined
}

/**
 * Two agreements that each permit half of what somebody may want. A request runs under exactly one, so that the halves do not
 * add up.
 */
export function checkBeside(add: Add, draft: AgreementDraft, others: readonly Agreed[]): void {
  let said = 0
  for (const other of others) {
    if (other.name === draft.name || other.provider !== draft.provider || other.dataset !== draft.dataset)
      continue
    if (said === SAID || !shareConsumers(draft.terms, other.terms)) continue
    const found = halves(draft, other)
    if (found === undefined) continue
    said += 1
    add(
      'warning',
      found.clause,
      `only this permits ${found.here}, only ${other.name} permits ${found.there}: a request that needs both is refused, because clauses of two agreements are never mixed; put both into one if that is meant`
    )
  }
}
