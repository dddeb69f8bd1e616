import type { Terms, User } from '../../protocol/documents/index.ts'
import { type AgreementDraft, type Finding, REQUESTER } from './draft.ts'
import { AgreementMalformed } from './errors.ts'
import { type AgreementForm, agreementForm } from './form.ts'
import { findingsOf } from './problems.ts'
import { parseInstant } from './quantities.ts'
import { type Path, readSource, type Source } from './source.ts'

/** Who an address stands for, by the memberships known when the agreement is made. */
export type ResolveUser = (address: string) => User | undefined

type Consumers = Terms['consumers']

/** Turns what the form says into terms; what cannot be turned is reported, never left out. */
class Conversion {
  readonly findings: Finding[] = []
  readonly #form: AgreementForm
  readonly #source: Source

  constructor(form: AgreementForm, source: Source) {
    this.#form = form
    this.#source = source
  }

  #problem(path: Path, message: string): void {
    this.findings.push({ level: 'error', clause: path.join('.'), line: this.#source.lineOf(path), message })
  }

  consumers(resolveUser: ResolveUser): Consumers {
    return this.#form.consumers.flatMap(({ user, organisation }, index): Consumers => {
      if (organisation !== undefined) return [{ organisation }]
      if (user === undefined) return []
      if (typeof user !== 'string') return [{ user }]
      const resolved = resolveUser(user)
      if (resolved !== undefined) return [{ user: resolved }]
      this.#problem(
        ['consumers', index, 'user'],
        `expected a user that a member organisation speaks for, found "${user}"; ask its organisation whether its membership lists that domain, or write {organisation: …, name: …}`
      )
      return []
    })
  }

  valid(timezone: string): Terms['valid'] {
    const bound = (key: 'from' | 'until') => {
      const text = this.#form.valid?.[key]
      if (text === undefined) return {}
      const instant = parseInstant(text, timezone)
      if (instant !== undefined) return { [key]: instant }
      this.#problem(
        ['valid', key],
        `expected a date such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z, found "${text}"`
      )
      return {}
    }
    return { ...bound('from'), ...bound('until') }
  }
}

function tablesOf(form: AgreementForm): Terms['tables'] {
  if (form.tables === '*') return '*'
  return Object.fromEntries(
    Object.entries(form.tables ?? {}).map(([name, { columns, where }]) => [
      name,
      where === undefined ? { columns } : { columns, where }
    ])
  )
}

function outputOf({ output }: AgreementForm): Terms['output'] {
  const { unit, minGroupSize, maxRows, aggregatesOnly } = output ?? {}
  return {
    ...(unit === undefined ? {} : { unit }),
    ...(minGroupSize === undefined ? {} : { minGroupSize }),
    ...(maxRows === undefined ? {} : { maxRows }),
    ...(aggregatesOnly === undefined ? {} : { aggregatesOnly })
  }
}

function anonymizeOf({ anonymize }: AgreementForm): Pick<Terms, 'anonymize'> {
  if (anonymize === undefined) return {}
  const { pseudonymise = [], generalise = {}, suppress = [], k } = anonymize
  return { anonymize: { pseudonymise, generalise, suppress, ...(k === undefined ? {} : { k }) } }
}

function laterClauses(form: AgreementForm): Partial<Terms> {
  const { approval, privacy, cache, onward, revocation, cedar } = form
  return {
    ...(approval === undefined ? {} : { approval }),
    ...(privacy === undefined
      ? {}
      : { privacy: { epsilonMicros: privacy.epsilon, budgetMicros: privacy.budget, per: privacy.per } }),
    ...(cache === undefined
      ? {}
      : { cache: { extract: cache.extract ?? 'none', results: cache.results ?? 'none' } }),
    ...(onward === undefined ? {} : { onward }),
    ...(revocation === undefined
      ? {}
      : { revocation: { effect: revocation.effect ?? 'stop', notice: revocation.notice ?? 0 } }),
    ...(cedar === undefined ? {} : { cedar })
  }
}

/**
 * Reads an agreement as a steward writes it, YAML or JSON. Nothing is open by omission: `purposes`, `archetypes`, `tables`
 * and `algorithms` left out permit none, `computeProviders` the provider alone, `recipients` the asking organisation.
 *
 * @param file name for messages
 * @param resolveUser turns `analyst@uva.nl` into organisation and name; the resolved form is what gets signed
 * @throws {AgreementMalformed} naming every problem with file, line, clause and what was expected
 */
export function parseAgreement(text: string, file: string, resolveUser: ResolveUser): AgreementDraft {
  const read = readSource(text)
  if ('findings' in read) throw new AgreementMalformed(file, read.findings)
  const { source } = read
  const parsed = agreementForm.safeParse(source.value)
  if (!parsed.success) {
    const findings = findingsOf(parsed.error.issues, source)
    throw new AgreementMalformed(
      file,
      findings.sort((one, other) => (one.line ?? 0) - (other.line ?? 0))
    )
  }
  const form = parsed.data
  const conversion = new Conversion(form, source)
  const timezone = form.timezone ?? 'UTC'
  const terms: Terms = {
    consumers: conversion.consumers(resolveUser),
    purposes: form.purposes ?? [],
    archetypes: form.archetypes ?? [],
    computeProviders: form.computeProviders ?? [],
    recipients: form.recipients ?? [REQUESTER],
    tables: tablesOf(form),
    algorithms: form.algorithms ?? [],
    services: { require: form.services?.require ?? [], forbid: form.services?.forbid ?? [] },
    output: outputOf(form),
    ...anonymizeOf(form),
    ...(form.limits === undefined ? {} : { limits: form.limits }),
    ...laterClauses(form),
    valid: conversion.valid(timezone),
    ...(form.sandbox === undefined ? {} : { sandbox: form.sandbox }),
    timezone,
    about: form.about ?? {}
  }
  if (conversion.findings.length > 0) throw new AgreementMalformed(file, conversion.findings)
  return { name: form.agreement, provider: form.provider, dataset: form.dataset, terms, lines: source.lines }
}
