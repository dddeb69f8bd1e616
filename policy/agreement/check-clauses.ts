import type { AnyOrNames, Terms } from '../../protocol/documents/index.ts'
import { neverHolds, parsePredicate } from '../predicate/index.ts'
import { type AgreementDraft, REQUESTER } from './draft.ts'
import type { Finding } from './finding.ts'
import { listInWords } from './list-in-words.ts'

export type Add = (level: Finding['level'], clause: string, message: string) => void

/** Starts every chain; whoever forbids it forbids everything. */
const FIRST = 'query'

function names(list: AnyOrNames): readonly string[] {
  return list === '*' ? [] : list
}

/** Archetypes in which somebody else computes, and who may. */
function checkPlaces(
  add: Add,
  { provider, terms }: AgreementDraft,
  throughOthers: (archetype: string) => boolean | undefined
): void {
  const { computeProviders } = terms
  const archetypes = names(terms.archetypes)
  const others = computeProviders === '*' || computeProviders.some((name) => name !== provider)
  names(computeProviders).forEach((name, index) => {
    if (name === provider)
      add(
        'warning',
        `computeProviders.${index}`,
        `${provider} holds its data anyway; name those who may hold it besides, or leave it out`
      )
  })
  if (terms.archetypes === '*' || archetypes.length === 0) return
  if (!others) {
    const closed = archetypes.filter((archetype) => throughOthers(archetype) === true)
    for (const archetype of closed)
      add(
        'warning',
        `archetypes.${archetypes.indexOf(archetype)}`,
        `in ${archetype} another than ${provider} holds the data, and nobody else may; name who may in \`computeProviders\`, or leave the archetype out`
      )
  } else if (archetypes.every((archetype) => throughOthers(archetype) === false))
    add(
      'warning',
      'computeProviders',
      `it never binds: in ${listInWords(archetypes)} nobody but ${provider} holds the data; add an archetype that uses another's machines, or leave it out`
    )
}

function checkPeople(add: Add, { terms }: AgreementDraft): void {
  const { consumers, recipients } = terms
  const whole = consumers.flatMap((one) => ('organisation' in one ? [one.organisation] : []))
  const seen = new Set<string>()
  consumers.forEach((consumer, index) => {
    const said = JSON.stringify(consumer)
    if (seen.has(said)) add('warning', `consumers.${index}`, 'named twice; once is enough')
    else if ('user' in consumer && whole.includes(consumer.user.organisation))
      add(
        'warning',
        `consumers.${index}`,
        `everybody at ${consumer.user.organisation} is a consumer, ${consumer.user.name} too; leave one of both out`
      )
    seen.add(said)
  })
  if (recipients === '*' || recipients.length === 0 || recipients.includes(REQUESTER)) return
  const organisations = [
    ...new Set(consumers.map((one) => ('user' in one ? one.user.organisation : one.organisation)))
  ]
  if (organisations.length > 0 && !organisations.some((name) => recipients.includes(name)))
    add(
      'warning',
      'recipients',
      `results go to ${listInWords(recipients)} alone: ${listInWords(organisations)} may ask and gets nothing; name it here, or leave \`recipients\` out for whoever asks`
    )
}

function checkTables(add: Add, { tables }: Terms): void {
  if (tables === '*') return
  const folded = new Map<string, string>()
  for (const [name, { columns, where }] of Object.entries(tables)) {
    const other = folded.get(name.toLowerCase())
    if (other !== undefined)
      add('error', `tables.${name}`, `the engine does not tell it from "${other}"; keep one of both`)
    folded.set(name.toLowerCase(), name)
    const seen = new Map<string, string>()
    names(columns).forEach((column, index) => {
      const twin = seen.get(column.toLowerCase())
      if (twin !== undefined)
        add(
          'warning',
          `tables.${name}.columns.${index}`,
          `the engine does not tell it from "${twin}"; keep one of both`
        )
      seen.set(column.toLowerCase(), column)
    })
    if (where !== undefined) checkPredicate(add, name, where)
  }
}

function checkPredicate(add: Add, table: string, where: string): void {
  let column: string | undefined
  try {
    column = neverHolds(parsePredicate(where))
  } catch {
    // What is wrong with its grammar is said elsewhere
    return
  }
  if (column === undefined) return
  const what = column === '' ? 'it is true of no row' : `no value of ${column} fulfils it`
  add(
    'error',
    `tables.${table}.where`,
    `${what}, so that ${table} is empty; change the condition, or leave the table out`
  )
}

/** The same organisation computes and receives: then nobody can hold a result back from it. */
function checkRelease(
  add: Add,
  { terms }: AgreementDraft,
  throughOthers: (archetype: string) => boolean | undefined
): void {
  const { computeProviders, recipients } = terms
  if (terms.releaseAsk !== true || computeProviders.length === 0) return
  const archetypes = names(terms.archetypes)
  if (terms.archetypes !== '*' && archetypes.every((archetype) => throughOthers(archetype) === false)) return
  const asking = terms.consumers.map((one) => ('user' in one ? one.user.organisation : one.organisation))
  const receive = new Set(names(recipients).flatMap((name) => (name === REQUESTER ? asking : [name])))
  const both = names(computeProviders).filter((name) => recipients === '*' || receive.has(name))
  const open = computeProviders === '*' ? [...receive] : []
  if (both.length + open.length === 0) return
  const who = listInWords([...both, ...open])
  const closed =
    terms.archetypes !== '*' &&
    archetypes.every((archetype) => throughOthers(archetype) === true) &&
    computeProviders !== '*' &&
    recipients !== '*' &&
    computeProviders.length === 1 &&
    receive.size === 1
  add(
    closed ? 'error' : 'warning',
    'releaseAsk',
    `clause-not-enforceable where ${who} computes and receives: nobody could hold a result back from it, so that it is refused there${closed ? ', which is everywhere' : ''}; keep compute providers and recipients apart`
  )
}

/** Clauses that contradict each other, or that can never bind whatever is asked. */
export function checkClauses(
  add: Add,
  draft: AgreementDraft,
  known: { throughOthers?: (archetype: string) => boolean | undefined }
): void {
  const { terms } = draft
  checkPlaces(add, draft, known.throughOthers ?? (() => undefined))
  checkPeople(add, draft)
  checkRelease(add, draft, known.throughOthers ?? (() => undefined))
  checkTables(add, terms)
  const first = terms.services.forbid.indexOf(FIRST)
  if (first >= 0)
    add(
      'error',
      `services.forbid.${first}`,
      `every chain begins with ${FIRST}, so that nothing is permitted; leave it out`
    )
}
