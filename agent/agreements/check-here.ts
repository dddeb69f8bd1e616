import {
  type Agreed,
  type AgreementDraft,
  checkAgreement,
  type Finding,
  type KnownFacts
} from '../../policy/index.ts'
import type { Signed } from '../../protocol/documents/index.ts'
import type { Manifests } from '../../services/index.ts'
import type { Datasets } from '../datasets/index.ts'
import type { Members } from '../membership/index.ts'
import { checkAnonymised } from './anonymised.ts'
import { checkExcess } from './excess.ts'
import { checkLength, namesKnown } from './objection.ts'

/** Whether others than data providers hold data in an archetype: what its `where` says of who computes. */
function throughOthers(manifests: Manifests, archetype: string): boolean | undefined {
  const where = manifests.archetypes.get(archetype)?.where ?? []
  const says = (sign: string) =>
    where.includes(`infrastructure ${sign} data`) || where.includes(`data ${sign} infrastructure`)
  if (says('==')) return false
  return says('!=') ? true : undefined
}

/** A parameter that has to be given and that its schema describes as numeric. */
function needsNumbers(manifests: Manifests, algorithm: string): boolean {
  const { required, properties } = manifests.algorithms.get(algorithm)?.parameters ?? {}
  if (!Array.isArray(required) || typeof properties !== 'object' || properties === null) return false
  return required.some((name: unknown) => {
    const property: unknown = typeof name === 'string' ? Reflect.get(properties, name) : undefined
    if (typeof property !== 'object' || property === null) return false
    return /\bnumeric\b/i.test(String(Reflect.get(property, 'description')))
  })
}

function agreedOf({ payload: { name, provider, dataset, terms } }: Signed<'agreement'>): Agreed {
  return { name, provider, dataset, terms }
}

/**
 * What is to be said of a draft by all that this agent knows: its dataset, where that came from, who is a member, what
 * archetypes and algorithms are, and what is in force about the same dataset.
 */
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
  },
  inForce: readonly Signed<'agreement'>[]
): Finding[] {
  const own = draft.provider === members.own.organisation
  const dataset = own ? datasets.get(draft.dataset) : undefined
  const findings = checkAgreement(draft, {
    organisations: members.all().map((member) => member.organisation),
    ...namesKnown(manifests),
    throughOthers: (archetype) => throughOthers(manifests, archetype),
    needsNumbers: (algorithm) => needsNumbers(manifests, algorithm),
    speaksFor: (organisation, user) => members.speaksFor(organisation, user),
    approves: (user) => members.speaksFor(draft.provider, user),
    beside: inForce.filter(({ payload }) => payload.name !== draft.name).map(agreedOf),
    now: clock.now(),
    ...(own ? { tables: dataset?.tables ?? null, rules: remarks } : {})
  })
  if (dataset === undefined) return [...checkLength(draft), ...findings]
  return [
    ...checkLength(draft),
    ...findings,
    ...checkAnonymised(draft, dataset, findings),
    ...checkExcess(draft, dataset)
  ]
}
