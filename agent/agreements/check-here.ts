import { type AgreementDraft, checkAgreement, type Finding, type KnownFacts } from '../../policy/index.ts'
import type { Manifests } from '../../services/index.ts'
import type { Datasets } from '../datasets/index.ts'
import type { Members } from '../membership/index.ts'
import { checkAnonymised } from './anonymised.ts'
import { checkExcess } from './excess.ts'
import { checkLength, namesKnown } from './objection.ts'
import { checkProtected } from './protected.ts'

/** What is to be said of a draft by all that this agent knows: its dataset, where that came from, who is a member. */
export function checkHere(
  draft: AgreementDraft,
  {
    members,
    manifests,
    datasets,
    clock,
    remarks
  }: {
    members: Members
    manifests: Manifests
    datasets: Datasets
    clock: { now(): number }
    remarks?: KnownFacts['rules']
  }
): Finding[] {
  const own = draft.provider === members.own.organisation
  const dataset = own ? datasets.get(draft.dataset) : undefined
  const findings = checkAgreement(draft, {
    organisations: members.all().map((member) => member.organisation),
    ...namesKnown(manifests),
    approves: (user) => members.speaksFor(draft.provider, user),
    now: clock.now(),
    ...(own ? { tables: dataset?.tables ?? null, rules: remarks } : {})
  })
  if (dataset === undefined) return [...checkLength(draft), ...findings]
  return [
    ...checkLength(draft),
    ...findings,
    ...checkAnonymised(draft, dataset, findings),
    ...checkProtected(draft, dataset, findings),
    ...checkExcess(draft, dataset)
  ]
}
