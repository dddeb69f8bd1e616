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
import {
  addSignature,
  decodeSigned,
  encodeSigned,
  openDocument,
  type Payload,
  type Signed,
  signFields
} from '../../protocol/documents/index.ts'
import { codeOf, toError } from '../../protocol/errors/index.ts'
import type { agreementProposal, agreementReply } from '../../protocol/messages/index.ts'
import type { Manifests } from '../../services/index.ts'
import { append } from '../audit/index.ts'
import type { Datasets } from '../datasets/index.ts'
import type { Members } from '../membership/index.ts'
import type { Store } from '../store/index.ts'
import { checkAnonymised } from './anonymised.ts'
import { checkFacts } from './check-facts.ts'
import { AgreementNotSignable } from './errors.ts'
import { checkLength, namesKnown, unknownHere, whatIsWrong } from './objection.ts'
import { assertIssued, assertWellFormed, isFullySigned, signedBy } from './verify.ts'

export type AgreementReply = z.infer<typeof agreementReply>
export type Agreement = Signed<'agreement'>

export interface AgreementsComponents {
  store: Store
  members: Members
  manifests: Manifests
  datasets: Datasets
  clock: { now(): number }
  log: { warn(fields: object, message: string): void; info(fields: object, message: string): void }
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
  /** An agreement came into force. */
  enforced(): void
}

const DAY_MS = 86_400_000
const TEN_YEARS = 3650 * DAY_MS
/** Of one provider: that wait for a signature, or came within a day. Each is stored for good. */
const MAX_SHOWN = 64

/** The agreements this organisation is a party to, or drafts. */
export class Agreements {
  readonly #components: AgreementsComponents
  /** In force, by id: the order in which they are tried. */
  #inForce: Agreement[] = []

  constructor(components: AgreementsComponents) {
    this.#components = components
  }

  async open(): Promise<void> {
    this.#inForce = await Promise.all(
      (await this.#components.store.agreements.inForce()).map(
        async ({ bytes }) => await decodeSigned('agreement', bytes)
      )
    )
  }

  /** Under which `provider` holds a dataset out; lowest id first. */
  inForce(
    filter: { provider?: string; dataset?: string; consumer?: string; party?: string } = {}
  ): Agreement[] {
    return this.#inForce.filter(
      ({ payload }) =>
        (filter.provider === undefined || payload.provider === filter.provider) &&
        (filter.dataset === undefined || payload.dataset === filter.dataset) &&
        (filter.party === undefined || payload.parties.includes(filter.party)) &&
        (filter.consumer === undefined || isConsumer(payload, filter.consumer))
    )
  }

  get(id: string): Agreement | undefined {
    return this.#inForce.find((agreement) => agreement.id === id)
  }

  /** Every agreement known, with its state. */
  async all(): Promise<{ agreement: Agreement; state: string }[]> {
    return await Promise.all(
      (await this.#components.store.agreements.all()).map(async ({ bytes, state }) => ({
        agreement: await decodeSigned('agreement', bytes),
        state
      }))
    )
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
      ...checkFacts(draft, {
        manifests,
        members,
        inForce: this.inForce({ provider: draft.provider, dataset: draft.dataset })
      }),
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
    const supersedes = this.#current(draft.provider, draft.name)
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
    await this.#keep(agreement)
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
        collected = await this.#merge(collected, await openDocument('agreement', reply.agreement))
      } catch (error) {
        pending.push({ organisation: party, reason: toError(error).message })
      }
    }
    for (const one of pending)
      this.#components.log.info({ agreement: collected.id, ...one }, 'an agreement waits for a signature')
    await this.#keep(collected)
    if (isFullySigned(collected, members)) {
      await this.#enforce(collected)
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
        : await this.#merge(await decodeSigned('agreement', known.bytes), agreement)
    const wrong = unknownHere(agreement.payload, this.#components.manifests, this.#components.clock.now())
    if (steward !== null && wrong === null) current = await addSignature(current, steward)
    await this.#keep(current)
    if (isFullySigned(current, members)) await this.#enforce(current)
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

  #current(provider: string, name: string): Agreement | undefined {
    return this.#inForce.find(({ payload }) => payload.provider === provider && payload.name === name)
  }

  #assertAcceptable(agreement: Agreement): void {
    assertWellFormed(agreement, this.#components.members)
    const { provider, name, issuedAt } = agreement.payload
    const current = this.#current(provider, name)
    if (current !== undefined && current.id !== agreement.id && issuedAt <= current.payload.issuedAt) {
      throw new AgreementNotSignable(
        'document-expired',
        `a newer version of ${name} is in force: ${current.id}`
      )
    }
  }

  /** Signatures of both copies; they stand under the same id. */
  async #merge(one: Agreement, other: Agreement): Promise<Agreement> {
    if (one.id !== other.id)
      throw new AgreementNotSignable('agreement-malformed', 'expected the same agreement back')
    const known = new Set(one.bytes.signatures.map((signature) => Buffer.from(signature).toString('base64')))
    const added = other.bytes.signatures.filter(
      (signature) => !known.has(Buffer.from(signature).toString('base64'))
    )
    return await openDocument('agreement', {
      payload: one.bytes.payload,
      signatures: [...one.bytes.signatures, ...added]
    })
  }

  async #keep(agreement: Agreement): Promise<void> {
    const { store, clock } = this.#components
    const { name, provider, dataset } = agreement.payload
    await store.agreements.put({
      id: agreement.id,
      name,
      provider,
      dataset,
      state: 'proposed',
      bytes: encodeSigned(agreement),
      at: clock.now()
    })
  }

  async #enforce(agreement: Agreement): Promise<void> {
    const { store, clock, log } = this.#components
    if (this.get(agreement.id) !== undefined) return
    const time = clock.now()
    const superseded = await store.transaction(async (tx) => {
      const earlier = await tx.agreements.enforce(agreement.id, time)
      const { name, provider } = agreement.payload
      await append(tx, {
        time,
        kind: 'agreement',
        document: agreement.id,
        fields: { name, provider, state: 'in-force', supersedes: earlier ?? null }
      })
      return earlier
    })
    log.info(
      { agreement: agreement.id, name: agreement.payload.name, superseded },
      'an agreement is in force'
    )
    this.#inForce = [...this.#inForce.filter(({ id }) => id !== superseded), agreement].sort((one, other) =>
      one.id < other.id ? -1 : 1
    )
    this.#components.enforced()
  }
}

export function isConsumer(payload: Payload<'agreement'>, organisation: string): boolean {
  return payload.terms.consumers.some((consumer) =>
    'user' in consumer ? consumer.user.organisation === organisation : consumer.organisation === organisation
  )
}
