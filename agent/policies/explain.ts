import {
  type AgreementInForce,
  explainAsProvider,
  type PolicyEngine,
  type ProviderFacts,
  plainFacts
} from '../../policy/index.ts'
import type { User } from '../../protocol/documents/index.ts'
import type { PolicyExplained } from '../api/index.ts'
import type { Submission } from '../config/index.ts'

export interface ExplainInit {
  engine: PolicyEngine
  agreements: readonly AgreementInForce[]
  submission: Submission
  requester: User
  now: number
  /** Whether an archetype needs a compute provider besides the data provider; undefined where that is not known. */
  needsHost?: (archetype: string) => boolean | undefined
}

const MAX_ROWS = 64
const NOTES = [
  'quotas count nothing, and approvals are taken for given',
  'tables, columns and services are asked about once the query was inspected and a contract made'
]

/** What each agreement about the datasets of a request would be asked, and what every rule says to it. */
export function explainRequest(init: ExplainInit): PolicyExplained {
  const { engine, agreements, submission, requester, now } = init
  const about = agreements.filter(
    ({ payload }) =>
      submission.datasets.includes(payload.dataset) &&
      (submission.providers === undefined || submission.providers.includes(payload.provider))
  )
  const explanations = about.flatMap((agreement) =>
    rowsOf(init, agreement).map(({ archetype, infrastructure }) => {
      const { provider, name, dataset } = agreement.payload
      const facts: ProviderFacts = {
        question: 'offer',
        now,
        organisation: provider,
        requester,
        purpose: submission.purpose,
        archetype,
        infrastructure,
        recipients: submission.recipients ?? [requester.organisation],
        dataset,
        datasets: submission.datasets,
        uses: null,
        services: null,
        algorithm: submission.algorithm.name,
        requestsInWindow: { [agreement.id]: { count: 0, freesAt: null } },
        sandboxes: null
      }
      const { verdict, facts: told, rules } = explainAsProvider(engine, facts, agreement)
      return {
        provider,
        agreement: name,
        archetype,
        infrastructure,
        verdict: verdict.verdict,
        code: verdict.verdict === 'deny' ? verdict.refusal.code : null,
        undetermined: verdict.verdict === 'deny' ? verdict.detail : null,
        facts: plainFacts(told),
        rules
      }
    })
  )
  const none = `no agreement here is about ${submission.datasets.join(', ')}`
  return {
    explanations: explanations.slice(0, MAX_ROWS),
    notes:
      about.length === 0
        ? [none]
        : explanations.length > MAX_ROWS
          ? [...NOTES, `the first ${MAX_ROWS} of ${explanations.length}`]
          : NOTES
  }
}

/** The ways in which it could run, as far as request and agreement name them. */
function rowsOf(
  { submission, needsHost = () => undefined }: ExplainInit,
  { payload: { terms } }: AgreementInForce
): { archetype: string; infrastructure: string | null }[] {
  const agreed = terms.archetypes === '*' ? [] : terms.archetypes
  const archetypes = submission.archetypes.length > 0 ? submission.archetypes : agreed
  const hosts = terms.computeProviders === '*' ? [] : terms.computeProviders
  return archetypes.flatMap((archetype) => {
    const needs = needsHost(archetype)
    return [
      ...(needs === true && hosts.length > 0 ? [] : [{ archetype, infrastructure: null }]),
      ...(needs === false ? [] : hosts.map((infrastructure) => ({ archetype, infrastructure })))
    ]
  })
}
