import { didYouMean } from '../../policy/index.ts'
import type { Refusal, RefusalCode } from '../../protocol/documents/index.ts'

const MOST_NAMES = 256

/**
 * A refusal of a name that nothing here has, with what there is.
 *
 * @param known what stands in this agent's capability, which every member reads: never what only some may know
 */
export function unknownHere(
  code: Extract<RefusalCode, 'archetype-unknown' | 'algorithm-unknown'>,
  name: string,
  here: { organisation: string; known: Iterable<string> }
): Refusal {
  const known = [...here.known].sort()
  const [kind] = code.split('-')
  return {
    code,
    clause: null,
    reason: `${here.organisation} knows no ${kind} "${name.slice(0, 128)}"${didYouMean(name, known)}`,
    acceptable: { [`${kind}s`]: known.slice(0, MOST_NAMES) },
    position: null
  }
}
