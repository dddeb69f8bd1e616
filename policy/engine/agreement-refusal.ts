import type { AnyOrNames, Payload, RefusalCode } from '../../protocol/documents/index.ts'
import { didYouMean, formatDuration, formatInstant, REQUESTER, requiredServices } from '../agreement/index.ts'
import { endOf } from './agreement-entity.ts'
import { approvalUnder, computing, type ProviderFacts, type WindowCount } from './facts.ts'
import { columnKey, listed } from './names.ts'
import type { AcceptableValue } from './verdict.ts'

/** What is said about one broken clause to an asker whose organisation signed the agreement. */
interface Explanation {
  code: RefusalCode
  reason: string
  acceptable: Readonly<Record<string, AcceptableValue>>
}

type Explain = (
  payload: Payload<'agreement'>,
  facts: ProviderFacts,
  window: WindowCount | undefined,
  id: string
) => Explanation

function known(names: AnyOrNames): string[] {
  return names === '*' ? ['*'] : names
}

function amongNames(
  code: RefusalCode,
  clause: 'purposes' | 'archetypes' | 'algorithms',
  one: 'purpose' | 'archetype' | 'algorithm'
): Explain {
  return ({ terms }, facts) => {
    const names = known(terms[clause])
    return {
      code,
      reason: `${one} "${facts[one]}" is not among those agreed: ${listed(names)}${didYouMean(facts[one], names)}`,
      acceptable: { [clause]: names }
    }
  }
}

function shownColumns({ terms }: Payload<'agreement'>): string[] {
  if (terms.tables === '*') return ['*']
  return Object.entries(terms.tables).flatMap(([table, { columns }]) =>
    columns === '*' ? [`${table}.*`] : columns.map((column) => columnKey(table, column))
  )
}

/** Consumers of the asker's own organisation alone: the others' people are none of its business. */
function ownConsumers({ terms }: Payload<'agreement'>, organisation: string): string[] {
  return terms.consumers.flatMap((consumer) => {
    if ('organisation' in consumer) return consumer.organisation === organisation ? [organisation] : []
    return consumer.user.organisation === organisation ? [consumer.user.name] : []
  })
}

const EXPLAIN: Readonly<Record<string, Explain>> = {
  'valid.from': ({ terms }) => {
    const from = formatInstant(terms.valid.from ?? 0)
    return {
      code: 'agreement-not-yet-valid',
      reason: `it is in force from ${from}`,
      acceptable: { 'valid.from': from }
    }
  },
  'valid.until': (payload) => {
    const until = formatInstant(endOf(payload))
    return { code: 'agreement-expired', reason: `it ended ${until}`, acceptable: { 'valid.until': until } }
  },
  consumers: (payload, { requester }) => ({
    code: 'consumer-not-permitted',
    reason: `${requester.name} of ${requester.organisation} is not among the consumers`,
    acceptable: { consumers: ownConsumers(payload, requester.organisation) }
  }),
  dataset: ({ dataset }) => ({
    code: 'no-agreement',
    reason: `it is about the dataset ${dataset}`,
    acceptable: { dataset }
  }),
  purposes: amongNames('purpose-not-permitted', 'purposes', 'purpose'),
  archetypes: amongNames('archetype-not-permitted', 'archetypes', 'archetype'),
  algorithms: amongNames('algorithm-not-permitted', 'algorithms', 'algorithm'),
  computeProviders: ({ terms, provider }, facts) => {
    const names = terms.computeProviders === '*' ? ['*'] : [...terms.computeProviders, provider]
    const wrong = computing(facts).filter((name) => !names.includes(name))
    return {
      code: 'compute-provider-not-permitted',
      reason: `${listed(wrong)} may not hold the data; these may: ${listed(names)}`,
      acceptable: { computeProviders: names }
    }
  },
  recipients: ({ terms }, { recipients, requester }) => {
    const names = known(terms.recipients).map((name) => (name === REQUESTER ? requester.organisation : name))
    const wrong = recipients.filter((name) => !names.includes(name))
    return {
      code: 'recipient-not-permitted',
      reason:
        recipients.length === 0
          ? 'nobody would receive the result'
          : `${listed(wrong)} may not receive results; these may: ${listed(names)}${didYouMean(wrong[0] ?? '', names)}`,
      acceptable: { recipients: names }
    }
  },
  tables: ({ terms }, { uses }) => {
    const names = terms.tables === '*' ? ['*'] : Object.keys(terms.tables)
    const wrong = (uses ?? []).map((use) => use.table).filter((name) => !names.includes(name))
    return {
      code: 'table-not-permitted',
      reason: `${listed(wrong)} is not shown; these tables are: ${listed(names)}`,
      acceptable: { tables: names }
    }
  },
  columns: (payload, { uses }) => {
    const { tables } = payload.terms
    const wrong = (uses ?? []).flatMap(({ table, columns }) => {
      const grant = tables === '*' || !Object.hasOwn(tables, table) ? undefined : tables[table]
      const allowed = grant?.columns ?? []
      return allowed === '*'
        ? []
        : columns.filter((column) => !allowed.includes(column)).map((column) => columnKey(table, column))
    })
    const names = shownColumns(payload)
    return {
      code: 'column-not-permitted',
      reason: `${listed(wrong)} is not shown; these columns are: ${listed(names)}`,
      acceptable: { columns: names }
    }
  },
  'services.forbid': ({ terms }, { services }) => ({
    code: 'service-forbidden',
    reason: `the chain may not contain ${listed(terms.services.forbid.filter((name) => services?.includes(name)))}`,
    acceptable: { 'services.forbid': terms.services.forbid }
  }),
  'services.require': ({ terms }, { services }) => {
    const names = requiredServices(terms)
    return {
      code: 'service-required',
      reason: `the chain must contain ${listed(names.filter((name) => !services?.includes(name)))}`,
      acceptable: { 'services.require': names }
    }
  },
  sandbox: (_payload, { sandboxes }) => ({
    code: 'sandbox-required',
    reason: `jobs must run in sandboxes, which ${listed((sandboxes ?? []).filter((place) => place.sandbox !== 'bubblewrap').map((place) => place.at))} does not do`,
    acceptable: { sandbox: 'required' }
  }),
  limits: ({ terms }, _facts, window) => {
    const { requests, per } = terms.limits ?? { requests: 0, per: 0 }
    const frees = window?.freesAt == null ? null : new Date(window.freesAt).toISOString()
    return {
      code: 'quota-exceeded',
      reason: `at most ${requests} requests in ${formatDuration(per)}, and ${window?.count ?? 'an unknown number'} were made${frees === null ? '' : `; the next may be made at ${frees}`}`,
      acceptable: {
        'limits.requests': requests,
        'limits.per': formatDuration(per),
        ...(frees === null ? {} : { 'limits.freesAt': frees })
      }
    }
  },
  approval: ({ terms, provider }, { approvals }, _window, id) => {
    const { by, when, within } = terms.approval ?? { by: [], when: 'always', within: 0 }
    const { state, reason } = approvalUnder(approvals ?? {}, id)
    const acceptable = { 'approval.by': by, 'approval.when': when, 'approval.within': formatDuration(within) }
    if (state === 'refused')
      return {
        code: 'approval-refused',
        reason: `${provider} was asked and did not approve this request${reason === null ? '' : `: ${reason}`}`,
        acceptable
      }
    if (state === 'expired')
      return {
        code: 'approval-expired',
        reason: `nobody approved it in time; ${listed(by)} had ${formatDuration(within)}`,
        acceptable
      }
    return {
      code: 'approval-required',
      reason: `${listed(by)} has to approve this request, within ${formatDuration(within)}`,
      acceptable
    }
  }
}

/** Code, reason and permitted values of a broken clause. */
export function explainClause(
  clause: string,
  payload: Payload<'agreement'>,
  facts: ProviderFacts,
  window: WindowCount | undefined,
  id: string
): Explanation {
  const explain = EXPLAIN[clause]
  return (
    explain?.(payload, facts, window, id) ?? {
      code: 'policy-forbids',
      reason: `the clause "${clause}" does not permit it`,
      acceptable: {}
    }
  )
}
