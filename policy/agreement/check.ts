import type { AnyOrNames, Terms } from '../../protocol/documents/index.ts'
import { parsePredicate, predicateColumns } from '../predicate/index.ts'
import { checkAnonymize } from './check-anonymize.ts'
import { checkRules, type RuleRemark } from './check-rules.ts'
import { type AgreementDraft, type Finding, REQUESTER } from './draft.ts'
import { unenforceableClauses } from './enforceable.ts'
import { protectionOf } from './protection.ts'
import { formatInstant } from './quantities.ts'
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
  tables?: readonly { name: string; columns: readonly { name: string }[] }[] | null
  /** Whether somebody who is to approve requests can: the provider speaks for them. */
  approves?: (user: string) => boolean
  /** Reads the text of `cedar`. */
  rules?: ((text: string) => readonly RuleRemark[]) | undefined
  /** Instant in milliseconds. */
  now?: number
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
      const line = this.#draft.lines[parts.slice(0, length).join('.')]
      if (line === undefined) continue
      this.findings.push({ level, clause, message, line })
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
    names.forEach((name, index) => {
      if (known.includes(name) || name === REQUESTER) return
      this.add(level, `${clause}.${index}`, `unknown ${what} "${name}"${didYouMean(name, known)}`)
    })
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
  const organisations = known.organisations
  if (organisations === undefined) return
  const must = (clause: string, name: string) => {
    if (!organisations.includes(name))
      check.add('error', clause, `unknown organisation "${name}"${didYouMean(name, organisations)}`)
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
      check.add('error', `tables.${name}`, `unknown table "${name}"${didYouMean(name, names)}`)
      continue
    }
    const columns = table.columns.map((column) => column.name)
    check.unknown('error', `tables.${name}.columns`, 'column', grant.columns, columns)
    if (grant.where === undefined) continue
    const clause = `tables.${name}.where`
    try {
      for (const column of predicateColumns(parsePredicate(grant.where))) {
        if (!columns.some((one) => one.toLowerCase() === column.toLowerCase()))
          check.add('error', clause, `unknown column "${column}"${didYouMean(column, columns)}`)
      }
    } catch (error) {
      check.add('error', clause, error instanceof Error ? error.message : 'unreadable')
    }
  }
}

/** Clauses that permit nothing. Legal, and often an oversight. */
function checkEmpty(check: Check, terms: Terms): void {
  for (const clause of ['purposes', 'archetypes', 'algorithms', 'recipients', 'consumers'] as const) {
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
  checkEmpty(check, terms)
  checkProtection(check, terms)
  terms.approval?.by.forEach((user, index) => {
    if (known.approves?.(user) === false)
      check.add(
        'warning',
        `approval.by.${index}`,
        `"${user}" is no user of ${draft.provider} that is known here, and could not approve anything`
      )
  })

  const torn = requiredServices(terms).find(
    (name) => terms.services.require.includes(name) && terms.services.forbid.includes(name)
  )
  if (torn !== undefined)
    check.add('error', 'services', `the service "${torn}" is both required and forbidden`)
  if (terms.services.require.includes('anonymize') && terms.anonymize === undefined)
    check.add('warning', 'services.require', 'anonymize is required, and no `anonymize` says which columns')
  const { from, until } = terms.valid
  if (from !== undefined && until !== undefined && from >= until)
    check.add('error', 'valid', 'expected `from` before `until`, which is exclusive: it is never in force')
  if (known.now !== undefined && until !== undefined && until <= known.now)
    check.add('warning', 'valid.until', `it ended ${formatInstant(until)}`)
  return check.findings.sort((one, other) => (one.line ?? 0) - (other.line ?? 0))
}
