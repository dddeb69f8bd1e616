import { refusalCode } from '../../protocol/documents/index.ts'
import { codeOf, toError } from '../../protocol/errors/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import type { Effect, EndCode, Exchange as Machine } from '../../protocol/negotiation/index.ts'
import { compose } from '../composition/index.ts'
import { submission as submissionSchema } from '../config/index.ts'
import type { Composed, Coordination, Dossier } from '../negotiation/index.ts'
import { answersTo, latestOffer, permits } from './answers.ts'
import type { RequestBook } from './book.ts'
import type { RequestsComponents } from './components.ts'
import { readersOf } from './holders.ts'
import { newRecord, type RequestRecord } from './record.ts'
import { statusOf } from './view.ts'
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
    const prepared = record?.prepared
    if (record === undefined || submission === undefined || prepared == null)
      return { code: 'restarted', hop: null }
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
    this.#book.tell(
      record,
      'negotiate',
      `asks ${plan.data.length + (plan.infrastructure === null ? 0 : 1)} hop(s) to accept ${plan.archetype.name}`
    )
    return await writeContract({ plan, dossier, epoch: order.epoch, sandbox }, speaker)
  }

  unanswered(request: string, peer: string, error: unknown): void {
    this.#book.record(request)?.unanswered.set(peer, { code: codeOf(error), reason: toError(error).message })
  }

  changed(dossier: Dossier, machine: Machine): void {
    const record = this.#book.record(dossier.request.id)
    if (record === undefined || machine.machine !== 'coordinator') return
    const before = record.coordinator?.stage.phase
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
    if (before === machine.stage.phase) return
    const [phase, message] = PHASES[machine.stage.phase]
    this.#book.tell(record, phase, message)
  }

  received(dossier: Dossier, message: WireMessage, from: string): void {
    const record = this.#book.record(dossier.request.id)
    if (record === undefined) return
    if (message.kind === 'offer') {
      const held = latestOffer(dossier, from)
      this.#book.tellOf(record, from, 'offer', held !== undefined && permits(held) ? 'permits' : 'refuses')
    } else if (message.kind === 'receipt') {
      this.#book.tellOf(record, from, 'run', 'has done its share')
      this.#receiptCame.get(record.id)?.()
    }
  }

  async reopened(dossier: Dossier): Promise<void> {
    const { store, members, agreements, results } = this.#components
    const stored = await store.requests.get(dossier.request.id)
    if (stored === undefined || stored.final) return
    const submission = submissionSchema.parse(stored.submission)
    dossier.readers = readersOf(dossier.request.payload, members, agreements)
    const { id, user, submittedAt } = stored
    const record = newRecord({ id, user, dossier, status: 'running', submittedAt })
    record.results = (await results.read(id)) ?? null
    this.#book.remember(record, submission)
  }

  /** The receipts of the other parties may still be on their way when the result is there. */
  async #finish(record: RequestRecord): Promise<void> {
    const { store, clock } = this.#components
    const status = statusOf(record)
    if (status === 'completed' && !record.dryRun) await this.#awaitReceipts(record)
    record.status = status
    if (record.results === null && status === 'completed')
      record.results = (await this.#components.results.read(record.id)) ?? null
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
