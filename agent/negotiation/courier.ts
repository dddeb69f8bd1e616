import { codeOf } from '../../protocol/errors/index.ts'
import type { WireKind, WireMessage } from '../../protocol/messages/index.ts'
import type { Message } from '../../protocol/negotiation/index.ts'
import { type Dossier, UnknownDocument } from './dossier.ts'
import { hearMessage } from './hearing.ts'
import type { ExchangePorts } from './ports.ts'
import { requestNamedBy } from './wire.ts'

const RESEND_AFTER_MS = [500, 2000, 5000, 15_000]
/** What must arrive, because nothing else will make up for it. */
const PATIENT: readonly WireKind[] = ['outcome', 'failure', 'receipt', 'cancel', 'abort', 'offer']

/** Carries messages of one request to peers, and their answers back. */
export class Courier {
  readonly #dossier: Dossier
  readonly #ports: ExchangePorts
  readonly #posting = new Set<Promise<void>>()
  readonly #heard: (from: string, message: Message) => void
  readonly #kept: () => Promise<void>

  /** @param kept told when an answer is for no machine */
  constructor(
    dossier: Dossier,
    ports: ExchangePorts,
    heard: (from: string, message: Message) => void,
    kept: () => Promise<void>
  ) {
    this.#dossier = dossier
    this.#ports = ports
    this.#heard = heard
    this.#kept = kept
  }

  /** @param failed told when it did not arrive, or was answered by something that was not taken */
  post(to: string, wire: WireMessage, failed: (error: unknown) => void = () => undefined): void {
    const posting = this.#post(to, wire, failed, 0).finally(() => this.#posting.delete(posting))
    this.#posting.add(posting)
  }

  /** This agent's receipts under a contract, for whoever asked. */
  postReceipts(contract: string): void {
    const { self, coordination } = this.#ports
    const held = this.#dossier.contract(contract)
    const coordinator = held.contract.payload.issuer
    for (const receipt of held.receipts.values()) {
      if (receipt.payload.issuer !== self) continue
      const message: WireMessage = { kind: 'receipt', receipt: receipt.bytes }
      if (coordinator === self) coordination.received(this.#dossier, message, self)
      else this.post(coordinator, message)
    }
  }

  /** Resolves when every message has been sent once. */
  async idle(): Promise<void> {
    await Promise.all(this.#posting)
  }

  async #post(
    to: string,
    wire: WireMessage,
    failed: (error: unknown) => void,
    attempt: number
  ): Promise<void> {
    const { clock, log } = this.#ports
    const about = { request: this.#dossier.request.id, peer: to, kind: wire.kind }
    let replies: WireMessage[]
    try {
      replies = await this.#ports.post(to, wire)
    } catch (error) {
      const wait = RESEND_AFTER_MS[attempt]
      if (PATIENT.includes(wire.kind) && wait !== undefined) {
        clock.after(wait, () => void this.#post(to, wire, failed, attempt + 1))
        return
      }
      log.debug({ ...about, code: codeOf(error) }, 'a message did not arrive')
      failed(error)
      return
    }
    for (const reply of replies) {
      try {
        // What comes unasked is looked up by its request; an answer can be about anything.
        if (reply.kind === 'ask' || requestNamedBy(reply) !== this.#dossier.request.id)
          throw new UnknownDocument(`the answer ${reply.kind} is about another request`)
        const message = await hearMessage(this.#dossier, to, reply, this.#ports)
        if (message === null) await this.#kept()
        else this.#heard(to, message)
      } catch (error) {
        log.warn({ ...about, code: codeOf(error) }, 'an answer was not taken')
        this.#ports.notTaken?.(to, reply.kind, codeOf(error))
        failed(error)
      }
    }
  }
}
