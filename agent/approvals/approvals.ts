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

/** What is to be approved, under which agreement, and by whom. */
interface Asked {
  row: StoredApproval
  agreement: AgreementInForce
  by: readonly string[]
}

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
    const wanting = agreements.flatMap(({ id, payload: { terms } }) =>
      terms.approval === undefined ? [] : [{ id, clause: terms.approval }]
    )
    const found: Record<string, Approval> = {}
    if (wanting.length === 0) return found
    const rows = await this.#components.store.approvals.of(request.id)
    for (const { id, clause } of wanting) {
      const row = rows.find(({ agreement }) => agreement === id)
      found[id] = await this.#under(request, id, clause, row)
    }
    return found
  }

  async #under(
    request: Signed<'request'>,
    agreement: string,
    { when }: Clause,
    row: StoredApproval | undefined
  ): Promise<Approval> {
    const { store, clock } = this.#components
    const own = row?.state === 'withdrawn' ? undefined : row
    if (own?.state === 'approved' || own?.state === 'refused') return { state: own.state, reason: own.reason }
    const { organisation, user, purpose, algorithm, datasets } = request.payload
    const like = {
      request: request.id,
      agreement,
      organisation,
      user: user.name,
      purpose,
      algorithm,
      datasets
    }
    const given = when === 'firstTime' && (await store.approvals.given(like))
    if (given) return { state: 'approved', reason: null }
    if (own === undefined) return { state: 'missing', reason: null }
    return { state: clock.now() >= own.until ? 'expired' : 'pending', reason: null }
  }

  /**
   * Asks this organisation's people under each of these agreements, and tells until when they may answer: no longer than the
   * request itself lasts. What was asked under others before, need not be answered any more.
   *
   * @returns null when too many requests of that organisation wait already
   */
  async ask(dossier: Dossier, agreements: readonly AgreementInForce[]): Promise<AwaitedOffer | null> {
    const { store, clock } = this.#components
    const { request, query } = dossier
    const wanting = agreements.flatMap(({ id, payload: { name, terms } }) =>
      terms.approval === undefined ? [] : [{ id, name, clause: terms.approval }]
    )
    if (wanting.length === 0 || query === null) return null
    const { organisation, user, purpose, datasets, algorithm, expires } = request.payload
    const now = clock.now()
    const { sql, parameters } = query.part
    const asked = { request: request.id, organisation, user: user.name, purpose, datasets, algorithm }
    return await store.transaction(async (tx) => {
      for (const { id, name, clause } of wanting) {
        const until = Math.min(now + clause.within, expires)
        const one = { ...asked, agreement: id, sql, parameters, askedAt: now, until }
        const result = await tx.approvals.ask(one, MAX_PENDING)
        if (result === 'too-many') return null
        if (result === 'asked') await this.#log(tx, request.id, 'asked', name)
      }
      const ids = wanting.map(({ id }) => id)
      await tx.approvals.withdraw(request.id, now, ids)
      const rows = (await tx.approvals.of(request.id)).filter((row) => ids.includes(row.agreement))
      return {
        until: Math.min(...rows.map((row) => row.until)),
        by: [...new Set(wanting.flatMap(({ clause }) => clause.by))]
      }
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
    for (const request of new Set((await store.approvals.pending(clock.now())).map((row) => row.request)))
      if (!isOpen(request)) await this.withdraw(request)
  }

  /** What waits for this user; what others are to approve is not shown. */
  async list(user: string): Promise<ApprovalView[]> {
    const { store, clock } = this.#components
    const pending = await store.approvals.pending(clock.now())
    return this.#inForce(pending)
      .filter(({ by }) => this.#approves(user, by))
      .map(view)
  }

  /**
   * Approves what waits of a request, under every agreement by which this user may.
   *
   * @throws {ApprovalNotFound}, {NotAnApprover}, {ApprovalOver}
   */
  async approve(request: string, user: string): Promise<ApprovalView> {
    const { clock } = this.#components
    return await this.#decide(
      request,
      user,
      'approved',
      async (tx, row) => await tx.approvals.approve(row, user, clock.now())
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
      async (tx, row) => await tx.approvals.refuse(row, user, reason, clock.now())
    )
  }

  async #decide(
    request: string,
    user: string,
    state: 'approved' | 'refused',
    change: (tx: Transaction, row: StoredApproval) => Promise<boolean>
  ): Promise<ApprovalView> {
    const { store, clock, isOpen, decided } = this.#components
    const rows = this.#inForce(await store.approvals.of(request))
    const own = rows.filter(({ by }) => this.#approves(user, by))
    const [first] = own
    if (first === undefined) {
      if (rows.length === 0) throw new ApprovalNotFound(request)
      throw new NotAnApprover(user, [...new Set(rows.flatMap(({ by }) => by))])
    }
    if (!isOpen(request)) {
      await this.withdraw(request)
      if (own.every(({ row }) => row.state === 'pending')) throw new ApprovalOver('is not asked for any more')
    }
    const changed = await store.transaction(async (tx) => {
      const done: string[] = []
      for (const { row, agreement } of own) {
        if (!(await change(tx, row))) continue
        done.push(row.agreement)
        await this.#log(tx, request, state, agreement.payload.name, user)
      }
      return done
    })
    const now = this.#inForce(await store.approvals.of(request))
    const [shown, ...more] = now.filter(({ row }) => changed.includes(row.agreement))
    if (shown === undefined) {
      const found = now.find(({ row }) => row.agreement === first.row.agreement)?.row.state ?? 'withdrawn'
      throw new ApprovalOver(
        found === 'pending' && clock.now() >= first.row.until ? 'ran out of time' : `was ${found}`
      )
    }
    decided(request)
    const also = more.map(({ agreement }) => agreement.payload.name)
    return { ...view(shown), ...(also.length === 0 ? {} : { also }) }
  }

  /** Those whose agreement is in force; nothing is approved under another. */
  #inForce(rows: readonly StoredApproval[]): Asked[] {
    return rows.flatMap((row) => {
      const agreement = this.#components.agreements.get(row.agreement)
      return agreement === undefined
        ? []
        : [{ row, agreement, by: agreement.payload.terms.approval?.by ?? [] }]
    })
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

function view({ row, agreement, by }: Asked): ApprovalView {
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
