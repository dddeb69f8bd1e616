import type { AnyOrNames, Terms } from '../../protocol/documents/index.ts'
import { parsePredicate, predicateColumns } from '../predicate/index.ts'
import { checkAnonymize } from './check-anonymize.ts'
import { checkBeside } from './check-beside.ts'
import { checkClauses } from './check-clauses.ts'
import { checkColumns, type KnownTable } from './check-columns.ts'
import { checkRules, type RuleRemark } from './check-rules.ts'
import { checkValidity } from './check-validity.ts'
import { type Agreed, type AgreementDraft, REQUESTER } from './draft.ts'
import { unenforceableClauses } from './enforceable.ts'
import type { Finding } from './finding.ts'
import { protectionOf } from './protection.ts'
import { requiredServices } from './required-services.ts'
import { didYouMean } from './suggestion.ts'

/** What is known where an agreement is checked; what is left out is not checked. */
export interface KnownFacts {
  organisations?: readonly string[]
  purposes?: readonly string[]
  archetypes?: readonly string[]
  services?: readonly string[]
  algorithms?: readonly string[]
  /** Tables of the provider's dataset; null when the provider has no such dataset. */
  tables?: readonly KnownTable[] | null
  /** Whether somebody who is to approve requests can: the provider speaks for them. */
  approves?: (user: string) => boolean
  /** Whether an organisation's membership lists a user, or the user's mail domain. */
  speaksFor?: (organisation: string, user: string) => boolean
  /** Whether in an archetype others than data providers hold data; undefined: not known. */
  throughOthers?: (archetype: string) => boolean | undefined
  /** Whether an algorithm needs a column of numbers. */
  needsNumbers?: (algorithm: string) => boolean
  /** Other agreements in force, or about to be. */
  beside?: readonly Agreed[]
  /** Reads the text of `cedar`. */
  rules?: ((text: string) => readonly RuleRemark[]) | undefined
  /** Instant in milliseconds. */
  now?: number
}

/** Of one list; whoever wrote a thousand wrong names needs no thousand lines. */
const MOST_UNKNOWN = 20
const NAMED = 8

/** What was probably meant, or else what may be written. */
function whatThereIs(name: string, known: readonly string[]): string {
  const meant = didYouMean(name, known)
  if (meant !== '') return meant
  if (known.length === 0) return '; there is none here'
  const more = known.length > NAMED ? `, and ${known.length - NAMED} more` : ''
  return `; expected one of ${known.slice(0, NAMED).join(', ')}${more}`
}

class Check {
  readonly findings: Finding[] = []
  readonly #draft: AgreementDraft

  constructor(draft: AgreementDraft) {
    this.#draft = draft
  }

  add(level: Finding['level'], clause: string, message: string): void {
    const parts = clause.split('.')
    for (let length = parts.length; length > 0; length -= 1) {
      const key = parts.slice(0, length).join('.')
      const line = this.#draft.lines[key]
      if (line === undefined) continue
      const column = this.#draft.columns?.[key]
      this.findings.push({ level, clause, message, line, ...(column === undefined ? {} : { column }) })
      return
    }
    this.findings.push({ level, clause, message })
  }

  unknown(
    level: Finding['level'],
    clause: string,
    what: string,
    names: AnyOrNames,
    known: readonly string[] | undefined
  ): void {
    if (names === '*' || known === undefined) return
    const there = new Set([...known, REQUESTER])
    const unknown = names.flatMap((name, index) => (there.has(name) ? [] : [{ name, index }]))
    for (const { name, index } of unknown.slice(0, MOST_UNKNOWN))
      this.add(level, `${clause}.${index}`, `unknown ${what} "${name}"${whatThereIs(name, known)}`)
    const more = unknown.length - MOST_UNKNOWN
    if (more > 0) this.add(level, clause, `${more} more are unknown`)
  }
}

function checkNames(check: Check, draft: AgreementDraft, known: KnownFacts): void {
  const { terms } = draft
  check.unknown('error', 'archetypes', 'archetype', terms.archetypes, known.archetypes)
  check.unknown('error', 'algorithms', 'algorithm', terms.algorithms, known.algorithms)
  check.unknown('error', 'services.require', 'service', terms.services.require, known.services)
  check.unknown('error', 'services.forbid', 'service', terms.services.forbid, known.services)
  check.unknown('error', 'purposes', 'purpose', terms.purposes, known.purposes)
  // An organisation may join later and nobody is let in meanwhile: a warning, unless its signature is needed
  check.unknown('warning', 'computeProviders', 'organisation', terms.computeProviders, known.organisations)
  check.unknown('warning', 'recipients', 'organisation', terms.recipients, known.organisations)
  if (draft.standing !== undefined)
    check.unknown('warning', 'standing.takers', 'organisation', draft.standing.takers, known.organisations)
  const organisations = known.organisations
  if (organisations === undefined) return
  const must = (clause: string, name: string) => {
    if (!organisations.includes(name))
      check.add('error', clause, `unknown organisation "${name}"${whatThereIs(name, organisations)}`)
  }
  must('provider', draft.provider)
  terms.consumers.forEach((consumer, index) => {
    must(`consumers.${index}`, 'user' in consumer ? consumer.user.organisation : consumer.organisation)
  })
}

function checkTables(check: Check, terms: Terms, known: NonNullable<KnownFacts['tables']>): void {
  if (terms.tables === '*') return
  const names = known.map((table) => table.name)
  for (const [name, grant] of Object.entries(terms.tables)) {
    const table = known.find((one) => one.name === name)
    if (table === undefined) {
      check.add('error', `tables.${name}`, `unknown table "${name}"${whatThereIs(name, names)}`)
      continue
    }
    const columns = table.columns.map((column) => column.name)
    const [level, what] =
      table.partial === true
        ? (['warning', 'column (the dataset describes not all of them)'] as const)
        : (['error', 'column'] as const)
    check.unknown(level, `tables.${name}.columns`, what, grant.columns, columns)
    if (grant.where === undefined) continue
    const clause = `tables.${name}.where`
    try {
      for (const column of predicateColumns(parsePredicate(grant.where))) {
        if (!columns.some((one) => one.toLowerCase() === column.toLowerCase()))
          check.add(level, clause, `unknown ${what} "${column}"${whatThereIs(column, columns)}`)
      }
    } catch (error) {
      check.add('error', clause, error instanceof Error ? error.message : 'unreadable')
    }
  }
}

/** Clauses that permit nothing. Legal, and often an oversight. */
function checkEmpty(check: Check, { terms, standing }: AgreementDraft): void {
  for (const clause of ['purposes', 'archetypes', 'algorithms', 'recipients', 'consumers'] as const) {
    if (clause === 'consumers' && standing !== undefined) continue
    if (terms[clause].length === 0) check.add('warning', clause, `no ${clause}: nothing is permitted`)
  }
  if (terms.tables !== '*') {
    const tables = Object.entries(terms.tables)
    if (tables.length === 0) check.add('warning', 'tables', 'no tables: nothing is permitted')
    for (const [name, { columns }] of tables) {
      if (columns.length === 0)
        check.add('warning', `tables.${name}.columns`, 'no columns: the table is not shown')
    }
  }
  if (terms.limits?.requests === 0)
    check.add('warning', 'limits.requests', 'no requests: nothing is permitted')
  if (terms.limits?.per === 0) check.add('warning', 'limits.per', 'a window of no length: nothing is limited')
  if (terms.output.maxRows === 0) check.add('warning', 'output.maxRows', 'no rows: only empty results leave')
}

function checkProtection(check: Check, terms: Terms): void {
  const found = protectionOf(terms)
  if (found === null) {
    if (terms.output.unit !== undefined)
      check.add('warning', 'output.unit', 'nothing protects it: expected `minGroupSize` or `aggregatesOnly`')
    return
  }
  if (found.minGroupSize === 1)
    check.add(
      'warning',
      'output.aggregatesOnly',
      'no `minGroupSize`: a group of one person leaves like any other'
    )
}

/**
 * What a steward should know before signing: names that nobody knows, lists that permit nothing, contradictions, and
 * clauses that this agent would not enforce. An error means: as it stands it cannot do what it says.
 */
export function checkAgreement(draft: AgreementDraft, known: KnownFacts): Finding[] {
  const { terms } = draft
  const check = new Check(draft)
  for (const { clause, reason } of unenforceableClauses(terms)) {
    check.add('error', clause, `clause-not-enforceable: ${reason}; every request would be refused`)
  }
  checkNames(check, draft, known)
  if (known.tables === null) check.add('error', 'dataset', `the provider has no dataset "${draft.dataset}"`)
  else if (known.tables !== undefined) checkTables(check, terms, known.tables)
  checkAnonymize((...finding) => check.add(...finding), terms, known.tables)
  if (known.rules !== undefined) check.findings.push(...checkRules(draft, known.rules))
  checkEmpty(check, draft)
  checkProtection(check, terms)
  terms.approval?.by.forEach((user, index) => {
    if (known.approves?.(user) === false)
      check.add(
        'warning',
        `approval.by.${index}`,
        `"${user}" is no user of ${draft.provider} that is known here, and could not approve anything`
      )
  })

  terms.consumers.forEach((consumer, index) => {
    if (!('user' in consumer)) return
    const { organisation, name } = consumer.user
    if (
      known.speaksFor?.(organisation, name) === false &&
      known.organisations?.includes(organisation) !== false
    )
      check.add(
        'warning',
        `consumers.${index}`,
        `${organisation} speaks for no "${name}": its membership lists neither the user nor the mail domain, so that nobody can ask as this user; ask ${organisation} to have its membership renewed, or name another`
      )
  })

  const torn = requiredServices(terms).find(
    (name) => terms.services.require.includes(name) && terms.services.forbid.includes(name)
  )
  if (torn !== undefined)
    check.add('error', 'services', `the service "${torn}" is both required and forbidden`)
  if (terms.services.require.includes('anonymize') && terms.anonymize === undefined)
    check.add('warning', 'services.require', 'anonymize is required, and no `anonymize` says which columns')
  checkClauses((...finding) => check.add(...finding), draft, known)
  checkValidity((...finding) => check.add(...finding), draft, known.now)
  checkBeside((...finding) => check.add(...finding), draft, known.beside ?? [])
  if (known.tables)
    checkColumns(
      (...finding) => check.add(...finding),
      terms,
      known.tables,
      known.needsNumbers ?? (() => false)
    )
  return check.findings.sort(
    (one, other) => (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0)
  )
}
