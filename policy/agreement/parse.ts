import { z } from 'zod'
import type { Terms, User } from '../../protocol/documents/index.ts'
import { type AgreementDraft, REQUESTER } from './draft.ts'
import { AgreementMalformed } from './errors.ts'
import type { Finding } from './finding.ts'
import { type AgreementForm, agreementForm } from './form.ts'
import { type Attached, generalisationOf } from './generalise.ts'
import { readHierarchy } from './hierarchy.ts'
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
    this.findings.push({ level: 'error', clause: path.join('.'), ...this.#source.placeOf(path), message })
  }

  consumers(resolveUser: ResolveUser): Consumers {
    const { consumers, standing } = this.#form
    if (consumers === undefined && standing === undefined)
      this.#problem(
        ['consumers'],
        'expected a list of consumers, such as [{organisation: UVA}]; for an offer that members may take, `standing`'
      )
    if (consumers !== undefined && standing !== undefined)
      this.#problem(
        ['standing'],
        'expected either consumers, or `standing` for an offer that members may take'
      )
    return (consumers ?? []).flatMap(({ user, organisation }, index): Consumers => {
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

  anonymize(attached: Attached): Pick<Terms, 'anonymize'> {
    const { anonymize } = this.#form
    if (anonymize === undefined) return {}
    const { pseudonymise = [], suppress = [], k, quasi } = anonymize
    const generalise: NonNullable<Terms['anonymize']>['generalise'] = {}
    for (const [column, form] of Object.entries(anonymize.generalise ?? {})) {
      const found = generalisationOf(form)
      if (typeof found !== 'object' || !('level' in found)) {
        generalise[column] = found
        continue
      }
      const text = attached(found.hierarchy)
      const map =
        text === undefined
          ? { problem: `expected the file "${found.hierarchy}" beside the agreement; it was not there` }
          : readHierarchy(found.hierarchy, text, found.level, found.otherwise)
      if ('problem' in map) this.#problem(['anonymize', 'generalise', column, 'hierarchy'], map.problem)
      else generalise[column] = map
    }
    return {
      anonymize: {
        pseudonymise,
        generalise,
        suppress,
        ...(k === undefined ? {} : { k }),
        ...(quasi === undefined ? {} : { quasi })
      }
    }
  }

  #instant(path: Path, text: string | undefined, timezone: string): number | undefined {
    const instant = text === undefined ? undefined : parseInstant(text, timezone)
    if (text !== undefined && instant === undefined)
      this.#problem(
        path,
        `expected a date such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z, found "${text}"`
      )
    return instant
  }

  valid(timezone: string): Terms['valid'] {
    const bound = (key: 'from' | 'until') => {
      const instant = this.#instant(['valid', key], this.#form.valid?.[key], timezone)
      return instant === undefined ? {} : { [key]: instant }
    }
    return { ...bound('from'), ...bound('until') }
  }

  standing(timezone: string): Pick<AgreementDraft, 'standing'> {
    const { standing } = this.#form
    if (standing === undefined) return {}
    const { takers, max } = standing
    const until = this.#instant(['standing', 'until'], standing.until, timezone)
    return { standing: { takers, max, ...(until === undefined ? {} : { until }) } }
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

function laterClauses(form: AgreementForm): Partial<Terms> {
  const { approval, privacy, cache, onward, releaseAsk, revocation, cedar } = form
  return {
    ...(approval === undefined ? {} : { approval }),
    ...(privacy === undefined
      ? {}
      : { privacy: { epsilonMicros: privacy.epsilon, budgetMicros: privacy.budget, per: privacy.per } }),
    ...(cache === undefined
      ? {}
      : { cache: { extract: cache.extract ?? 'none', results: cache.results ?? 'none' } }),
    ...(onward === undefined ? {} : { onward }),
    ...(releaseAsk === undefined ? {} : { releaseAsk }),
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
 * @param attached the hierarchy files that it names; what they hold gets signed
 * @throws {AgreementMalformed} naming every problem with file, line, clause and what was expected
 */
export function parseAgreement(
  text: string,
  file: string,
  resolveUser: ResolveUser,
  attached: Attached = () => undefined
): AgreementDraft {
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
    ...conversion.anonymize(attached),
    ...(form.limits === undefined ? {} : { limits: form.limits }),
    ...laterClauses(form),
    valid: conversion.valid(timezone),
    ...(form.sandbox === undefined ? {} : { sandbox: form.sandbox }),
    timezone,
    about: form.about ?? {}
  }
  const standing = conversion.standing(timezone)
  if (conversion.findings.length > 0) throw new AgreementMalformed(file, conversion.findings)
  const cedarAt = form.cedar === undefined ? undefined : source.textAt(['cedar'])
  return {
    name: form.agreement,
    provider: form.provider,
    dataset: form.dataset,
    terms,
    lines: source.lines,
    columns: source.columns,
    ...standing,
    ...(form.valid === undefined ? {} : { written: form.valid }),
    ...(cedarAt === undefined ? {} : { cedarAt })
  }
}

/** The files that an agreement names and that have to be handed over with it; none of a text that cannot be read. */
export function filesNamedBy(text: string): string[] {
  const read = readSource(text)
  if ('findings' in read) return []
  const parsed = z
    .looseObject({ anonymize: z.looseObject({ generalise: z.record(z.string(), z.unknown()) }) })
    .safeParse(read.source.value)
  const forms = parsed.success ? Object.values(parsed.data.anonymize.generalise) : []
  const names = forms.flatMap((form) => {
    const named = z.looseObject({ hierarchy: z.string().min(1).max(256) }).safeParse(form)
    return named.success ? [named.data.hierarchy] : []
  })
  return [...new Set(names)]
}
