import type { Policy } from '@cedar-policy/cedar-wasm/nodejs'
import { DynamosError } from '../../protocol/errors/index.ts'
import type { Cedar } from './cedar-module.ts'

/** More than an agent has agreements with rules of their own, so that sets seldom take turns. */
const MAX_SETS = 4096

/** By what is in it: the name under which Cedar holds a set; the one that was used longest ago comes first. */
const held = new Map<string, string>()

/**
 * The name of a set of rules that Cedar has read already. Cedar holds such sets for as long as the process lives, under names
 * that can be given away anew but not be dropped: so names are counted, and rules that change for years take no more room.
 *
 * @param content what is in it, in a word: equal ones are one set
 */
export function preparsed(cedar: Cedar, content: string, make: () => Record<string, Policy>): string {
  const known = held.get(content)
  if (known !== undefined) {
    held.delete(content)
    held.set(content, known)
    return known
  }
  const [oldest] = held.entries()
  const name = held.size < MAX_SETS || oldest === undefined ? `set${held.size}` : oldest[1]
  if (oldest?.[1] === name) held.delete(oldest[0])
  const parsed = cedar.preparsePolicySet(name, { staticPolicies: make() })
  if (parsed.type !== 'success') {
    // Whatever was there before is gone as well, as far as anybody can tell.
    throw new DynamosError('internal', `Cedar: ${parsed.errors.map((error) => error.message).join('; ')}`)
  }
  held.set(content, name)
  return name
}
