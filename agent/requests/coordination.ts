import { refusalCode } from '../../protocol/documents/index.ts'
import { codeOf, toError } from '../../protocol/errors/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import type { Coordinator, Effect, EndCode, Exchange as Machine } from '../../protocol/negotiation/index.ts'
import { compose } from '../composition/index.ts'
import { submission as submissionSchema } from '../config/index.ts'
import type { Composed, Coordination, Dossier } from '../negotiation/index.ts'
import { answersTo, latestOffer, permits } from './answers.ts'
import type { RequestBook } from './book.ts'
import type { RequestsComponents } from './components.ts'
import { readersOf } from './holders.ts'
import { newRecord, type RequestRecord } from './record.ts'
import { recoverPrepared } from './recover.ts'
import { contractOf, statusOf, waitingOf } from './view.ts'
import { writeContract } from './write-contract.ts'

const RECEIPTS_WITHIN_MS = 250

const PHASES = {
  collecting: ['negotiate', 'waits for answers of the hops'],
  composing: ['negotiate', 'chooses how it is done'],
  proposing: ['negotiate', 'waits for acceptances'],
  running: ['run', 'all have accepted: runs'],
  closing: ['run', 'is being ended'],
  ended: ['end', 'has ended']
} as const

/** The asker's side of an exchange: chooses, writes contracts, follows what happens, and stores how it ended. */
export class RequestCoordination implements Coordination {
  readonly #components: RequestsComponents
  readonly #book: RequestBook
  readonly #receiptCame = new Map<string, () => void>()

  constructor(components: RequestsComponents, book: RequestBook) {
    this.#components = components
    this.#book = book
  }

  async compose(
    dossier: Dossier,
    order: Extract<Effect, { do: 'compose' }>
  ): Promise<Composed | { code: EndCode; hop: string | null }> {
    const record = this.#book.record(dossier.request.id)
    const submission = this.#book.submission(dossier.request.id)
    if (record === undefined || submission === undefined) return { code: 'restarted', hop: null }
    // People may take days, and the agent be restarted meanwhile; anything else is asked again by whoever wants it.
    if (record.prepared === null && order.waited)
      record.prepared = await recoverPrepared(
        dossier,
        record.coordinator?.hops.map((hop) => hop.peer) ?? [],
        this.#components
      )
    const { prepared } = record
    if (prepared === null) return { code: 'restarted', hop: null }
    const { manifests, archetypeBodies, speaker, sandbox, clock } = this.#components
    record.milestones.offered ??= clock.now()
    const asked = prepared.candidates
    const answers = answersTo(order, asked, dossier)
    const composition = compose({
      request: dossier.request.payload,
      answers,
      silent: asked
        .filter((peer) => !answers.some((answer) => answer.peer === peer))
        .map((peer) => ({
          peer,
          organisation: this.#book.organisationOf(peer),
          refusal: this.#silence(record, peer)
        })),
      without: new Map(order.without.map((one) => [one.hop, one.code])),
      recipient: prepared.recipient,
      archetypes: archetypeBodies,
      manifests,
      resources: prepared.capabilities,
      preferences: { require: submission.require, optimise: submission.optimise, within: submission.within }
    })
    const { plan } = composition
    const last = order.without.at(-1)
    // No plan is left because a hop dropped out: what happened there is the reason, not that nothing is left.
    if (plan === null && last !== undefined) return { code: last.code, hop: last.hop }
    record.composition = composition
    record.refusals = [...composition.refusals]
    record.milestones.composed = clock.now()
    if (plan === null) {
      const [first] = composition.refusals
      return { code: first?.refusal.code ?? 'no-candidate', hop: null }
    }
    if (record.dryRun) return { code: 'no-candidate', hop: null }
    const hops = [...plan.data, plan.infrastructure, plan.verifier].filter((one) => one !== null).length
    this.#book.tell(record, 'negotiate', `asks ${hops} hop(s) to accept ${plan.archetype.name}`)
    const { specification } = submission
    return await writeContract({ plan, dossier, epoch: order.epoch, sandbox, specification }, speaker)
  }

  unanswered(request: string, peer: string, error: unknown): void {
    this.#book.record(request)?.unanswered.set(peer, { code: codeOf(error), reason: toError(error).message })
  }

  changed(dossier: Dossier, machine: Machine): void {
    const record = this.#book.record(dossier.request.id)
    if (record === undefined || machine.machine !== 'coordinator') return
    const before = record.coordinator
    record.coordinator = machine
    const { clock } = this.#components
    if (machine.stage.phase === 'running') record.milestones.started ??= clock.now()
    if (machine.stage.phase === 'ended') {
      record.milestones.ended ??= clock.now()
      for (const { hop, refusal } of machine.refusals) {
        const known = record.refusals.some((one) => one.refusal === refusal)
        if (!known) record.refusals.push({ hop: this.#book.organisationOf(hop), question: 'accept', refusal })
      }
      void this.#finish(record).catch((error: unknown) =>
        this.#components.log.error(
          { request: record.id, err: toError(error) },
          'a finished request could not be stored'
        )
      )
      return
    }
    record.status = statusOf(record)
    if (record.status === 'waiting') this.#tellWaiting(record, before)
    else if (before !== null && waitingOf(before).length > 0 && machine.stage.phase === 'collecting')
      this.#book.tell(record, 'negotiate', 'was decided on: asks the other hops again')
    if (before?.stage.phase === machine.stage.phase) return
    const [phase, message] = PHASES[machine.stage.phase]
    const left = machine.stage.phase === 'running' ? (record.composition?.expected ?? null) : null
    this.#book.tell(record, phase, message, left === null ? {} : { etaMilliseconds: Math.round(left) })
  }

  received(dossier: Dossier, message: WireMessage, from: string): void {
    const record = this.#book.record(dossier.request.id)
    if (record === undefined) return
    if (message.kind === 'offer') {
      const held = latestOffer(dossier, from)
      this.#book.tellOf(record, from, 'offer', held !== undefined && permits(held) ? 'permits' : 'refuses')
    } else if (message.kind === 'receipt') {
      this.#tellReceipt(record, from)
      this.#receiptCame.get(record.id)?.()
    }
  }

  #tellReceipt(record: RequestRecord, from: string): void {
    const receipts = [...(contractOf(record)?.receipts.values() ?? [])]
    const last = receipts.filter((one) => one.payload.issuer === from).at(-1)?.payload
    if (last === undefined) {
      this.#book.tellOf(record, from, 'run', 'has done its share')
      return
    }
    this.#book.tellOf(
      record,
      from,
      'run',
      `has done ${last.service}`,
      last.rows === null ? {} : { rows: last.rows }
    )
  }

  async reopened(dossier: Dossier): Promise<void> {
    const { store, members, agreements, results, clock } = this.#components
    const stored = await store.requests.get(dossier.request.id)
    if (stored === undefined || stored.final) return
    const submission = submissionSchema.parse(stored.submission)
    dossier.readers = readersOf(dossier.request.payload, members, agreements)
    const { id, user, submittedAt } = stored
    const record = newRecord({ id, user, dossier, status: 'running', submittedAt })
    record.dryRun = dossier.explains
    record.results = (await results.read(id)) ?? null
    // Milliseconds are more than an earlier run can have counted.
    this.#book.remember(record, submission, clock.now())
    this.#book.tell(record, 'run', 'goes on after a restart of this agent')
  }

  /** Each hop where somebody has to approve it, as it becomes known. */
  #tellWaiting(record: RequestRecord, before: Coordinator | null): void {
    const known = before === null ? [] : waitingOf(before).map(({ peer }) => peer)
    for (const { peer, by, until } of record.coordinator === null ? [] : waitingOf(record.coordinator))
      if (!known.includes(peer))
        this.#book.tellOf(
          record,
          peer,
          'approval',
          `waits for the approval of ${by.join(' or ')}, until ${new Date(until).toISOString()}`
        )
  }

  /** The receipts of the other parties may still be on their way when the result is there. */
  async #finish(record: RequestRecord): Promise<void> {
    const { store, clock } = this.#components
    const status = statusOf(record)
    if (status === 'completed' && !record.dryRun) await this.#awaitReceipts(record)
    record.status = status
    if (record.results === null && status === 'completed')
      record.results = (await this.#components.results.read(record.id)) ?? null
    // They may have come before it was cancelled; nobody is told of them.
    if (status !== 'completed') await this.#components.results.discard(record.id)
    await store.requests.update(record.id, {
      status,
      final: true,
      view: this.#book.view(record),
      at: clock.now()
    })
    this.#book.tell(record, 'end', status)
  }

  async #awaitReceipts(record: RequestRecord): Promise<void> {
    const complete = (): boolean => {
      const plan = record.coordinator?.plans.filter((one) => one.started).at(-1)
      const held = plan === undefined ? undefined : record.dossier.contracts.get(plan.contract.id)
      if (held === undefined) return true
      const done = new Set([...held.receipts.values()].map((receipt) => receipt.payload.issuer))
      return held.contract.payload.chain.every((step) => done.has(step.at))
    }
    if (complete()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#components.clock.after(RECEIPTS_WITHIN_MS, resolve)
    this.#receiptCame.set(record.id, () => {
      if (complete()) resolve()
    })
    await promise
    cancel()
    this.#receiptCame.delete(record.id)
  }

  #silence(record: RequestRecord, peer: string) {
    const said = record.unanswered.get(peer)
    const code = refusalCode.safeParse(said?.code)
    const who = this.#book.organisationOf(peer)
    return {
      code: code.success ? code.data : ('provider-missing' as const),
      clause: null,
      reason: said === undefined ? `${who} did not answer in time` : `${who}: ${said.reason}`,
      acceptable: null,
      position: null
    }
  }
}
