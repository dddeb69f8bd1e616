import type { PrivateKey } from '@libp2p/interface'
import {
  decodeSigned,
  encodeSigned,
  openDocument,
  type Payload,
  type Signed,
  signDocument
} from '../../protocol/documents/index.ts'
import type { AgreementNotice } from '../../protocol/messages/index.ts'
import type { Manifests } from '../../services/index.ts'
import { append } from '../audit/index.ts'
import type { Members } from '../membership/index.ts'
import type {
  Store,
  StoredAgreement,
  StoredDelivery,
  StoredRefusal,
  StoredRevocation
} from '../store/index.ts'
import type { Agreement } from './agreement.ts'
import type { Delivery, Pending } from './delivery.ts'
import { issueAgreement } from './drafting.ts'
import type { Proposing } from './drafts.ts'
import { revocationClause } from './ending.ts'
import { AgreementNotSignable } from './errors.ts'
import { whatIsWrong } from './objection.ts'
import { type Left, takeReplaced, whoLeftOut } from './replaced.ts'
import type { Shelf } from './shelf.ts'
import { assertIssued, signedBy } from './verify.ts'

export interface ProposalsComponents {
  store: Store
  members: Members
  manifests: Manifests
  clock: { now(): number }
  key: PrivateKey
  self: string
  steward: PrivateKey | null
  shelf: Shelf
  delivery: Delivery
}

export interface AgreementRecords {
  refusals: StoredRefusal[]
  revocations: StoredRevocation[]
  undelivered: StoredDelivery[]
  left: Left[]
}

type Sent = { agreement: Agreement; pending: Pending[] }
type Files = Readonly<Record<string, string>>

/** Between a draft and its end: what parties propose, answer with other terms, refuse and revoke. */
export class Proposals {
  readonly #components: ProposalsComponents
  readonly #agreements: Proposing

  constructor(components: ProposalsComponents, agreements: Proposing) {
    this.#components = components
    this.#agreements = agreements
  }

  /**
   * Sends a draft to the other parties, as it is. Nobody has signed it; whoever reads it may sign, refuse, or answer with
   * other terms.
   *
   * @throws {AgreementMalformed}, {AgreementNotSignable}
   */
  async propose(text: string, files?: Files, options?: { signal?: AbortSignal }): Promise<Sent> {
    return await this.#agreements.propose(await this.#draft(text, files), options)
  }

  /**
   * Answers a proposal with other terms under the same name; the proposal cannot be signed any more.
   *
   * @throws {AgreementMalformed}, {AgreementNotSignable}
   */
  async counter(
    idOrName: string,
    text: string,
    files?: Files,
    options?: { signal?: AbortSignal }
  ): Promise<Sent> {
    const { agreement } = await this.waiting(idOrName)
    const draft = await this.#draft(text, files, agreement)
    const same = (key: 'name' | 'provider') => draft.payload[key] === agreement.payload[key]
    if (!same('name') || !same('provider'))
      throw new AgreementNotSignable(
        'agreement-malformed',
        `expected other terms of ${agreement.payload.name} of ${agreement.payload.provider}, found those of ${draft.payload.name} of ${draft.payload.provider}; propose them by themselves`
      )
    return await this.#agreements.propose(draft, options)
  }

  async #draft(text: string, files?: Files, counters?: Agreement): Promise<Agreement> {
    const { members, manifests, clock, key, self, shelf } = this.#components
    const draft = this.#agreements.parse(text, files)
    const wrong = whatIsWrong(draft, this.#agreements.check(draft))
    if (wrong !== null) throw new AgreementNotSignable('agreement-malformed', wrong)
    const agreement = await issueAgreement(draft, {
      marketplace: members.marketplace,
      self,
      key,
      manifests,
      now: clock.now(),
      supersedes: shelf.current(draft.provider, draft.name),
      ...(counters === undefined ? {} : { counters })
    })
    const own = members.own.organisation
    const { parties } = agreement.payload
    if (!parties.includes(own))
      throw new AgreementNotSignable(
        'agreement-malformed',
        `expected ${own} among the parties, found ${parties.join(', ')}; only a party proposes`
      )
    return agreement
  }

  /**
   * The proposal that waits under a name or id.
   *
   * @throws {AgreementNotSignable} `not-found`; `already-ended` for one that waits no longer; `agreement-ambiguous` when several wait
   */
  async waiting(idOrName: string): Promise<{ agreement: Agreement; proposedBy: string }> {
    const rows = await this.#named(idOrName)
    const waiting = rows.filter(({ state }) => state === 'proposed')
    const [one, ...others] = waiting
    if (others.length > 0)
      throw new AgreementNotSignable(
        'agreement-ambiguous',
        `${waiting.length} proposals wait under ${idOrName}; name one by its id: ${waiting.map(({ id }) => id).join(', ')}`
      )
    if (one !== undefined)
      return {
        agreement: await decodeSigned('agreement', one.bytes),
        proposedBy: one.proposedBy ?? one.provider
      }
    const [last] = rows
    if (last === undefined) throw notFound(idOrName)
    throw new AgreementNotSignable(
      'already-ended',
      `expected a proposal that waits, found ${last.name} ${last.id}, which is ${last.state}`
    )
  }

  /**
   * Says no to a proposal, to all its parties: under this id it never comes into force. Whoever made it takes it back so.
   *
   * @param reason what the others read
   * @throws {AgreementNotSignable}
   */
  async refuse(idOrName: string, reason: string, options?: { signal?: AbortSignal }): Promise<Sent> {
    const { members, store, clock, key, self } = this.#components
    const { agreement } = await this.waiting(idOrName)
    const own = members.own.organisation
    if (signedBy(agreement, members).includes(own))
      throw new AgreementNotSignable(
        'already-accepted',
        `the steward of ${own} has signed ${agreement.payload.name}; once it is in force it can be revoked`
      )
    const now = clock.now()
    const refusal = await signDocument(
      'agreement-refusal',
      {
        type: 'agreement-refusal',
        version: 1,
        marketplace: members.marketplace,
        issuer: self,
        issuedAt: now,
        expires: Math.max(agreement.payload.expires, now + 1),
        agreement: agreement.id,
        organisation: own,
        reason
      },
      key
    )
    const parties = agreement.payload.parties.filter((party) => party !== own)
    await this.#keepRefusal(agreement, refusal)
    await store.agreementLife.toDeliver({ kind: 'refusal', agreement: agreement.id, at: now }, parties)
    return { agreement, pending: await this.#deliver(parties, options) }
  }

  async #keepRefusal(agreement: Agreement, refusal: Signed<'agreement-refusal'>): Promise<void> {
    const { store, clock } = this.#components
    const { organisation, reason } = refusal.payload
    const at = clock.now()
    await store.transaction(async (tx) => {
      const state = (await tx.agreements.get(agreement.id))?.state
      const row = { agreement: agreement.id, organisation, reason, bytes: encodeSigned(refusal), at }
      if (!(await tx.agreementLife.refuse(row))) return
      if (state === 'proposed' || state === 'countered')
        await tx.agreements.setState(agreement.id, 'refused', at)
      await append(tx, {
        time: at,
        kind: 'agreement',
        document: agreement.id,
        fields: { name: agreement.payload.name, state: 'refused', by: organisation }
      })
    })
  }

  /**
   * What a steward has to sign to revoke one.
   *
   * @throws {AgreementNotSignable} when none of that name is in force
   */
  async revocationOf(idOrName: string, reason: string): Promise<Payload<'revocation'>> {
    const { members, clock, self } = this.#components
    const agreement = await this.#standing(idOrName)
    const { effect, notice } = revocationClause(agreement.payload)
    const now = clock.now()
    return {
      type: 'revocation',
      version: 1,
      marketplace: members.marketplace,
      issuer: self,
      issuedAt: Math.max(now, agreement.payload.issuedAt),
      expires: Math.max(agreement.payload.expires, now + notice + 1),
      agreement: agreement.id,
      organisation: members.own.organisation,
      effect,
      notice,
      reason
    }
  }

  /** With the steward's key, where the agent may use it. @throws {AgreementNotSignable} */
  async revokeAsSteward(idOrName: string, reason: string, options?: { signal?: AbortSignal }): Promise<Sent> {
    const { steward } = this.#components
    const payload = await this.revocationOf(idOrName, reason)
    if (steward === null)
      throw new AgreementNotSignable(
        'policy-forbids',
        "this agent may not use the steward's key; revoke with `dynamos agreement revoke`, which asks for its passphrase"
      )
    return await this.revoke(await signDocument('revocation', payload, steward), options)
  }

  /** Takes a revocation that this organisation's steward signed, and tells all parties. @throws {AgreementNotSignable} */
  async revoke(revocation: Signed<'revocation'>, options?: { signal?: AbortSignal }): Promise<Sent> {
    const { members, store, clock } = this.#components
    const own = members.own.organisation
    if (revocation.payload.organisation !== own)
      throw new AgreementNotSignable(
        'bad-signature',
        `expected a revocation of ${own}, found one of ${revocation.payload.organisation}`
      )
    const agreement = await this.#keepRevocation(revocation)
    const parties = agreement.payload.parties.filter((party) => party !== own)
    await store.agreementLife.toDeliver(
      { kind: 'revocation', agreement: agreement.id, at: clock.now() },
      parties
    )
    return { agreement, pending: await this.#deliver(parties, options) }
  }

  /** @returns the agreement that it ends */
  async #keepRevocation(revocation: Signed<'revocation'>): Promise<Agreement> {
    const { members, store, clock, shelf } = this.#components
    const { agreement: id, organisation, effect, notice, issuedAt, marketplace, reason } = revocation.payload
    const row = await store.agreements.get(id)
    // Signatures that make it one in force may be on their way.
    if (row === undefined || row.state === 'proposed' || row.state === 'draft')
      throw new AgreementNotSignable('no-agreement', `no agreement ${id} is in force here`)
    const agreement = await decodeSigned('agreement', row.bytes)
    const clause = revocationClause(agreement.payload)
    const stewards = members.byOrganisation(organisation)?.stewards ?? []
    assertIssued(revocation, clock.now())
    if (!agreement.payload.parties.includes(organisation) || marketplace !== members.marketplace)
      throw new AgreementNotSignable('agreement-malformed', `expected a revocation by a party of ${row.name}`)
    if (!revocation.signers.some((signer) => stewards.includes(signer)))
      throw new AgreementNotSignable(
        'bad-signature',
        `expected the signature of a steward of ${organisation}`
      )
    if (effect !== clause.effect || notice !== clause.notice || issuedAt < agreement.payload.issuedAt)
      throw new AgreementNotSignable(
        'agreement-malformed',
        `expected a revocation as the clause of ${row.name} says: ${clause.effect}, after ${clause.notice} ms`
      )
    const at = clock.now()
    const kept = {
      agreement: id,
      organisation,
      reason,
      endsAt: issuedAt + notice,
      bytes: encodeSigned(revocation),
      at
    }
    await store.transaction(async (tx) => {
      if (!(await tx.agreementLife.revoke(kept))) return
      await append(tx, {
        time: at,
        kind: 'agreement',
        document: id,
        fields: { name: row.name, state: 'revoking', by: organisation, ends: kept.endsAt }
      })
    })
    shelf.announce(kept)
    await shelf.sweep()
    return agreement
  }

  /** Another party refuses or revokes. @throws {AgreementNotSignable} */
  async noticed(notice: AgreementNotice): Promise<void> {
    const { members, store, clock } = this.#components
    if ('revocation' in notice) {
      await this.#keepRevocation(await openDocument('revocation', notice.revocation))
      return
    }
    if ('replaced' in notice) {
      const ended = await takeReplaced(notice.replaced, this.#components)
      if (ended !== undefined) this.#components.shelf.replaced(ended)
      return
    }
    const refusal = await openDocument('agreement-refusal', notice.refusal)
    const { agreement: id, organisation, issuer, marketplace } = refusal.payload
    assertIssued(refusal, clock.now())
    const row = await store.agreements.get(id)
    if (row === undefined) throw notFound(id)
    const agreement = await decodeSigned('agreement', row.bytes)
    if (!agreement.payload.parties.includes(organisation) || marketplace !== members.marketplace)
      throw new AgreementNotSignable('agreement-malformed', `expected a refusal by a party of ${row.name}`)
    if (!refusal.signers.includes(issuer) || members.organisationOf(issuer) !== organisation)
      throw new AgreementNotSignable('bad-signature', `expected the signature of an agent of ${organisation}`)
    if (signedBy(agreement, members).includes(organisation)) return
    await this.#keepRefusal(agreement, refusal)
  }

  /** What parties said of agreements, and what they have still to hear. */
  async records(): Promise<AgreementRecords> {
    const { agreementLife } = this.#components.store
    const [refusals, revocations, undelivered, left] = await Promise.all([
      agreementLife.allRefusals(),
      agreementLife.allRevocations(),
      agreementLife.undelivered(),
      whoLeftOut(this.#components.store)
    ])
    return { refusals, revocations, undelivered, left }
  }

  /** What parties have still to hear is sent: to one that came back, or to all. */
  async deliver(party?: string): Promise<void> {
    const { delivery } = this.#components
    if (party === undefined) await delivery.runAll()
    else await delivery.run(party)
  }

  /** Nothing is on its way any more; to be awaited before the state is closed. */
  async idle(): Promise<void> {
    await this.#components.delivery.idle()
  }

  async #deliver(parties: readonly string[], options?: { signal?: AbortSignal }): Promise<Pending[]> {
    const { delivery } = this.#components
    return (await Promise.all(parties.map(async (party) => await delivery.run(party, options)))).flat()
  }

  async #named(idOrName: string): Promise<StoredAgreement[]> {
    const { store } = this.#components
    const byId = await store.agreements.get(idOrName)
    return byId === undefined ? await store.agreements.byName(idOrName) : [byId]
  }

  async #standing(idOrName: string): Promise<Agreement> {
    const found = this.#components.shelf
      .inForce()
      .filter(({ id, payload }) => id === idOrName || payload.name === idOrName)
    const [one, ...others] = found
    if (one === undefined)
      throw new AgreementNotSignable('not-found', `no agreement ${idOrName} is in force here`)
    if (others.length > 0)
      throw new AgreementNotSignable(
        'agreement-ambiguous',
        `${found.length} agreements are in force under ${idOrName}; name one by its id: ${found.map(({ id }) => id).join(', ')}`
      )
    return one
  }
}

function notFound(idOrName: string): AgreementNotSignable {
  return new AgreementNotSignable(
    'not-found',
    `no agreement ${idOrName} is known here; \`dynamos agreement list\` shows all`
  )
}
