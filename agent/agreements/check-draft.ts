import { type AgreementDraft, checkAgreement, type Finding, type KnownFacts } from '../../policy/index.ts'
import { MAX_OFFER_NAME, type Signed } from '../../protocol/documents/index.ts'
import type { Manifests } from '../../services/index.ts'
import type { Datasets } from '../datasets/index.ts'
import type { Members } from '../membership/index.ts'
import { checkAnonymised } from './anonymised.ts'
import { checkExcess } from './excess.ts'
import { knownFacts } from './known-facts.ts'
import { checkLength, namesKnown } from './objection.ts'
import { checkProtected } from './protected.ts'

export interface CheckComponents {
  members: Members
  manifests: Manifests
  datasets: Datasets
  clock: { now(): number }
  /** What is to be said of the rules that stand in an agreement of this organisation. */
  readRules?: KnownFacts['rules']
}

/** What keeps it from being offered to members, when it is an offer. */
function checkOffered(
  { name, dataset, standing, lines }: AgreementDraft,
  datasets: Pick<Datasets, 'visibilityOf'>
): Finding[] {
  if (standing === undefined) return []
  const error = (clause: string, message: string): Finding => {
    const line = lines[clause]
    return { level: 'error', clause, message, ...(line === undefined ? {} : { line }) }
  }
  return [
    ...(name.length > MAX_OFFER_NAME
      ? [
          error(
            'agreement',
            `expected at most ${MAX_OFFER_NAME} characters: takers' agreements are called after it`
          )
        ]
      : []),
    ...(standing.takers === '*' && datasets.visibilityOf(dataset) === 'parties'
      ? [
          error(
            'standing.takers',
            `the dataset ${dataset} has visibility: parties, so members may not know of it; name the organisations that may`
          )
        ]
      : [])
  ]
}

/** What a steward should know about a draft, compared with everything that is known here. */
export function checkDraft(
  draft: AgreementDraft,
  components: CheckComponents,
  inForce: readonly Signed<'agreement'>[]
): Finding[] {
  const { members, manifests, datasets, clock, readRules } = components
  const own = draft.provider === members.own.organisation
  const dataset = own ? datasets.get(draft.dataset) : undefined
  const findings = checkAgreement(draft, {
    organisations: members.all().map((member) => member.organisation),
    ...namesKnown(manifests),
    ...knownFacts(draft, components, inForce),
    now: clock.now(),
    ...(own ? { tables: dataset?.tables ?? null, rules: readRules } : {})
  })
  if (dataset === undefined) return [...checkLength(draft), ...findings]
  return [
    ...checkLength(draft),
    ...checkOffered(draft, datasets),
    ...findings,
    ...checkAnonymised(draft, dataset, findings),
    ...checkProtected(draft, dataset, findings),
    ...checkExcess(draft, dataset)
  ]
}
