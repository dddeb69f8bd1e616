import type { PrivateKey } from '@libp2p/interface'
import type { z } from 'zod'
import {
  type AgreementDraft,
  agreementParties,
  checkAgreement,
  type Finding,
  type KnownFacts,
  namesToPin,
  parseAgreement
} from '../../policy/index.ts'
import { addSignature, decodeSigned, openDocument, signFields } from '../../protocol/documents/index.ts'
import { codeOf, toError } from '../../protocol/errors/index.ts'
import type { agreementProposal, agreementReply } from '../../protocol/messages/index.ts'
import type { Manifests } from '../../services/index.ts'
import type { Datasets } from '../datasets/index.ts'
import type { Members } from '../membership/index.ts'
import { checkAnonymised } from './anonymised.ts'
import type { Ending } from './ending.ts'
import { AgreementNotSignable } from './errors.ts'
import { checkLength, namesKnown, unknownHere, whatIsWrong } from './objection.ts'
import { type Agreement, isConsumer, Shelf, type ShelfComponents } from './shelf.ts'
import { assertIssued, assertWellFormed, isFullySigned, signedBy } from './verify.ts'

export type AgreementReply = z.infer<typeof agreementReply>

export interface AgreementsComponents extends ShelfComponents {
  members: Members
  manifests: Manifests
  datasets: Datasets
  /** This agent's key: it issues drafts. */
  key: PrivateKey
  self: string
  /** The steward's key, where the configuration lets the agent sign without a human. */
  steward: PrivateKey | null
  /** Shows an agreement to an organisation's agents; undefined when none can be reached. */
  show(
    organisation: string,
    agreement: Agreement,
    options?: { signal?: AbortSignal }
  ): Promise<AgreementReply>
  /** What is to be said of the rules of an agreement of this organisation. */
  rules?: KnownFacts['rules']
}

const DAY_MS = 86_400_000
const TEN_YEARS = 3650 * DAY_MS
/** Of one provider: that wait for a signature, or came within a day. Each is stored for good. */
const MAX_SHOWN = 64

/** The agreements this organisation is a party to, or drafts. */
export class Agreements {
  readonly #components: AgreementsComponents
  readonly #shelf: Shelf

  constructor(components: AgreementsComponents) {
    this.#components = components
    this.#shelf = new Shelf(components)
  }

  async open(): Promise<void> {
    await this.#shelf.open()
  }

  /** Under which `provider` holds a dataset out; lowest id first. */
  inForce(filter: { provider?: string; dataset?: string; consumer?: string } = {}): Agreement[] {
    return this.#shelf
      .inForce()
      .filter(
        ({ payload }) =>
          (filter.provider === undefined || payload.provider === filter.provider) &&
          (filter.dataset === undefined || payload.dataset === filter.dataset) &&
          (filter.consumer === undefined || isConsumer(payload, filter.consumer))
      )
  }

  get(id: string): Agreement | undefined {
    return this.#shelf.get(id)
  }

  /**
   * The one under which an exchange that has started may go on: in force, or ended with `effect: finish`. Whatever has not
   * started asks {@link get}.
   */
  running(id: string): Agreement | undefined {
    return this.#shelf.running(id)
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
  async all(): Promise<{ agreement: Agreement; state: string }[]> {
    return await this.#shelf.all()
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
    const { members, manifests, datasets, clock } = this.#components
    const own = draft.provider === members.own.organisation
    const dataset = own ? datasets.get(draft.dataset) : undefined
    const findings = checkAgreement(draft, {
      organisations: members.all().map((member) => member.organisation),
      ...namesKnown(manifests),
      approves: (user) => members.speaksFor(draft.provider, user),
      now: clock.now(),
      ...(own ? { tables: dataset?.tables ?? null, rules: this.#components.rules } : {})
    })
    const more = dataset === undefined ? [] : checkAnonymised(draft, dataset, findings)
    return [...checkLength(draft), ...findings, ...more]
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
        `expected the provider ${members.own.organisation}, whose steward signs first, found ${draft.provider}`
      )
    }
    const wrong = whatIsWrong(draft, this.check(draft))
    if (wrong !== null) throw new AgreementNotSignable('agreement-malformed', wrong)
    const now = clock.now()
    const supersedes = this.#shelf.current(draft.provider, draft.name)
    return await signFields(
      'agreement',
      {
        type: 'agreement',
        version: 1,
        marketplace: members.marketplace,
        issuer: self,
        issuedAt: Math.max(now, (supersedes?.payload.issuedAt ?? 0) + 1),
        expires: draft.terms.valid.until ?? now + TEN_YEARS,
        name: draft.name,
        provider: draft.provider,
        dataset: draft.dataset,
        parties: agreementParties(draft),
        terms: draft.terms,
        pins: Object.fromEntries(
          namesToPin(draft.terms).flatMap(({ kind, name, key: pin }) => {
            const found = {
              archetype: manifests.archetypes,
              service: manifests.services,
              algorithm: manifests.algorithms
            }[kind].get(name)
            return found === undefined ? [] : [[pin, found.digest]]
          })
        ),
        ...(supersedes === undefined ? {} : { supersedes: supersedes.id })
      },
      key
    )
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
   * Collects the other parties' signatures and puts the agreement in force here and there once all have signed.
   *
   * @returns the agreement with the signatures there are, and who has still to sign
   */
  async propose(
    agreement: Agreement,
    options?: { signal?: AbortSignal }
  ): Promise<{ agreement: Agreement; pending: { organisation: string; reason: string }[] }> {
    const { members, show } = this.#components
    this.#assertAcceptable(agreement)
    const { provider } = agreement.payload
    if (provider !== members.own.organisation || !signedBy(agreement, members).includes(provider)) {
      throw new AgreementNotSignable(
        'bad-signature',
        `expected an agreement of ${members.own.organisation}, signed by its steward`
      )
    }
    await this.#shelf.keep(agreement, provider)
    const own = members.own.organisation
    const others = agreement.payload.parties.filter((party) => party !== own)
    const pending: { organisation: string; reason: string }[] = []
    let collected = agreement
    for (const party of others) {
      if (signedBy(collected, members).includes(party)) continue
      try {
        const reply = await show(party, collected, options)
        if (reply.agreement === null) {
          pending.push({ organisation: party, reason: reply.pending?.reason ?? 'not signed yet' })
          continue
        }
        collected = await this.#shelf.merge(collected, await openDocument('agreement', reply.agreement))
      } catch (error) {
        pending.push({ organisation: party, reason: toError(error).message })
      }
    }
    for (const one of pending)
      this.#components.log.info({ agreement: collected.id, ...one }, 'an agreement waits for a signature')
    await this.#shelf.keep(collected, provider)
    if (isFullySigned(collected, members)) {
      await this.#shelf.enforce(collected)
      for (const party of others) {
        await show(party, collected, options).catch((error: unknown) =>
          this.#components.log.warn(
            { party, agreement: collected.id, code: codeOf(error) },
            'a party did not hear that an agreement is in force'
          )
        )
      }
    }
    return { agreement: collected, pending }
  }

  /** Another party shows an agreement: signed at once where the steward allows it, else kept for a human. */
  async shown(message: z.infer<typeof agreementProposal>, from: string): Promise<AgreementReply> {
    const { members, steward } = this.#components
    const agreement = await openDocument('agreement', message.agreement)
    assertIssued(agreement, this.#components.clock.now())
    this.#assertAcceptable(agreement)
    const own = members.own.organisation
    const sender = members.organisationOf(from)
    if (
      !agreement.payload.parties.includes(own) ||
      sender === undefined ||
      !agreement.payload.parties.includes(sender)
    ) {
      throw new AgreementNotSignable(
        'agreement-malformed',
        'expected an agreement between the sender and this organisation'
      )
    }
    if (!signedBy(agreement, members).includes(agreement.payload.provider)) {
      throw new AgreementNotSignable(
        'bad-signature',
        `expected the signature of a steward of ${agreement.payload.provider}`
      )
    }
    const known = await this.#components.store.agreements.get(agreement.id)
    if (known === undefined) await this.#makeRoom(agreement)
    let current =
      known === undefined
        ? agreement
        : await this.#shelf.merge(await decodeSigned('agreement', known.bytes), agreement)
    const wrong = unknownHere(agreement.payload, this.#components.manifests, this.#components.clock.now())
    if (steward !== null && wrong === null) current = await addSignature(current, steward)
    await this.#shelf.keep(current, agreement.payload.provider)
    if (isFullySigned(current, members)) await this.#shelf.enforce(current)
    const signed = signedBy(current, members).includes(own)
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

  /**
   * For one that was not known: earlier versions of it wait no longer.
   *
   * @throws {AgreementNotSignable} `busy` when its provider shows too many
   */
  async #makeRoom({ payload }: Agreement): Promise<void> {
    const { store, clock } = this.#components
    const { name, provider, issuedAt } = payload
    const now = clock.now()
    for (const { id, state, bytes } of await store.agreements.byName(name, provider)) {
      if (state !== 'proposed') continue
      const earlier = await decodeSigned('agreement', bytes)
      if (earlier.payload.issuedAt < issuedAt) await store.agreements.setState(id, 'superseded', now)
    }
    if ((await store.agreements.countRecent(provider, now - DAY_MS)) >= MAX_SHOWN) {
      throw new AgreementNotSignable(
        'busy',
        `at most ${MAX_SHOWN} agreements of ${provider} wait here for a signature or are taken within a day`
      )
    }
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
