import type { PrivateKey } from '@libp2p/interface'
import type { z } from 'zod'
import { type AgreementDraft, type Finding, parseAgreement } from '../../policy/index.ts'
import { addSignature, decodeSigned, openDocument } from '../../protocol/documents/index.ts'
import type { AgreementNotice, agreementProposal } from '../../protocol/messages/index.ts'
import type { Agreement, AgreementReply } from './agreement.ts'
import { permittedByRule, type SigningRule } from './auto-sign.ts'
import { type CheckComponents, checkDraft } from './check-draft.ts'
import { assertCounters } from './counters.ts'
import { Delivery, type Pending } from './delivery.ts'
import { Distrust } from './distrust.ts'
import { issueAgreement } from './drafting.ts'
import type { Proposing } from './drafts.ts'
import type { Ending } from './ending.ts'
import { AgreementNotSignable } from './errors.ts'
import { unknownHere, whatIsWrong } from './objection.ts'
import { Proposals } from './proposals.ts'
import { proposerOf } from './proposer.ts'
import { signReplaced, tellLeftOut } from './replaced.ts'
import { isConsumer, Shelf, type ShelfComponents } from './shelf.ts'
import { StandingOffers, type StandingOffersComponents } from './standing-offers.ts'
import { assertIssued, assertWellFormed, isFullySigned, signedBy } from './verify.ts'

export interface AgreementsComponents extends ShelfComponents, CheckComponents {
  /** This agent's key: it issues drafts. */
  key: PrivateKey
  self: string
  /** The steward's key, where the configuration lets the agent sign without a human. */
  steward: PrivateKey | null
  /** What the agent may sign without a human, and with which key. */
  rules?: { steward: PrivateKey; rules: readonly SigningRule[] }
  /** Tells an organisation's agents of a refusal or a revocation. @throws when none can be reached */
  tell(organisation: string, notice: AgreementNotice, options?: { signal?: AbortSignal }): Promise<void>
  /** Asks an organisation's agents what they offer. @throws when none can be reached */
  offered: StandingOffersComponents['offered']
  hides: StandingOffersComponents['hides']
  /** Shows an agreement to an organisation's agents. @throws when none can be reached */
  show(
    organisation: string,
    agreement: Agreement,
    options?: { signal?: AbortSignal }
  ): Promise<AgreementReply>
}

const DAY_MS = 86_400_000
/** That one organisation proposed: that wait for a signature, or came within a day. Each is stored for good. */
const MAX_SHOWN = 64

/** The agreements this organisation is a party to, or drafts. */
export class Agreements implements Proposing {
  readonly #components: AgreementsComponents
  readonly #shelf: Shelf
  readonly #delivery: Delivery
  readonly #distrust: Distrust
  /** What becomes of agreements before and after they are in force. */
  readonly proposals: Proposals
  /** Without consumers: what members may take. */
  readonly standing: StandingOffers

  constructor(components: AgreementsComponents) {
    this.#components = components
    const { members } = components
    const own = members.own.organisation
    this.#shelf = new Shelf({ ...components, own, left: (parties) => this.#send(parties) })
    this.#distrust = new Distrust(components)
    this.#delivery = new Delivery({
      ...components,
      own,
      replaced: async (id) => await signReplaced(id, components),
      signed: async (agreement) => {
        await this.#take(agreement, proposerOf(agreement, members))
      }
    })
    const current = (provider: string, name: string) => this.#shelf.current(provider, name)
    this.standing = new StandingOffers({ ...components, current }, this)
    this.proposals = new Proposals({ ...components, shelf: this.#shelf, delivery: this.#delivery }, this)
  }

  async open(): Promise<void> {
    await this.#shelf.open()
    await this.judgeSigners()
  }

  /** The status list changed: what a stolen key signed is left out until it is signed anew. */
  async judgeSigners(): Promise<void> {
    await this.#distrust.judge(this.#shelf.inForce())
  }

  /** Under which `provider` holds a dataset out; lowest id first. */
  inForce(
    filter: { provider?: string; dataset?: string; consumer?: string; party?: string } = {}
  ): Agreement[] {
    return this.#distrust
      .without(this.#shelf.inForce())
      .filter(
        ({ payload }) =>
          (filter.provider === undefined || payload.provider === filter.provider) &&
          (filter.dataset === undefined || payload.dataset === filter.dataset) &&
          (filter.party === undefined || payload.parties.includes(filter.party)) &&
          (filter.consumer === undefined || isConsumer(payload, filter.consumer))
      )
  }

  get(id: string): Agreement | undefined {
    return this.#distrust.has(id) ? undefined : this.#shelf.get(id)
  }

  /**
   * The one under which an exchange that has started may go on: in force, or ended with `effect: finish`. Whatever has not
   * started asks {@link get}.
   */
  running(id: string): Agreement | undefined {
    return this.#distrust.has(id) ? undefined : this.#shelf.running(id)
  }

  /** How one ended lately, or when it will: it was revoked (its notice may still run), superseded, or ran out. */
  ending(id: string): Ending | undefined {
    return this.#shelf.ending(id)
  }

  /**
   * An agreement is in force no longer; what happened is stored by then.
   *
   * @returns how to stop listening
   */
  onEnded(listener: (ending: Ending) => void): () => void {
    return this.#shelf.onEnded(listener)
  }

  /** Ends what a notice kept in force until now. To be called about every second. */
  async sweep(): Promise<void> {
    await this.#shelf.sweep()
  }

  /** Every agreement known, with its state. */
  async all(): ReturnType<Shelf['all']> {
    return this.#distrust.shown(await this.#shelf.all())
  }

  signedBy(agreement: Agreement): string[] {
    return signedBy(agreement, this.#components.members)
  }

  /** @throws {AgreementMalformed} with every problem of the file */
  parse(text: string, files: Readonly<Record<string, string>> = {}): AgreementDraft {
    return parseAgreement(
      text,
      'agreement',
      (address) => this.#components.members.resolveUser(address),
      (name) => (Object.hasOwn(files, name) ? files[name] : undefined)
    )
  }

  check(draft: AgreementDraft): Finding[] {
    const { provider, dataset } = draft
    return checkDraft(draft, this.#components, this.inForce({ provider, dataset }))
  }

  /**
   * The agreement as it would be signed: terms, parties and the digests of what it names.
   *
   * @throws {AgreementNotSignable} for errors that make it void; a clause that cannot be enforced is no such error, requests
   * under it are refused
   */
  async draft(text: string, files?: Readonly<Record<string, string>>): Promise<Agreement> {
    const { members, manifests, clock, key, self } = this.#components
    const draft = this.parse(text, files)
    if (draft.provider !== members.own.organisation) {
      throw new AgreementNotSignable(
        'agreement-malformed',
        `expected the provider ${members.own.organisation}, whose steward signs first, found ${draft.provider}; send it to the other parties with \`dynamos agreement propose\``
      )
    }
    const wrong = whatIsWrong(draft, this.check(draft))
    if (wrong !== null) throw new AgreementNotSignable('agreement-malformed', wrong)
    return await issueAgreement(draft, {
      marketplace: members.marketplace,
      self,
      key,
      manifests,
      now: clock.now(),
      supersedes: this.#shelf.current(draft.provider, draft.name)
    })
  }

  /** With the steward's signature, where the agent may use that key. @throws {AgreementNotSignable} */
  async signAsSteward(agreement: Agreement): Promise<Agreement> {
    const { steward } = this.#components
    if (steward === null) {
      throw new AgreementNotSignable(
        'policy-forbids',
        "this agent may not use the steward's key; sign with `dynamos agreement sign`, which asks for its passphrase"
      )
    }
    return await addSignature(agreement, steward)
  }

  /**
   * Keeps what this organisation proposes or has signed, shows it to the other parties and collects their signatures; in force
   * here and there once all have signed. A party that is not reached now hears of it later.
   *
   * @returns the agreement with the signatures there are, and who has still to sign
   */
  async propose(
    agreement: Agreement,
    options?: { signal?: AbortSignal }
  ): Promise<{ agreement: Agreement; pending: Pending[] }> {
    const { members, store, log } = this.#components
    this.#assertAcceptable(agreement)
    const own = members.own.organisation
    const proposedBy = proposerOf(agreement, members)
    if (proposedBy !== own && !signedBy(agreement, members).includes(own)) {
      throw new AgreementNotSignable(
        'bad-signature',
        `expected an agreement made by ${own}, or signed by its steward`
      )
    }
    await assertCounters(agreement, proposedBy, store)
    if ((await store.agreements.get(agreement.id)) === undefined)
      await this.#replaceEarlier(agreement, proposedBy)
    const kept = await this.#take(agreement, proposedBy)
    await this.#counteredBy(agreement, proposedBy)
    const others = agreement.payload.parties.filter((party) => party !== own)
    const pending = await this.#tellAll(kept, others, options)
    const bytes = (await store.agreements.get(kept.id))?.bytes
    const collected = bytes === undefined ? kept : await decodeSigned('agreement', bytes)
    for (const one of pending) log.info({ agreement: kept.id, ...one }, 'an agreement waits for a signature')
    // Who signed first has not seen the signatures that came after.
    if (others.length > 1 && isFullySigned(collected, members))
      await this.#tellAll(collected, others, options)
    return { agreement: collected, pending }
  }

  async #tellAll(
    { id }: Agreement,
    parties: readonly string[],
    options?: { signal?: AbortSignal }
  ): Promise<Pending[]> {
    const { store, clock } = this.#components
    await store.agreementLife.toDeliver({ kind: 'agreement', agreement: id, at: clock.now() }, parties)
    return (await Promise.all(parties.map(async (party) => await this.#delivery.run(party, options)))).flat()
  }

  /** Another party shows an agreement: signed at once where the steward allows it, else kept for a human. */
  async shown(message: z.infer<typeof agreementProposal>, from: string): Promise<AgreementReply> {
    const { members, store, clock } = this.#components
    const agreement = await openDocument('agreement', message.agreement)
    assertIssued(agreement, clock.now())
    this.#assertAcceptable(agreement)
    const own = members.own.organisation
    const { parties } = agreement.payload
    const sender = members.organisationOf(from)
    if (!parties.includes(own) || sender === undefined || !parties.includes(sender)) {
      throw new AgreementNotSignable(
        'agreement-malformed',
        'expected an agreement between the sender and this organisation'
      )
    }
    const proposedBy = proposerOf(agreement, members)
    if ((await store.agreements.get(agreement.id)) === undefined) {
      await assertCounters(agreement, proposedBy, store)
      await this.#makeRoom(agreement, proposedBy)
    }
    const wrong = unknownHere(agreement.payload, this.#components.manifests, clock.now())
    const steward = wrong === null ? this.#signerOf(agreement, proposedBy) : null
    const had = signedBy(agreement, members).includes(own)
    const current = await this.#take(agreement, proposedBy, steward)
    await this.#counteredBy(agreement, proposedBy)
    const signed = signedBy(current, members).includes(own)
    // The sender reads it in the answer; the others have to hear of it.
    const unheard = parties.filter((party) => party !== own && party !== sender)
    if (signed && !had && unheard.length > 0) {
      const delivery = { kind: 'agreement' as const, agreement: current.id, at: clock.now() }
      await store.agreementLife.toDeliver(delivery, unheard)
    }
    return {
      agreement: signed ? current.bytes : null,
      organisation: own,
      pending: signed
        ? null
        : {
            code: 'no-agreement',
            clause: null,
            reason: `the steward of ${own} has not signed yet${wrong === null ? '' : `: ${wrong}`}`,
            acceptable: null,
            position: null
          }
    }
  }

  async #take(
    agreement: Agreement,
    proposedBy: string,
    steward: PrivateKey | null = null
  ): Promise<Agreement> {
    const taken = await this.#shelf.take(agreement, {
      proposedBy,
      complete: (one) => isFullySigned(one, this.#components.members),
      add: async (one) => await this.standing.count(steward === null ? one : await addSignature(one, steward))
    })
    if (this.#distrust.has(taken.id)) await this.judgeSigners()
    return taken
  }

  /** The key that signs what others show, if a human need not be asked. */
  #signerOf(agreement: Agreement, proposedBy: string): PrivateKey | null {
    const { steward, members, rules } = this.#components
    const own = members.own.organisation
    // Nobody's word but a rule's opens this organisation's own data.
    if (
      steward !== null &&
      (agreement.payload.provider !== own || signedBy(agreement, members).includes(own))
    )
      return steward
    if (rules === undefined) return null
    const { provider, name } = agreement.payload
    const current = this.#shelf.current(provider, name)
    return permittedByRule(rules.rules, agreement, { own, proposedBy, current }) ? rules.steward : null
  }

  async #replaceEarlier({ payload }: Agreement, proposedBy: string): Promise<void> {
    const { store } = this.#components
    for (const earlier of await store.agreements.byName(payload.name, payload.provider)) {
      if (earlier.state !== 'proposed' || earlier.proposedBy !== proposedBy) continue
      const before = await decodeSigned('agreement', earlier.bytes)
      if (before.payload.issuedAt >= payload.issuedAt) continue
      await this.#end(before, 'superseded', { after: payload.parties, proposedBy })
    }
  }

  /** Those whom this organisation's own proposal leaves out hear of it. */
  async #end(
    before: Agreement,
    state: 'superseded' | 'countered',
    { after, proposedBy }: { after: readonly string[]; proposedBy: string }
  ): Promise<void> {
    const { store, clock, members } = this.#components
    const at = clock.now()
    const left = await store.transaction(async (tx) => {
      await tx.agreements.setState(before.id, state, at)
      return proposedBy === members.own.organisation ? await tellLeftOut(tx, before, { after, at }) : []
    })
    this.#send(left)
  }

  /** What does not arrive now is sent later. */
  #send(parties: readonly string[]): void {
    for (const party of parties) void this.#delivery.run(party).catch(() => undefined)
  }

  /**
   * For one that was not known: earlier versions that its proposer made wait no longer.
   *
   * @throws {AgreementNotSignable} `busy` when its proposer shows too many
   */
  async #makeRoom(agreement: Agreement, proposedBy: string): Promise<void> {
    const { store, clock } = this.#components
    await this.#replaceEarlier(agreement, proposedBy)
    if ((await store.agreements.countRecent(proposedBy, clock.now() - DAY_MS)) >= MAX_SHOWN) {
      throw new AgreementNotSignable(
        'busy',
        `at most ${MAX_SHOWN} agreements of ${proposedBy} wait here for a signature or are taken within a day`
      )
    }
  }

  async #counteredBy({ payload: { counters, parties } }: Agreement, proposedBy: string): Promise<void> {
    const { store } = this.#components
    const known = counters === undefined ? undefined : await store.agreements.get(counters)
    if (known?.state !== 'proposed') return
    const before = await decodeSigned('agreement', known.bytes)
    await this.#end(before, 'countered', { after: parties, proposedBy })
  }

  #assertAcceptable(agreement: Agreement): void {
    assertWellFormed(agreement, this.#components.members)
    const { provider, name, issuedAt } = agreement.payload
    const current = this.#shelf.current(provider, name)
    if (current !== undefined && current.id !== agreement.id && issuedAt <= current.payload.issuedAt) {
      throw new AgreementNotSignable(
        'document-expired',
        `a newer version of ${name} is in force: ${current.id}`
      )
    }
  }
}
