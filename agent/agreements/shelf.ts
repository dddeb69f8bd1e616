import { decodeSigned, encodeSigned, openDocument, type Payload } from '../../protocol/documents/index.ts'
import { append } from '../audit/index.ts'
import type { AgreementState, Store, StoredRevocation } from '../store/index.ts'
import type { Agreement } from './agreement.ts'
import { type Ending, expired, revoked, superseded } from './ending.ts'
import { AgreementNotSignable } from './errors.ts'
import { tellLeftOut } from './replaced.ts'

export interface ShelfComponents {
  store: Store
  clock: { now(): number }
  log: { warn(fields: object, message: string): void; info(fields: object, message: string): void }
  /** An agreement came into force. */
  enforced(): void
}

export interface ShelfInit extends ShelfComponents {
  /** The organisation whose shelf it is. */
  own: string
  /** Parties have to hear that others agreed without them; it is stored. */
  left(parties: readonly string[]): void
}

/** Longer than any exchange lasts: what ended before has nothing running under it. */
const REMEMBERED_MS = 2 * 86_400_000

const ENDED: readonly AgreementState[] = ['refused', 'countered', 'superseded', 'revoked']

/** What is in force here, what was until a moment ago, and when what is in force ends. */
export class Shelf {
  readonly #components: ShelfInit
  /** By id: the order in which they are tried. */
  #inForce: Agreement[] = []
  /** Of what is in force: when it will end, once somebody revoked it. */
  readonly #announced = new Map<string, Ending>()
  /** What ended lately, and how. */
  readonly #ended = new Map<string, { agreement: Agreement; ending: Ending }>()
  #taking: Promise<void> = Promise.resolve()
  #sweeping: Promise<void> = Promise.resolve()
  readonly #listeners = new Set<(ending: Ending) => void>()

  constructor(components: ShelfInit) {
    this.#components = components
  }

  async open(): Promise<void> {
    const { store, clock } = this.#components
    this.#inForce = await Promise.all(
      (await store.agreements.inForce()).map(async ({ bytes }) => await decodeSigned('agreement', bytes))
    )
    this.#announced.clear()
    for (const revocation of await store.agreementLife.allRevocations()) this.#announce(revocation)
    this.#ended.clear()
    for (const { id, bytes, changedAt } of await store.agreements.endedSince(clock.now() - REMEMBERED_MS)) {
      const agreement = await decodeSigned('agreement', bytes)
      const [first] = await store.agreementLife.revocations(id)
      const ending = first === undefined ? superseded(agreement, changedAt) : revoked(agreement, first)
      this.#ended.set(id, { agreement, ending })
    }
  }

  /** One that was revoked is left out from the instant at which its notice is over. */
  inForce(): Agreement[] {
    if (this.#announced.size === 0) return this.#inForce
    const now = this.#components.clock.now()
    return this.#inForce.filter(({ id }) => (this.#announced.get(id)?.at ?? Number.POSITIVE_INFINITY) > now)
  }

  get(id: string): Agreement | undefined {
    return this.inForce().find((agreement) => agreement.id === id)
  }

  /** One that governs what started while it was in force: those in force, and those that ended and let what runs finish. */
  running(id: string): Agreement | undefined {
    const standing = this.get(id)
    if (standing !== undefined) return standing
    const now = this.#components.clock.now()
    const announced = this.#announced.get(id)
    if (announced !== undefined && announced.at <= now && announced.effect === 'finish')
      return this.#inForce.find((agreement) => agreement.id === id)
    const past = this.#ended.get(id)
    return past?.ending.effect === 'finish' ? past.agreement : undefined
  }

  /** How it ended or when it will, when it was revoked, superseded, or ran out lately. */
  ending(id: string): Ending | undefined {
    return this.#announced.get(id) ?? this.#ended.get(id)?.ending
  }

  /** @returns how to stop that */
  onEnded(listener: (ending: Ending) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  current(provider: string, name: string): Agreement | undefined {
    return this.inForce().find(({ payload }) => payload.provider === provider && payload.name === name)
  }

  /** Every agreement known, with its state. */
  async all(): Promise<{ agreement: Agreement; state: AgreementState; proposedBy: string }[]> {
    return await Promise.all(
      (await this.#components.store.agreements.all()).map(async ({ bytes, state, proposedBy, provider }) => ({
        agreement: await decodeSigned('agreement', bytes),
        state,
        proposedBy: proposedBy ?? provider
      }))
    )
  }

  /** Signatures of both copies; they stand under the same id. */
  async merge(one: Agreement, other: Agreement): Promise<Agreement> {
    if (one.id !== other.id)
      throw new AgreementNotSignable('agreement-malformed', 'expected the same agreement back')
    const known = new Set(one.bytes.signatures.map((signature) => Buffer.from(signature).toString('base64')))
    const added = other.bytes.signatures.filter(
      (signature) => !known.has(Buffer.from(signature).toString('base64'))
    )
    if (added.length === 0) return one
    return await openDocument('agreement', {
      payload: one.bytes.payload,
      signatures: [...one.bytes.signatures, ...added]
    })
  }

  /**
   * Signatures that came are added to those that are here; in force once `complete`.
   *
   * @param add what this agent adds to it
   * @returns it as it stands now
   * @throws {AgreementNotSignable} `already-ended` for one that was refused, countered, superseded or revoked
   */
  async take(
    agreement: Agreement,
    init: {
      proposedBy: string
      complete(agreement: Agreement): boolean
      add?: (agreement: Agreement) => Promise<Agreement>
    }
  ): Promise<Agreement> {
    // One after the other: of two that read the same copy, one would drop what the other added.
    const taken = this.#taking.then(async () => {
      const known = await this.#components.store.agreements.get(agreement.id)
      if (known !== undefined && ENDED.includes(known.state))
        throw new AgreementNotSignable(
          'already-ended',
          `${known.name} ${known.id} was ${known.state}; propose a new version of it`
        )
      const merged =
        known === undefined
          ? agreement
          : await this.merge(await decodeSigned('agreement', known.bytes), agreement)
      const current = (await init.add?.(merged)) ?? merged
      await this.keep(current, init.proposedBy)
      if (init.complete(current)) await this.enforce(current)
      return current
    })
    this.#taking = taken.then(
      () => undefined,
      () => undefined
    )
    return await taken
  }

  async keep(agreement: Agreement, proposedBy: string): Promise<void> {
    const { store, clock } = this.#components
    const { name, provider, dataset } = agreement.payload
    await store.agreements.put({
      id: agreement.id,
      name,
      provider,
      dataset,
      state: 'proposed',
      bytes: encodeSigned(agreement),
      proposedBy,
      at: clock.now()
    })
  }

  async enforce(agreement: Agreement): Promise<void> {
    const { store, clock, log, enforced, own, left } = this.#components
    const leftOut = new Set<string>()
    if (this.#inForce.some(({ id }) => id === agreement.id)) {
      // A signature that came later counts: one of the others may be worth nothing any more.
      this.#inForce = this.#inForce.map((one) => (one.id === agreement.id ? agreement : one))
      return
    }
    const time = clock.now()
    const earlier = await store.transaction(async (tx) => {
      // One that was revoked, refused or superseded stays so, whoever shows it again.
      const state = (await tx.agreements.get(agreement.id))?.state
      if (state !== 'proposed' && state !== 'draft') return null
      const replaced = await tx.agreements.enforce(agreement.id, time)
      const { name, provider, issuedAt, parties } = agreement.payload
      for (const other of await tx.agreements.byName(name, provider)) {
        if (other.state !== 'proposed' && other.id !== replaced) continue
        const before = await decodeSigned('agreement', other.bytes)
        if (other.id !== replaced && before.payload.issuedAt > issuedAt) continue
        if (other.id !== replaced) await tx.agreements.setState(other.id, 'superseded', time)
        // One voice: the provider is a party of all of them.
        if (own !== provider) continue
        for (const party of await tellLeftOut(tx, before, { after: parties, at: time })) leftOut.add(party)
      }
      await append(tx, {
        time,
        kind: 'agreement',
        document: agreement.id,
        fields: { name, provider, state: 'in-force', supersedes: replaced ?? null }
      })
      return replaced
    })
    if (earlier === null) return
    log.info(
      { agreement: agreement.id, name: agreement.payload.name, superseded: earlier },
      'an agreement is in force'
    )
    const old = this.#inForce.find(({ id }) => id === earlier)
    this.#inForce = [...this.#inForce.filter(({ id }) => id !== earlier), agreement].sort((one, other) =>
      one.id < other.id ? -1 : 1
    )
    if (old !== undefined) this.#tell(old, superseded(old, time))
    enforced()
    left([...leftOut])
  }

  /** It is stored that others agreed on other terms instead, without this organisation. */
  replaced(agreement: Agreement): void {
    const { clock, log, enforced } = this.#components
    if (!this.#inForce.some(({ id }) => id === agreement.id)) return
    this.#inForce = this.#inForce.filter(({ id }) => id !== agreement.id)
    log.info({ agreement: agreement.id, name: agreement.payload.name }, 'an agreement was replaced')
    this.#tell(agreement, superseded(agreement, clock.now()))
    enforced()
  }

  /** What is stored already: from its instant on the agreement is in force no longer. */
  announce(revocation: StoredRevocation): void {
    this.#announce(revocation)
  }

  #announce(revocation: StoredRevocation): void {
    const agreement = this.#inForce.find(({ id }) => id === revocation.agreement)
    if (agreement === undefined) return
    const known = this.#announced.get(agreement.id)
    if (known === undefined || revocation.endsAt < known.at)
      this.#announced.set(agreement.id, revoked(agreement, revocation))
  }

  /** Stores that what was revoked has ended, and tells who listens. To be called when a notice is over, and now and then. */
  async sweep(): Promise<void> {
    this.#sweeping = this.#sweeping.then(async () => await this.#sweep())
    await this.#sweeping
  }

  async #sweep(): Promise<void> {
    const { store, clock, log } = this.#components
    const now = clock.now()
    for (const [id, ending] of [...this.#announced]) {
      if (ending.at > now) continue
      const agreement = this.#inForce.find((one) => one.id === id)
      if (agreement === undefined) continue
      await store.transaction(async (tx) => {
        await tx.agreements.setState(id, 'revoked', ending.at)
        await append(tx, {
          time: now,
          kind: 'agreement',
          document: id,
          fields: { name: ending.name, provider: ending.provider, state: 'revoked', by: ending.by }
        })
      })
      this.#inForce = this.#inForce.filter((one) => one.id !== id)
      log.info({ agreement: id, name: ending.name, by: ending.by }, 'an agreement was revoked')
      this.#tell(agreement, ending)
    }
    for (const agreement of this.#inForce) {
      const { until } = agreement.payload.terms.valid
      if (until !== undefined && until <= now && !this.#ended.has(agreement.id))
        this.#tell(agreement, expired(agreement, until))
    }
    for (const [id, { ending }] of this.#ended)
      if (ending.at < now - REMEMBERED_MS && ending.why !== 'expired') this.#ended.delete(id)
  }

  #tell(agreement: Agreement, ending: Ending): void {
    this.#announced.delete(agreement.id)
    this.#ended.set(agreement.id, { agreement, ending })
    for (const listener of [...this.#listeners]) listener(ending)
  }

  /** When the next notice is over; undefined when none runs. */
  nextEnd(): number | undefined {
    const ends = [...this.#announced.values()].map(({ at }) => at)
    return ends.length === 0 ? undefined : Math.min(...ends)
  }
}

export function isConsumer(payload: Payload<'agreement'>, organisation: string): boolean {
  return payload.terms.consumers.some((consumer) =>
    'user' in consumer ? consumer.user.organisation === organisation : consumer.organisation === organisation
  )
}
