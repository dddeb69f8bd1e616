import { idOf } from '../../protocol/documents/index.ts'
import { codeOf, toError } from '../../protocol/errors/index.ts'
import type { WireKind } from '../../protocol/messages/index.ts'
import { appendAll } from '../audit/index.ts'
import type { Transaction } from '../store/index.ts'
import { Dossier } from './dossier.ts'
import type { ExchangePorts } from './ports.ts'
import { type HeardPositions, rememberPositions } from './positions.ts'
import { MESSAGE } from './replay.ts'

/** Long enough for a contract to follow an offer, so that both cost one write. */
const WITHIN_MS = 1000
/** What decisions are about, and what is said of them; all else is stored by the steps that rest on it. */
const TOLD: readonly WireKind[] = ['ask', 'offer']

/** Puts decisions in the log within a second even when nothing is promised: a refusal is a decision like any other. */
export class DecisionLog {
  readonly #dossier: Dossier
  readonly #ports: ExchangePorts
  #cancel: (() => void) | null = null

  constructor(dossier: Dossier, ports: ExchangePorts) {
    this.#dossier = dossier
    this.#ports = ports
  }

  /** Nobody waits for it. */
  soon(): void {
    if (this.#cancel !== null || !this.#dossier.hasNotes) return
    this.#cancel = this.#ports.clock.after(WITHIN_MS, () => {
      this.#cancel = null
      void this.flush()
    })
  }

  /** What was decided about is kept with the decision: another draft of the rules can be tried on it, and it can be proved. */
  async #asMessages(asked: readonly Uint8Array[]) {
    const { id: request } = this.#dossier.request
    const receivedAt = this.#ports.clock.now()
    return await Promise.all(
      asked.map(async (bytes) => ({ id: await idOf(bytes), type: MESSAGE, request, bytes, receivedAt }))
    )
  }

  /** What was noted until now is on disk when it resolves: something is about to leave that rests on it. */
  async write(): Promise<void> {
    this.#cancel?.()
    this.#cancel = null
    if (!this.#dossier.hasNotes) return
    const asked = this.#dossier.unsaved().filter((bytes) => TOLD.includes(Dossier.parse(bytes).kind))
    await withDecisions(
      this.#dossier,
      async (write) =>
        await this.#ports.store.transaction(async (tx) => {
          await write(tx)
          await tx.documents.putAll(await this.#asMessages(asked))
        }),
      this.#ports.log
    )
    this.#dossier.saved(asked)
  }

  /** As {@link write}, where nothing rests on it: what could not be written is tried again later. */
  async flush(): Promise<void> {
    try {
      await this.write()
    } catch (error) {
      this.#ports.log.error(
        { request: this.#dossier.request.id, code: codeOf(error), err: toError(error) },
        'decisions could not be logged'
      )
    }
  }
}

/**
 * Writes what was decided in a transaction of `run`. Taken inside of it, because another may be writing the same ones; given
 * back when nothing came of it.
 */
export async function withDecisions<T>(
  dossier: Dossier,
  run: (write: (tx: Transaction) => Promise<void>) => Promise<T>,
  log: ExchangePorts['log']
): Promise<T> {
  let taken: ReturnType<Dossier['takeNotes']> = []
  let heard: ReturnType<HeardPositions['take']> = []
  let contradicting: Awaited<ReturnType<typeof rememberPositions>> = []
  let result: T
  try {
    result = await run(async (tx) => {
      taken = dossier.takeNotes()
      if (taken.length > 0) await appendAll(tx, taken)
      heard = dossier.positions.take()
      contradicting = await rememberPositions(tx, heard)
    })
  } catch (error) {
    dossier.returnNotes(taken)
    dossier.positions.giveBack(heard)
    throw error
  }
  for (const { peer, sequence } of contradicting)
    log.error(
      { request: dossier.request.id, peer, sequence },
      'an agent signed two heads for one place in its log (dynamos audit list --proofs)'
    )
  return result
}
