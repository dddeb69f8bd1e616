import { type PinnedKind, pinKey } from '../../policy/index.ts'
import type { Payload, Refusal, RefusalCode } from '../../protocol/documents/index.ts'
import type { Manifests } from '../../services/index.ts'
import { refuse } from './components.ts'

const CODES: Readonly<Record<PinnedKind, RefusalCode>> = {
  archetype: 'archetype-differs',
  algorithm: 'algorithm-not-permitted',
  service: 'service-unknown'
}

/**
 * A signed agreement fixes what the names in it stand for. What is used under it must still be that.
 *
 * @returns null, or what is another thing now than when it was signed
 */
export function checkPins(
  agreement: Payload<'agreement'>,
  used: { archetype: string; algorithm: string; services: readonly string[] },
  manifests: Manifests
): Refusal | null {
  const names: [PinnedKind, string, string | undefined][] = [
    ['archetype', used.archetype, manifests.archetypes.get(used.archetype)?.digest],
    ['algorithm', used.algorithm, manifests.algorithms.get(used.algorithm)?.digest],
    ...used.services.map((name): [PinnedKind, string, string | undefined] => [
      'service',
      name,
      manifests.services.get(name)?.digest
    ])
  ]
  for (const [kind, name, found] of names) {
    const pinned = agreement.pins[pinKey(kind, name)]
    if (pinned !== undefined && pinned !== found) {
      return refuse(
        CODES[kind],
        `the ${kind} ${name} here is not the one that was signed; sign the agreement again`
      )
    }
  }
  return null
}
