import type { AgreementInForce, Approval } from '../../policy/index.ts'
import type { Payload, Signed } from '../../protocol/documents/index.ts'
import type { ApprovalView } from '../api/index.ts'
import { append } from '../audit/index.ts'
import type { AwaitedOffer, Dossier } from '../negotiation/index.ts'
import type { Store, StoredApproval, Transaction } from '../store/index.ts'
import { ApprovalNotFound, ApprovalOver, NotAnApprover } from './errors.ts'

export interface ApprovalsComponents {
  store: Store
  agreements: { get(id: string): AgreementInForce | undefined }
  clock: { now(): number }
  /** Whether this organisation speaks for a user. */
  speaksFor(user: string): boolean
  /** Whether an exchange still waits with a request, or runs it. */
  isOpen(request: string): boolean
  /** It was approved, refused, or an approval was taken back. */
  decided(request: string): void
}

/** Requests of one organisation that may wait here at once: somebody has to read them. */
export const MAX_PENDING = 20
/** Whom an agent's token stands for when it speaks for nobody. */
const STEWARD = 'steward'

type Clause = NonNullable<Payload<'agreement'>['terms']['approval']>

/** What people here have to approve, and have approved. */
export class Approvals {
  readonly #components: ApprovalsComponents

  constructor(components: ApprovalsComponents) {
    this.#components = components
  }

  /** How it stands with one request, by id of each agreement that wants an approval. */
  async of(
    request: Signed<'request'>,
    agreements: readonly AgreementInForce[]
  ): Promise<Record<string, Approval>> {
    const found: Record<string, Approval> = {}
    for (const { id, payload } of agreements) {
      const { approval } = payload.terms
      if (approval !== undefined) found[id] = await this.#under(request, id, approval)
    }
    return found
  }

  async #under(request: Signed<'request'>, agreement: string, { when }: Clause): Promise<Approval> {
    const { store, clock } = this.#components
    const row = await store.approvals.get(request.id)
    const own = row?.agreement === agreement && row.state !== 'withdrawn' ? row : undefined
    if (own?.state === 'approved' || own?.state === 'refused') return { state: own.state, reason: own.reason }
    const { organisation, user, purpose, algorithm } = request.payload
    const like = { request: request.id, agreement, organisation, user: user.name, purpose, algorithm }
    const given = when === 'firstTime' && (await store.approvals.given(like))
    if (given) return { state: 'approved', reason: null }
    if (own === undefined) return { state: 'missing', reason: null }
    return { state: clock.now() >= own.until ? 'expired' : 'pending', reason: null }
  }

  /**
   * Asks this organisation's people, and tells until when they may answer: no longer than the request itself lasts.
   *
   * @returns null when too many requests of that organisation wait already
   */
  async ask(dossier: Dossier, agreement: AgreementInForce): Promise<AwaitedOffer | null> {
    const { store, clock } = this.#components
    const { request, query } = dossier
    const { approval } = agreement.payload.terms
    if (approval === undefined || query === null) return null
    const { organisation, user, purpose, datasets, algorithm, expires } = request.payload
    const now = clock.now()
    const asked = {
      request: request.id,
      agreement: agreement.id,
      organisation,
      user: user.name,
      purpose,
      datasets,
      algorithm,
      sql: query.part.sql,
      parameters: query.part.parameters,
      askedAt: now,
      until: Math.min(now + approval.within, expires)
    }
    return await store.transaction(async (tx) => {
      const result = await tx.approvals.ask(asked, MAX_PENDING)
      if (result === 'too-many') return null
      if (result === 'asked') await this.#log(tx, request.id, 'asked', agreement.payload.name)
      const row = await tx.approvals.get(request.id)
      return { until: row?.until ?? asked.until, by: approval.by }
    })
  }

  /** The request is over: whoever would decide need not any more. */
  async withdraw(request: string): Promise<void> {
    const { store, clock } = this.#components
    await store.transaction(async (tx) => {
      if (await tx.approvals.withdraw(request, clock.now())) await this.#log(tx, request, 'withdrawn')
    })
  }

  /** Withdraws what nobody waits for any more, after an agent went down at the wrong moment. */
  async sweep(): Promise<void> {
    const { store, clock, isOpen } = this.#components
    for (const { request } of await store.approvals.pending(clock.now()))
      if (!isOpen(request)) await this.withdraw(request)
  }

  /** What waits for this user; what others are to approve is not shown. */
  async list(user: string): Promise<ApprovalView[]> {
    const { store, clock } = this.#components
    const pending = await store.approvals.pending(clock.now())
    return pending.flatMap((row) => {
      const agreement = this.#agreementOf(row)
      const by = agreement?.payload.terms.approval?.by ?? []
      return agreement !== undefined && this.#approves(user, by) ? [view(row, agreement, by)] : []
    })
  }

  /** @throws {ApprovalNotFound}, {NotAnApprover}, {ApprovalOver} */
  async approve(request: string, user: string): Promise<ApprovalView> {
    const { clock } = this.#components
    return await this.#decide(
      request,
      user,
      'approved',
      async (tx) => await tx.approvals.approve(request, user, clock.now())
    )
  }

  /**
   * Refuses what waits, or takes an approval back: what has not started under it is declined, what runs is stopped.
   *
   * @param reason told to those who asked
   * @throws {ApprovalNotFound}, {NotAnApprover}, {ApprovalOver}
   */
  async refuse(request: string, user: string, reason: string): Promise<ApprovalView> {
    const { clock } = this.#components
    return await this.#decide(
      request,
      user,
      'refused',
      async (tx) => await tx.approvals.refuse(request, user, reason, clock.now())
    )
  }

  async #decide(
    request: string,
    user: string,
    state: 'approved' | 'refused',
    change: (tx: Transaction) => Promise<boolean>
  ): Promise<ApprovalView> {
    const { store, clock, isOpen, decided } = this.#components
    const row = await store.approvals.get(request)
    const agreement = row === undefined ? undefined : this.#agreementOf(row)
    if (row === undefined || agreement === undefined) throw new ApprovalNotFound(request)
    const by = agreement.payload.terms.approval?.by ?? []
    if (!this.#approves(user, by)) throw new NotAnApprover(user, by)
    if (row.state === 'pending' && !isOpen(request)) {
      await this.withdraw(request)
      throw new ApprovalOver('is not asked for any more')
    }
    const changed = await store.transaction(async (tx) => {
      if (!(await change(tx))) return false
      await this.#log(tx, request, state, agreement.payload.name, user)
      return true
    })
    const now = await store.approvals.get(request)
    if (!changed || now === undefined) {
      const found = now?.state ?? 'withdrawn'
      throw new ApprovalOver(
        found === 'pending' && clock.now() >= row.until ? 'ran out of time' : `was ${found}`
      )
    }
    decided(request)
    return view(now, agreement, by)
  }

  /** The one in force; nothing is approved under another. */
  #agreementOf(row: StoredApproval): AgreementInForce | undefined {
    return this.#components.agreements.get(row.agreement)
  }

  /** An agent that speaks for nobody has one token, its steward's. */
  #approves(user: string, by: readonly string[]): boolean {
    const { speaksFor } = this.#components
    return by.some((one) => {
      if (one.toLowerCase() === user.toLowerCase()) return true
      const [local, domain] = one.toLowerCase().split('@')
      return user === STEWARD && local === STEWARD && (domain === undefined || speaksFor(one))
    })
  }

  async #log(
    tx: Transaction,
    request: string,
    state: 'asked' | 'approved' | 'refused' | 'withdrawn',
    agreement?: string,
    by?: string
  ): Promise<void> {
    await append(tx, {
      time: this.#components.clock.now(),
      kind: 'approval',
      request,
      fields: {
        state,
        ...(agreement === undefined ? {} : { agreement }),
        ...(by === undefined ? {} : { by })
      }
    })
  }
}

function view(row: StoredApproval, agreement: AgreementInForce, by: readonly string[]): ApprovalView {
  return {
    request: row.request,
    agreement: agreement.payload.name,
    organisation: row.organisation,
    user: row.user,
    purpose: row.purpose,
    datasets: row.datasets,
    algorithm: row.algorithm,
    parameters: row.parameters,
    query: row.sql,
    asked: new Date(row.askedAt).toISOString(),
    until: new Date(row.until).toISOString(),
    state: row.state,
    by: [...by],
    ...(row.reason === null ? {} : { reason: row.reason })
  }
}
