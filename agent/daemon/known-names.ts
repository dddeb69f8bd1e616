import type { KnownNames } from '../../policy/index.ts'
import type { Datasets } from '../datasets/index.ts'
import type { Foundations } from './foundations.ts'

/** Names that rules may speak of, as far as they are known at this agent. */
export function knownNames(
  { manifests, members }: Pick<Foundations, 'manifests' | 'members'>,
  datasets: Pick<Datasets, 'ids'>
): KnownNames {
  const own = datasets.ids()
  return {
    archetype: [...manifests.archetypes.keys()],
    algorithm: [...manifests.algorithms.keys()],
    service: [...manifests.services.keys()],
    organisation: members.all().map((member) => member.organisation),
    ...(own.length === 0 ? {} : { dataset: own })
  }
}
