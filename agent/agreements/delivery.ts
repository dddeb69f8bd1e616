import {
  type DocumentType,
  decodeSigned,
  openDocument,
  type Signed,
  type SignedBytes
} from '../../protocol/documents/index.ts'
import { codeOf, toError } from '../../protocol/errors/index.ts'
import type { AgreementNotice } from '../../protocol/messages/index.ts'
import type { DeliveryKind, Store, StoredDelivery } from '../store/index.ts'
import type { Agreement, AgreementReply } from './agreement.ts'

export interface DeliveryComponents {
  store: Store
  clock: { now(): number }
  log: { warn(fields: object, message: string): void; info(fields: object, message: string): void }
  /** The organisation whose own words it delivers. */
  own: string
  /** Shows an agreement to an organisation's agents. @throws when none can be reached */
  show(
    organisation: string,
    agreement: Agreement,
    options?: { signal?: AbortSignal }
  ): Promise<AgreementReply>
  /** Tells an organisation's agents of a refusal or a revocation. @throws when none can be reached */
  tell(organisation: string, notice: AgreementNotice, options?: { signal?: AbortSignal }): Promise<void>
  /** Signs that others agreed on other terms, for a party that they left out. */
  replaced(agreement: string): Promise<SignedBytes>
  /** A party has signed. */
  signed(agreement: Agreement): Promise<void>
}

/** Why a party has not signed, or was not reached; nothing when it has. */
export interface Pending {
  organisation: string
  reason: string
}

/** What a party's agent says whatever it is sent again: the others are tried later. */
const FINAL: readonly string[] = [
  'agreement-malformed',
  'malformed-document',
  'bad-signature',
  'document-expired',
  'already-ended',
  'not-acceptable'
]

/** The same of a standing offer that is not open, or no more. */
const NOT_OPEN: readonly string[] = ['not-found', 'quota-exceeded', 'agreement-ambiguous']

/**
 * What the other parties have to hear, until they have heard it: agreements with the signatures there are, refusals,
 * revocations. Stored before it is sent, so it outlasts restarts of either side.
 */
export class Delivery {
  readonly #components: DeliveryComponents
  /** One conversation with a party at a time: it reads things in the order in which they happened. */
  readonly #runs = new Map<string, Promise<void>>()

  constructor(components: DeliveryComponents) {
    this.#components = components
  }

  /** Sends what waits for a party; what cannot be delivered now is tried again later. @returns what it said of agreements */
  async run(party: string, options: { signal?: AbortSignal } = {}): Promise<Pending[]> {
    const pending: Pending[] = []
    const before = this.#runs.get(party) ?? Promise.resolve()
    const run = before.then(async () => {
      for (const delivery of await this.#components.store.agreementLife.undelivered(party)) {
        if (delivery.gaveUp === 1) continue
        const reason = await this.#attempt(delivery, options)
        if (reason === null) continue
        pending.push({ organisation: party, reason: reason.text })
        if (reason.unreached) break
      }
    })
    const settled = run.catch(() => undefined)
    this.#runs.set(party, settled)
    try {
      await run
    } finally {
      if (this.#runs.get(party) === settled) this.#runs.delete(party)
    }
    return pending
  }

  /** Everything that waits for anybody. */
  async runAll(): Promise<void> {
    const waiting = await this.#components.store.agreementLife.undelivered()
    const parties = new Set(waiting.filter(({ gaveUp }) => gaveUp === 0).map(({ party }) => party))
    await Promise.all([...parties].map(async (party) => await this.run(party)))
  }

  /** Nothing is on its way any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#runs.values())
  }

  async #attempt(
    delivery: StoredDelivery,
    options: { signal?: AbortSignal }
  ): Promise<{ text: string; unreached: boolean } | null> {
    const { store, log } = this.#components
    try {
      const reason = await this.#send(delivery, options)
      await store.agreementLife.delivered(delivery)
      return reason === null ? null : { text: reason, unreached: false }
    } catch (error) {
      const text = toError(error).message
      const gaveUp =
        FINAL.includes(codeOf(error)) || (delivery.kind === 'agreement' && NOT_OPEN.includes(codeOf(error)))
      await store.agreementLife.failed(delivery, text.slice(0, 1000), gaveUp)
      const { party, kind, agreement } = delivery
      log.info(
        { party, kind, agreement, code: codeOf(error), gaveUp },
        'a party has not heard of an agreement'
      )
      return { text, unreached: !gaveUp }
    }
  }

  async #send(
    { party, kind, agreement }: StoredDelivery,
    options: { signal?: AbortSignal }
  ): Promise<string | null> {
    const { show, tell, signed } = this.#components
    if (kind === 'replaced') {
      await tell(party, { replaced: await this.#components.replaced(agreement) }, options)
      return null
    }
    if (kind !== 'agreement') {
      const bytes = await this.#ownWord(kind, agreement)
      if (bytes !== undefined)
        await tell(party, kind === 'refusal' ? { refusal: bytes } : { revocation: bytes }, options)
      return null
    }
    const known = await this.#components.store.agreements.get(agreement)
    // A newer version was proposed meanwhile, and is delivered too.
    if (known === undefined || known.state === 'superseded') return null
    const reply = await show(party, await decodeSigned('agreement', known.bytes), options)
    if (reply.agreement === null) return reply.pending?.reason ?? 'not signed yet'
    await signed(await openDocument('agreement', reply.agreement))
    return null
  }

  async #ownWord(
    kind: Exclude<DeliveryKind, 'agreement' | 'replaced'>,
    agreement: string
  ): Promise<SignedBytes | undefined> {
    const { store, own } = this.#components
    const rows =
      kind === 'refusal'
        ? await store.agreementLife.refusals(agreement)
        : await store.agreementLife.revocations(agreement)
    const row = rows.find(({ organisation }) => organisation === own)
    if (row === undefined) return undefined
    const type: DocumentType = kind === 'refusal' ? 'agreement-refusal' : 'revocation'
    const document: Signed<'agreement-refusal' | 'revocation'> = await decodeSigned(type, row.bytes)
    return document.bytes
  }
}
