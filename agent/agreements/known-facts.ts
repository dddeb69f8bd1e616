import type { Agreed, AgreementDraft, KnownFacts } from '../../policy/index.ts'
import type { Signed } from '../../protocol/documents/index.ts'
import type { Manifests } from '../../services/index.ts'
import type { Members } from '../membership/index.ts'

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

/** What this agent knows that an agreement may contradict: archetypes, algorithms, memberships, what is in force. */
export function knownFacts(
  draft: AgreementDraft,
  { manifests, members }: { manifests: Manifests; members: Members },
  inForce: readonly Signed<'agreement'>[]
): Pick<KnownFacts, 'throughOthers' | 'needsNumbers' | 'speaksFor' | 'approves' | 'beside'> {
  return {
    throughOthers: (archetype) => throughOthers(manifests, archetype),
    needsNumbers: (algorithm) => needsNumbers(manifests, algorithm),
    speaksFor: (organisation, user) => members.speaksFor(organisation, user),
    approves: (user) => members.speaksFor(draft.provider, user),
    beside: inForce.filter(({ payload }) => payload.name !== draft.name).map(agreedOf)
  }
}
