import { stringify } from 'yaml'
import type { Terms } from '../../protocol/documents/index.ts'
import { instantText } from '../../protocol/errors/index.ts'
import { type Agreed, REQUESTER } from './draft.ts'
import { formatDuration, formatInstant } from './quantities.ts'

const MICRO = 1e6

function consumersOf({ consumers }: Terms) {
  return consumers.map((one) =>
    'user' in one
      ? { user: { organisation: one.user.organisation, name: one.user.name } }
      : { organisation: one.organisation }
  )
}

function anonymizeOf({ anonymize }: Terms) {
  if (anonymize === undefined) return undefined
  const { pseudonymise, generalise, suppress, k, quasi } = anonymize
  const coarser = Object.fromEntries(
    Object.entries(generalise).map(([column, how]) => {
      if (typeof how !== 'object' || !('values' in how)) return [column, how]
      // What was signed is the map, wherever it came from.
      const { values, otherwise } = how
      return [column, otherwise === undefined ? { values } : { values, otherwise }]
    })
  )
  return present({
    pseudonymise: pseudonymise.length > 0 ? pseudonymise : undefined,
    generalise: Object.keys(coarser).length > 0 ? coarser : undefined,
    suppress: suppress.length > 0 ? suppress : undefined,
    k,
    quasi
  })
}

/** A date means midnight in the agreement's time zone: elsewhere than in UTC the instant is written out. */
function instant(time: number | undefined, timezone: string): string | undefined {
  if (time === undefined) return undefined
  return timezone === 'UTC' ? formatInstant(time) : instantText(time)
}

function present(fields: Record<string, unknown>): Record<string, unknown> | undefined {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined)
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

/** The clauses of an agreement, one key each, as its file states them: what `parseAgreement` reads. */
export function formOfAgreement({ name, provider, dataset, terms }: Agreed): Record<string, unknown> {
  const { limits, approval, privacy, revocation, services, valid, timezone } = terms
  const isRequester = terms.recipients !== '*' && terms.recipients.join() === REQUESTER
  return (
    present({
      agreement: name,
      provider,
      dataset,
      consumers: consumersOf(terms),
      purposes: terms.purposes,
      archetypes: terms.archetypes,
      computeProviders: terms.computeProviders.length === 0 ? undefined : terms.computeProviders,
      recipients: isRequester ? undefined : terms.recipients,
      tables: terms.tables,
      services: present({
        require: services.require.length > 0 ? services.require : undefined,
        forbid: services.forbid.length > 0 ? services.forbid : undefined
      }),
      algorithms: terms.algorithms,
      output: present({ ...terms.output }),
      anonymize: anonymizeOf(terms),
      limits: limits && { requests: limits.requests, per: formatDuration(limits.per) },
      approval: approval && { ...approval, within: formatDuration(approval.within) },
      privacy: privacy && {
        epsilon: privacy.epsilonMicros / MICRO,
        budget: privacy.budgetMicros / MICRO,
        per: formatDuration(privacy.per)
      },
      cache: terms.cache,
      valid: present({ from: instant(valid.from, timezone), until: instant(valid.until, timezone) }),
      sandbox: terms.sandbox,
      onward: terms.onward,
      releaseAsk: terms.releaseAsk,
      revocation: revocation && { effect: revocation.effect, notice: formatDuration(revocation.notice) },
      timezone: timezone === 'UTC' ? undefined : timezone,
      about: Object.keys(terms.about).length > 0 ? terms.about : undefined,
      cedar: terms.cedar
    }) ?? {}
  )
}

/** An agreement as a file: read again, it has the same terms. */
export function writeAgreement(agreed: Agreed): string {
  return writeForm(formOfAgreement(agreed))
}

export function writeForm(form: Record<string, unknown>): string {
  return stringify(form, { lineWidth: 0, flowCollectionPadding: false })
}
