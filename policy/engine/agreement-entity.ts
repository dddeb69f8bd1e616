import type { Payload, Terms } from '../../protocol/documents/index.ts'
import { hourAt, REQUESTER, requiredServices } from '../agreement/index.ts'
import type { Values } from './engine.ts'
import { approvalUnder, computing, type ProviderFacts, type TableUse } from './facts.ts'
import { columnKey, namesValue } from './names.ts'

/** A signed agreement that no newer one replaced. A verified `Signed<'agreement'>` is one. */
export interface AgreementInForce {
  readonly id: string
  readonly payload: Payload<'agreement'>
}

function usedColumns(uses: readonly TableUse[]): string[] {
  return uses.flatMap(({ table, columns }) => columns.map((column) => columnKey(table, column)))
}

/**
 * Of what is asked for, what the agreement shows. `*` stands for every table or column, and a set of thousands would cost
 * milliseconds in each decision: so the grant is handed to the rules as far as it is asked for, which answers "is all of
 * this shown?" alike.
 */
function shown(terms: Terms, uses: readonly TableUse[]): { tables: string[]; columns: string[] } {
  const { tables } = terms
  if (tables === '*') return { tables: uses.map((use) => use.table), columns: usedColumns(uses) }
  const granted = uses.flatMap((use) => {
    const grant = Object.hasOwn(tables, use.table) ? tables[use.table] : undefined
    if (grant === undefined) return []
    const allowed = grant.columns === '*' ? null : new Set(grant.columns)
    return [
      { table: use.table, columns: use.columns.filter((column) => allowed === null || allowed.has(column)) }
    ]
  })
  return { tables: granted.map((use) => use.table), columns: usedColumns(granted) }
}

/** When it ends, exclusive: by its own clause or as a document, whichever is first. */
export function endOf({ terms, expires }: Payload<'agreement'>): number {
  return Math.min(terms.valid.until ?? expires, expires)
}

/** The agreement as the rules see it. */
export function agreementAttributes({ payload }: AgreementInForce, facts: ProviderFacts): Values {
  const { name, provider, dataset, terms } = payload
  const { consumers, valid, limits, recipients, computeProviders } = terms
  const { tables, columns } = shown(terms, facts.uses ?? [])
  return {
    name,
    provider,
    dataset,
    users: {
      entities: consumers.flatMap((consumer) =>
        'user' in consumer
          ? [{ type: 'User', id: `${consumer.user.organisation}/${consumer.user.name}` }]
          : []
      )
    },
    organisations: {
      entities: consumers.flatMap((consumer) =>
        'organisation' in consumer ? [{ type: 'Organisation', id: consumer.organisation }] : []
      )
    },
    purposes: namesValue(terms.purposes),
    archetypes: namesValue(terms.archetypes),
    algorithms: namesValue(terms.algorithms),
    computeProviders: namesValue(computeProviders === '*' ? '*' : [...computeProviders, provider]),
    recipients: namesValue(
      recipients === '*'
        ? '*'
        : recipients.map((one) => (one === REQUESTER ? facts.requester.organisation : one))
    ),
    tables,
    columns,
    require: requiredServices(terms),
    forbid: terms.services.forbid,
    ...(valid.from === undefined ? {} : { validFrom: valid.from }),
    validUntil: endOf(payload),
    ...(limits === undefined ? {} : { requests: limits.requests }),
    sandboxed: terms.sandbox === 'required',
    approval: terms.approval !== undefined
  }
}

/** The facts as the rules see them, for one agreement. */
export function agreementContext(
  { id, payload }: { id: string; payload: { terms: Pick<Terms, 'timezone'> } },
  facts: ProviderFacts
): Values {
  const { uses, services, sandboxes } = facts
  const window = Object.hasOwn(facts.requestsInWindow, id) ? facts.requestsInWindow[id] : undefined
  const { approvals = null } = facts
  return {
    now: { datetime: facts.now },
    instant: facts.now,
    hour: hourAt(facts.now, payload.terms.timezone),
    self: facts.organisation,
    requester: facts.requester.organisation,
    purpose: facts.purpose,
    archetype: facts.archetype,
    algorithm: facts.algorithm,
    datasets: facts.datasets ?? [facts.dataset],
    dataProviders: [facts.organisation],
    infrastructure: computing(facts),
    recipients: facts.recipients,
    ...(uses === null ? {} : { tables: uses.map((use) => use.table), columns: usedColumns(uses) }),
    ...(services === null ? {} : { services }),
    ...(sandboxes === null
      ? {}
      : {
          unsandboxed: sandboxes.filter((place) => place.sandbox !== 'bubblewrap').map((place) => place.at)
        }),
    ...(window === undefined ? {} : { requestsInWindow: window.count }),
    ...(approvals === null ? {} : { approved: approvalUnder(approvals, id).state === 'approved' }),
    ...(facts.pseudonymsOpenTo === undefined ? {} : { pseudonymsOpenTo: facts.pseudonymsOpenTo })
  }
}
