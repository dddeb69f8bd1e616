import type { AnyOrNames, Terms } from '../../protocol/documents/index.ts'
import { requiredServices } from './required-services.ts'

export const PINNED = ['archetype', 'service', 'algorithm'] as const
export type PinnedKind = (typeof PINNED)[number]

/** A manifest whose digest a signature fixes. */
export interface Pin {
  kind: PinnedKind
  name: string
  /** Its key in the agreement's `pins`: the kinds have names in common. */
  key: string
}

/** `archetype/computeToData` */
export function pinKey(kind: PinnedKind, name: string): string {
  return `${kind}/${name}`
}

/** What the terms name and a signed agreement therefore pins. `"*"` names nothing; a forbidden service needs no pin. */
export function namesToPin(terms: Terms): Pin[] {
  const named: Record<PinnedKind, AnyOrNames> = {
    archetype: terms.archetypes,
    service: requiredServices(terms),
    algorithm: terms.algorithms
  }
  return PINNED.flatMap((kind) => {
    const names = named[kind]
    return names === '*' ? [] : names.map((name) => ({ kind, name, key: pinKey(kind, name) }))
  })
}
