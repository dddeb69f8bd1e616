import { encodeSigned, type Signed } from '../../protocol/documents/index.ts'
import type { PeerPosition, Transaction } from '../store/index.ts'

/** A document in which its signer says where its log stands. */
export type Positioned = Signed<'acceptance'> | Signed<'receipt'> | Signed<'outcome'> | Signed<'release'>

/** Where others said that their logs stood, until it is on disk: two heads for one place are proof that one of them is a lie. */
export class HeardPositions {
  #heard: readonly PeerPosition[] = []
  readonly #known = new Set<string>()

  get size(): number {
    return this.#heard.length
  }

  hear(document: Positioned, at: number): void {
    const { issuer, log } = document.payload
    const place = `${issuer}/${log.sequence}/${log.head}`
    if (this.#known.has(place) || !document.signers.includes(issuer)) return
    this.#known.add(place)
    const position = { peer: issuer, ...log, type: document.type, bytes: encodeSigned(document), at }
    this.#heard = [...this.#heard, position]
  }

  take(): readonly PeerPosition[] {
    const taken = this.#heard
    this.#heard = []
    return taken
  }

  giveBack(positions: readonly PeerPosition[]): void {
    this.#heard = [...positions, ...this.#heard]
  }
}

/** @returns those that contradict what the same agent signed before */
export async function rememberPositions(
  tx: Transaction,
  positions: readonly PeerPosition[]
): Promise<PeerPosition[]> {
  const contradicting: PeerPosition[] = []
  for (const position of positions)
    if (await tx.peerPositions.remember(position)) contradicting.push(position)
  return contradicting
}
