import type { PrivateKey } from '@libp2p/interface'
import { mayTake } from '../../policy/index.ts'
import {
  addSignature,
  decodeSigned,
  encodeSigned,
  openDocument,
  type Signed,
  signFields
} from '../../protocol/documents/index.ts'
import { MAX_OFFERS, type StandingQuestion, type StandingReply } from '../../protocol/messages/index.ts'
import type { Manifests } from '../../services/index.ts'
import { append } from '../audit/index.ts'
import type { Members } from '../membership/index.ts'
import type { Store, StoredOffer, StoredTaker } from '../store/index.ts'
import type { Agreement } from './agreement.ts'
import { pinsOf } from './drafting.ts'
import type { Drafts } from './drafts.ts'
import { AgreementNotSignable } from './errors.ts'
import { whatIsWrong } from './objection.ts'
import { issueTaken, offeredBySteward, takerOf } from './taken.ts'
import { TEN_YEARS } from './ten-years.ts'
import { assertIssued, signedBy } from './verify.ts'

export type StandingOffer = Signed<'standing-offer'>

/** It travels inside each agreement that comes of it: twice the terms go in one message. */
const MAX_OFFER_BYTES = 96 * 1024

export interface StandingOffersComponents {
  store: Store
  members: Members
  manifests: Manifests
  datasets: { visibilityOf(id: string): 'members' | 'parties' | undefined }
  /** Whether the organisation's own rules keep it from another one that a dataset of this one is there. */
  hides(dataset: string, organisation: string): boolean
  clock: { now(): number }
  key: PrivateKey
  self: string
  steward: PrivateKey | null
  /** Asks an organisation's agents what they offer. @throws when none can be reached */
  offered(
    organisation: string,
    question: StandingQuestion,
    options?: { signal?: AbortSignal }
  ): Promise<StandingReply>
  current(provider: string, name: string): Agreement | undefined
}

/** One of this organisation's own, and who took it. */
export interface OwnOffer {
  offer: StandingOffer
  state: StoredOffer['state']
  takers: StoredTaker[]
}

/** Agreements without consumers, which members take: those that this organisation publishes, and those of others. */
export class StandingOffers {
  readonly #components: StandingOffersComponents
  readonly #agreements: Drafts

  constructor(components: StandingOffersComponents, agreements: Drafts) {
    this.#components = components
    this.#agreements = agreements
  }

  /**
   * The offer as its steward would sign it.
   *
   * @throws {AgreementMalformed}, {AgreementNotSignable}
   */
  async draft(text: string, files?: Readonly<Record<string, string>>): Promise<StandingOffer> {
    const { members, manifests, clock, key, self } = this.#components
    const draft = this.#agreements.parse(text, files)
    const { name, provider, dataset, terms, standing } = draft
    if (standing === undefined)
      throw malformed(
        'expected `standing: {takers: …}` in place of consumers; an agreement with consumers is signed'
      )
    if (provider !== members.own.organisation)
      throw malformed(
        `expected the provider ${members.own.organisation}, found ${provider}: only own data is offered`
      )
    const wrong = whatIsWrong(draft, this.#agreements.check(draft))
    if (wrong !== null) throw malformed(wrong)
    const now = clock.now()
    const known = (await this.#components.store.standingOffers.all()).find((one) => one.name === name)
    const earlier =
      known === undefined ? 0 : (await decodeSigned('standing-offer', known.bytes)).payload.issuedAt
    const ends = [standing.until, terms.valid.until].filter((at) => at !== undefined)
    const offer = await signFields(
      'standing-offer',
      {
        type: 'standing-offer',
        version: 1,
        marketplace: members.marketplace,
        issuer: self,
        issuedAt: Math.max(now, earlier + 1),
        expires: ends.length === 0 ? now + TEN_YEARS : Math.min(...ends),
        name,
        provider,
        dataset,
        takers: standing.takers,
        max: standing.max,
        terms,
        pins: pinsOf(terms, manifests)
      },
      key
    )
    this.#assertOpen(offer)
    return offer
  }

  /** With the steward's signature, where the agent may use that key. @throws {AgreementNotSignable} */
  async signAsSteward(offer: StandingOffer): Promise<StandingOffer> {
    const { steward } = this.#components
    if (steward === null)
      throw new AgreementNotSignable(
        'policy-forbids',
        "this agent may not use the steward's key; publish with `dynamos agreement publish`, which asks for its passphrase"
      )
    return await addSignature(offer, steward)
  }

  /**
   * From now on members find it and may take it; the one of the same name before it, no more. What was taken goes on.
   *
   * @throws {AgreementNotSignable}
   */
  async publish(offer: StandingOffer): Promise<void> {
    const { store, members, clock, self } = this.#components
    const { provider, issuer, marketplace, name, dataset } = offer.payload
    if (provider !== members.own.organisation || issuer !== self || marketplace !== members.marketplace)
      throw malformed(
        `expected an offer of ${members.own.organisation} that this agent made, found one of ${provider}`
      )
    assertIssued(offer, clock.now())
    if (!offeredBySteward(offer, members))
      throw new AgreementNotSignable('bad-signature', `expected the signature of a steward of ${provider}`)
    this.#assertOpen(offer)
    const at = clock.now()
    const known = await store.standingOffers.get(offer.id)
    if (known?.state === 'published') return
    if (known !== undefined)
      throw new AgreementNotSignable(
        'already-ended',
        `the offer ${name} ${offer.id} was ${known.state}; sign it anew`
      )
    await store.transaction(async (tx) => {
      const published = await tx.standingOffers.published()
      if (published.length >= MAX_OFFERS && !published.some((one) => one.name === name))
        throw new AgreementNotSignable(
          'busy',
          `at most ${MAX_OFFERS} offers are published at a time; withdraw one`
        )
      await tx.standingOffers.publish({ id: offer.id, name, dataset, bytes: encodeSigned(offer), at })
      await append(tx, {
        time: at,
        kind: 'agreement',
        document: offer.id,
        fields: { name, provider, state: 'offered' }
      })
    })
  }

  /** Nobody takes it any more; what was taken goes on. @throws {AgreementNotSignable} `not-found` */
  async withdraw(name: string): Promise<void> {
    const { store, members, clock } = this.#components
    const at = clock.now()
    const offer = (await store.standingOffers.published()).find((one) => one.name === name || one.id === name)
    if (offer === undefined) throw new AgreementNotSignable('not-found', `no offer ${name} is published here`)
    await store.transaction(async (tx) => {
      if (!(await tx.standingOffers.withdraw(offer.name, at))) return
      await append(tx, {
        time: at,
        kind: 'agreement',
        document: offer.id,
        fields: { name: offer.name, provider: members.own.organisation, state: 'withdrawn' }
      })
    })
  }

  /** This organisation's own, whatever became of them. */
  async own(): Promise<OwnOffer[]> {
    const { standingOffers } = this.#components.store
    return await Promise.all(
      (await standingOffers.all()).map(async ({ id, bytes, state }) => ({
        offer: await decodeSigned('standing-offer', bytes),
        state,
        takers: await standingOffers.takers(id)
      }))
    )
  }

  /** What a member may take here. What it may not take is answered like what does not exist. */
  async answer({ name }: StandingQuestion, organisation: string | undefined): Promise<StandingReply> {
    const all = await Promise.all(
      (await this.#components.store.standingOffers.published()).map(
        async ({ bytes }) => await decodeSigned('standing-offer', bytes)
      )
    )
    const open = all.filter((offer) => organisation !== undefined && this.#isFor(offer, organisation))
    if (name !== undefined)
      return { offers: [], offer: open.find((offer) => offer.payload.name === name)?.bytes ?? null }
    return {
      offers: open.map(({ id, payload }) => ({
        id,
        name: payload.name,
        dataset: payload.dataset,
        purposes: payload.terms.purposes,
        until: payload.expires
      })),
      offer: null
    }
  }

  /** Whether it can be taken by an organisation: this agent counts it, a steward stands for it, and nothing hides it. */
  #isFor(offer: StandingOffer, organisation: string): boolean {
    const { datasets, clock, members, self, hides } = this.#components
    const { payload } = offer
    const visibility = datasets.visibilityOf(payload.dataset)
    if (visibility === undefined || payload.expires <= clock.now() || !mayTake(payload, organisation))
      return false
    // Under another key than the offer names the agent would sign what counts nowhere.
    if (payload.issuer !== self || !offeredBySteward(offer, members)) return false
    if (hides(payload.dataset, organisation)) return false
    // It may have been opened to all before the dataset was closed.
    return visibility === 'members' || payload.takers !== '*'
  }

  /** What another organisation offers to this one. @throws when it cannot be reached */
  async of(organisation: string, options?: { signal?: AbortSignal }): Promise<StandingReply['offers']> {
    return (await this.#ask(organisation, {}, options)).offers
  }

  /** One of them. @throws {AgreementNotSignable} */
  async find(name: string, from: string, options?: { signal?: AbortSignal }): Promise<StandingOffer> {
    const { members } = this.#components
    const { offer: bytes } = await this.#ask(from, { name }, options)
    if (bytes === null) throw notOpen(name, from, members.own.organisation)
    const offer = await openDocument('standing-offer', bytes)
    const { provider, marketplace } = offer.payload
    if (provider !== from || marketplace !== members.marketplace || offer.payload.name !== name)
      throw malformed(`expected the offer ${name} of ${from}, found ${offer.payload.name} of ${provider}`)
    if (!offeredBySteward(offer, members))
      throw new AgreementNotSignable('bad-signature', `expected the signature of a steward of ${from}`)
    this.#assertOpen(offer)
    return offer
  }

  async #ask(
    organisation: string,
    question: StandingQuestion,
    options?: { signal?: AbortSignal }
  ): Promise<StandingReply> {
    const { members, offered } = this.#components
    const own = members.own.organisation
    if (organisation === own) return await this.answer(question, own)
    return await offered(organisation, question, options)
  }

  /** The agreement that this organisation signs to take an offer. @throws {AgreementNotSignable} */
  async toTake(name: string, from: string, options?: { signal?: AbortSignal }): Promise<Agreement> {
    const { members, clock, key, self, current } = this.#components
    const offer = await this.find(name, from, options)
    const taker = members.own.organisation
    if (!mayTake(offer.payload, taker)) throw notOpen(name, from, taker)
    const now = clock.now()
    return await issueTaken(offer, { taker, self, key, now, current: (one) => current(from, one) })
  }

  /**
   * Counts who takes an offer of this organisation, for its agent to sign what its steward offered.
   *
   * @returns the agreement with the agent's signature
   * @throws {AgreementNotSignable} for an offer that is not, or no more, open to whoever takes it
   */
  async count(agreement: Agreement): Promise<Agreement> {
    const { store, members, clock, key, self } = this.#components
    const own = members.own.organisation
    const offer = agreement.standing
    const taker = takerOf(agreement)
    if (offer === undefined || taker === undefined || offer.payload.provider !== own) return agreement
    if (agreement.signers.includes(self)) return agreement
    const { name } = offer.payload
    if (!signedBy(agreement, members).includes(taker))
      throw new AgreementNotSignable('bad-signature', `expected the signature of a steward of ${taker}`)
    const current = this.#components.current(own, agreement.payload.name)
    if (current !== undefined && (current.standing === undefined || takerOf(current) !== taker))
      throw new AgreementNotSignable(
        'agreement-ambiguous',
        `another agreement of ${own} is in force as ${agreement.payload.name}; ask its steward`
      )
    await store.transaction(async (tx) => {
      const known = await tx.standingOffers.get(offer.id)
      if (known?.state !== 'published' || !this.#isFor(offer, taker)) throw notOpen(name, own, taker)
      const takers = await tx.standingOffers.takers(offer.id)
      if (!takers.some((one) => one.organisation === taker) && takers.length >= offer.payload.max)
        throw new AgreementNotSignable(
          'quota-exceeded',
          `the standing offer ${name} of ${own} was taken by as many members as it allows; ask its steward`
        )
      // Nor by publishing it anew comes back who was shut out, whether what was revoked had been taken or signed by hand.
      for (const { id: earlier } of await tx.agreements.byName(agreement.payload.name, own))
        if ((await tx.agreementLife.revocations(earlier)).some(({ organisation }) => organisation === own))
          throw new AgreementNotSignable(
            'already-ended',
            `${own} has revoked what ${taker} took of ${name}; ask its steward`
          )
      await tx.standingOffers.take({
        offer: offer.id,
        organisation: taker,
        agreement: agreement.id,
        at: clock.now()
      })
    })
    return await addSignature(agreement, key)
  }

  #assertOpen(offer: StandingOffer): void {
    const { name, expires } = offer.payload
    if (expires <= this.#components.clock.now())
      throw new AgreementNotSignable('document-expired', `the offer ${name} can no longer be taken: it ended`)
    const bytes = offer.bytes.payload.byteLength
    if (bytes > MAX_OFFER_BYTES)
      throw malformed(`expected an offer of at most ${MAX_OFFER_BYTES} bytes, found ${bytes}`)
  }
}

function malformed(message: string): AgreementNotSignable {
  return new AgreementNotSignable('agreement-malformed', message)
}

/** The same whether there is none, it has ended, or it is for others. */
function notOpen(name: string, provider: string, taker: string): AgreementNotSignable {
  return new AgreementNotSignable(
    'not-found',
    `${provider} has no standing offer ${name} that ${taker} may take; \`dynamos agreement list --standing --from "${provider}"\` shows what there is`
  )
}
