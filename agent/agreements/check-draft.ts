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

type Agreement = Signed<'agreement'>

function agreedOf({ payload: { name, provider, dataset, terms } }: Agreement): Agreed {
  return { name, provider, dataset, terms }
}

/**
 * What a steward should know before signing, by all that this agent knows: members, archetypes, algorithms, its own datasets,
 * the reader of rules, and the agreements in force about the same dataset.
 */
export function checkDraft(
  draft: AgreementDraft,
  components: {
    members: Members
    manifests: Manifests
    datasets: Datasets
    clock: { now(): number }
    readRules?: KnownFacts['rules']
  },
  inForce: readonly Agreement[]
): Finding[] {
  const { members, manifests, datasets, clock, readRules } = components
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
    ...(own ? { tables: dataset?.tables ?? null, rules: readRules } : {})
  })
  const more = dataset === undefined ? [] : checkAnonymised(draft, dataset, findings)
  return [...checkLength(draft), ...findings, ...more]
}
