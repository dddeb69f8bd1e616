import { encodeSigned } from '../../protocol/documents/index.ts'
import { codeOf, toError } from '../../protocol/errors/index.ts'
import { append } from '../audit/index.ts'
import type { Logger } from '../negotiation/index.ts'
import { type Clock, type NetworkEvents, RateLimiter } from '../network/index.ts'
import type { Store } from '../store/index.ts'

type Refused = NetworkEvents['refused'][0]

/** Whoever asks without end must not fill the log: the rest is counted, and told with the next entry. */
const PER_PEER = { perSecond: 1 / 60, burst: 20 }
/** A flood of one kind must not hide that the same peer tried something else. */
const PER_KIND = { perSecond: 1 / 600, burst: 1 }
/** Keys cost a stranger nothing. */
const OF_ALL = { perSecond: 1, burst: 200 }

/** Puts in the log whom the network refused and why: what was never heard out leaves no other entry. */
export class RefusalLog {
  readonly #perPeer = new RateLimiter(PER_PEER)
  readonly #perKind = new RateLimiter(PER_KIND)
  readonly #ofAll = new RateLimiter(OF_ALL)
  readonly #components: { store: Store; clock: Clock; log: Logger }
  #unlogged = 0

  constructor(components: { store: Store; clock: Clock; log: Logger }) {
    this.#components = components
  }

  /** Nobody waits for it. */
  readonly note = (refused: Refused): void => {
    const now = performance.now()
    // Noise that goes before must not leave a proof unwritten.
    const key = refused.proof === undefined ? refused.peer : `${refused.peer} proved`
    const ofKind = this.#perKind.allows(`${key} ${refused.protocol} ${refused.code}`, now)
    const ofAll = refused.proof === undefined ? 'told' : 'proved'
    if (!(this.#perPeer.allows(key, now) || ofKind) || !this.#ofAll.allows(ofAll, now)) {
      this.#unlogged++
      return
    }
    const unlogged = this.#unlogged
    this.#unlogged = 0
    void this.#write(refused, unlogged).catch((error: unknown) => {
      this.#unlogged += unlogged + 1
      this.#components.log.warn({ code: codeOf(error), err: toError(error) }, 'a refusal could not be logged')
    })
  }

  async #write({ peer, protocol, code, proof = [] }: Refused, unlogged: number): Promise<void> {
    const { store, clock } = this.#components
    const time = clock.now()
    const fields = {
      code,
      peer,
      protocol,
      ...(unlogged > 0 ? { unlogged } : {}),
      ...(proof.length > 0 ? { proof: proof.map(({ id }) => id) } : {})
    }
    await store.transaction(async (tx) => {
      await append(tx, { time, kind: 'refusal', fields })
      for (const document of proof)
        await tx.documents.put({
          id: document.id,
          type: 'capability',
          bytes: encodeSigned(document),
          receivedAt: time
        })
    })
  }
}
