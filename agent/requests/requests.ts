import type { ArchetypeBody, Payload, Resources } from '../../protocol/documents/index.ts'
import { encodePlain, idOf, refusalCode } from '../../protocol/documents/index.ts'
import { codeOf, DynamosError, toError } from '../../protocol/errors/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import type { Effect, EndCode, Exchange as Machine } from '../../protocol/negotiation/index.ts'
import type { Manifests } from '../../services/index.ts'
import {
  FINAL_STATUS,
  type ProgressEvent,
  type RequestSummary,
  type RequestView,
  requestView
} from '../api/index.ts'
import { type Answer, compose } from '../composition/index.ts'
import type { Submission } from '../config/index.ts'
import { submission as submissionSchema } from '../config/index.ts'
import type { FlowProgress, StoredResult } from '../exchange/index.ts'
import type { Clock, Composed, Coordination, Dossier, Exchanges, Logger } from '../negotiation/index.ts'
import type { Store } from '../store/index.ts'
import {
  type NotAskable,
  type PrepareComponents,
  type Prepared,
  prepareRequest,
  readersOf
} from './prepare.ts'
import { Progress } from './progress.ts'
import type { RequestRecord } from './record.ts'
import type { ResultFiles } from './results.ts'
import { statusOf, viewRequest } from './view.ts'
import { latestOffer, writeContract } from './write-contract.ts'

/** A submission that this agent does not take. */
export class SubmissionRefused extends DynamosError {
  static override readonly name = 'SubmissionRefused'
}

export interface RequestsComponents extends Omit<PrepareComponents, 'archetypes' | 'algorithms' | 'atData'> {
  store: Store
  manifests: Manifests
  archetypeBodies: ReadonlyMap<string, ArchetypeBody>
  atData: ReadonlySet<string>
  clock: Clock
  log: Logger
  results: ResultFiles
  sandbox: 'bubblewrap' | 'none'
  /** People this agent speaks for; empty: its steward only. */
  users: readonly string[]
}

const MAX_RECENT = 200
const RECEIPTS_WITHIN_MS = 250

/** Requests of this agent's own people: prepared, coordinated, watched, answered. */
export class Requests implements Coordination {
  readonly #components: RequestsComponents
  readonly #records = new Map<string, RequestRecord>()
  readonly #progress = new Map<string, Progress>()
  readonly #submissions = new Map<string, Submission>()
  readonly #finished = new Map<string, () => void>()
  #exchanges: Exchanges | null = null

  constructor(components: RequestsComponents) {
    this.#components = components
  }

  /** Both sides need each other; this closes the circle. */
  connect(exchanges: Exchanges): void {
    this.#exchanges = exchanges
  }

  /**
   * @returns the request's id; `created` is false when the same user made it before with the same key
   * @throws {SubmissionRefused}
   */
  async submit(
    submission: Submission,
    caller: string,
    options: { idempotencyKey?: string; dryRun?: boolean; signal?: AbortSignal } = {}
  ): Promise<{ request: string; created: boolean }> {
    const { store, clock } = this.#components
    const user = this.#userOf(submission, caller)
    if (options.idempotencyKey !== undefined) {
      const earlier = (await store.requests.list({ user })).find(
        (one) => one.idempotencyKey === options.idempotencyKey
      )
      if (earlier !== undefined) return this.#sameAgain(submission, earlier.id, earlier.submission)
    }
    const submitted = clock.now()
    const prepared = await this.#prepare(submission, user, options.signal)
    if ('refusals' in prepared)
      return await this.#refuseAtOnce(submission, user, submitted, prepared, options)
    const { dossier } = prepared
    const record: RequestRecord = {
      id: dossier.request.id,
      user,
      submittedAt: new Date(submitted).toISOString(),
      dossier,
      prepared,
      coordinator: null,
      dryRun: options.dryRun ?? false,
      composition: null,
      refusals: [],
      unanswered: new Map(),
      results: null,
      milestones: {
        submitted,
        discovered: clock.now(),
        offered: null,
        composed: null,
        started: null,
        ended: null
      },
      status: 'discovering'
    }
    const created = await store.requests.create({
      id: record.id,
      user,
      ...(options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey }),
      status: 'discovering',
      submission,
      view: this.#view(record),
      at: submitted
    })
    if (!created.created) {
      if (!created.same) throw keyReused()
      return { request: created.id, created: false }
    }
    this.#remember(record, submission)
    this.#tell(record, 'discover', `found ${dossier.request.payload.providers.length} data provider(s)`)
    await this.#exchangesOrThrow().coordinate(dossier, prepared.candidates, submission.deadline)
    return { request: record.id, created: true }
  }

  /** Everything but running it: every hop's answer, every candidate. */
  async explain(submission: Submission, caller: string, signal: AbortSignal): Promise<RequestView> {
    const { request } = await this.submit(submission, caller, { dryRun: true, signal })
    await this.#untilFinished(request, signal)
    const view = await this.view(request)
    if (view === undefined) throw new SubmissionRefused('internal', 'the dry run left nothing behind')
    return view
  }

  async view(id: string): Promise<RequestView | undefined> {
    const record = this.#records.get(id)
    if (record !== undefined) return this.#view(record)
    const stored = await this.#components.store.requests.get(id)
    return stored === undefined ? undefined : requestView.parse(stored.view)
  }

  async list(): Promise<RequestSummary[]> {
    const stored = await this.#components.store.requests.list()
    return stored.map((one) => {
      const view = requestView.parse(one.view)
      const asked = submissionSchema.safeParse(one.submission)
      return {
        request: one.id,
        status: this.#records.get(one.id)?.status ?? view.status,
        submitted: view.submitted,
        user: one.user,
        datasets: asked.success ? asked.data.datasets : []
      }
    })
  }

  async *events(id: string, signal: AbortSignal): AsyncGenerator<ProgressEvent> {
    const progress = this.#progress.get(id)
    if (progress !== undefined) {
      yield* progress.watch(signal)
      return
    }
    const view = await this.view(id)
    if (view === undefined) return
    yield { sequence: 1, at: view.submitted, status: view.status, phase: 'end', message: view.status }
  }

  async cancel(id: string): Promise<RequestView | undefined> {
    const record = this.#records.get(id)
    if (record !== undefined && !FINAL_STATUS.includes(record.status)) {
      const exchange = this.#exchangesOrThrow().get(id)
      exchange?.dispatch({
        machine: 'coordinator',
        event: { type: 'cancel', now: this.#components.clock.now() }
      })
    }
    return await this.view(id)
  }

  /** A share of this agent, or a flow, made progress. */
  progress(request: string, phase: string, message: string, flow?: FlowProgress): void {
    const record = this.#records.get(request)
    if (record === undefined) return
    const more =
      flow === undefined
        ? {}
        : {
            bytes: flow.bytes,
            ...(flow.of === null ? {} : { of: flow.of }),
            hop: this.#organisationOf(flow.peer)
          }
    this.#progress.get(request)?.tell(this.#components.clock.now(), record.status, phase, message, more)
  }

  /** Results were stored: of an own request, or one that another member sends here. */
  arrived(request: string, results: readonly StoredResult[]): void {
    const record = this.#records.get(request)
    if (record !== undefined) {
      record.results = [...results]
      return
    }
    void this.#keepForeign(request).catch((error: unknown) =>
      this.#components.log.warn(
        { request, err: toError(error) },
        'a result that another asked for could not be listed'
      )
    )
  }

  // Coordination

  async compose(
    dossier: Dossier,
    order: Extract<Effect, { do: 'compose' }>
  ): Promise<Composed | { code: EndCode; hop: string | null }> {
    const record = this.#records.get(dossier.request.id)
    const submission = this.#submissions.get(dossier.request.id)
    const prepared = record?.prepared
    if (record === undefined || submission === undefined || prepared == null)
      return { code: 'restarted', hop: null }
    const { manifests, archetypeBodies, speaker, sandbox, clock } = this.#components
    record.milestones.offered ??= clock.now()
    const asked = prepared.candidates
    const answers = asked.flatMap((peer) => answerOf(dossier, peer))
    const composition = compose({
      request: dossier.request.payload,
      answers,
      silent: asked
        .filter((peer) => !answers.some((answer) => answer.peer === peer))
        .map((peer) => ({
          peer,
          organisation: this.#organisationOf(peer),
          refusal: this.#silence(record, peer)
        })),
      without: new Set(order.without.map((one) => one.hop)),
      recipient: prepared.recipient,
      archetypes: archetypeBodies,
      manifests,
      resources: new Map(
        [...prepared.capabilities].map(
          ([peer, { organisation, resources, load }]): [
            string,
            { organisation: string; resources: Resources; load: number }
          ] => [peer, { organisation, resources, load }]
        )
      ),
      preferences: { require: submission.require, optimise: submission.optimise, within: submission.within }
    })
    record.composition = composition
    record.refusals = [...composition.refusals]
    record.milestones.composed = clock.now()
    const { plan } = composition
    if (plan === null) {
      const [first] = composition.refusals
      return { code: first?.refusal.code ?? 'no-candidate', hop: null }
    }
    if (record.dryRun) return { code: 'no-candidate', hop: null }
    this.#tell(
      record,
      'negotiate',
      `asks ${plan.data.length + (plan.infrastructure === null ? 0 : 1)} hop(s) to accept ${plan.archetype.name}`
    )
    return await writeContract({ plan, dossier, epoch: order.epoch, sandbox }, speaker)
  }

  unanswered(request: string, peer: string, error: unknown): void {
    this.#records.get(request)?.unanswered.set(peer, { code: codeOf(error), reason: toError(error).message })
  }

  changed(dossier: Dossier, machine: Machine): void {
    const record = this.#records.get(dossier.request.id)
    if (record === undefined || machine.machine !== 'coordinator') return
    record.coordinator = machine
    const { clock } = this.#components
    if (machine.stage.phase === 'running') record.milestones.started ??= clock.now()
    if (machine.stage.phase === 'ended') {
      record.milestones.ended ??= clock.now()
      for (const { hop, refusal } of machine.refusals) {
        const known = record.refusals.some((one) => one.refusal === refusal)
        if (!known) record.refusals.push({ hop: this.#organisationOf(hop), question: 'offer', refusal })
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
    this.#tell(record, record.status, PHASES[machine.stage.phase])
  }

  received(dossier: Dossier, message: WireMessage, from: string): void {
    const record = this.#records.get(dossier.request.id)
    if (record === undefined) return
    if (message.kind === 'offer') {
      const permits = latestOffer(dossier, from)?.offer.payload.rows.some((row) => row.verdict === 'permit')
      this.#tell(record, 'offer', `${this.#organisationOf(from)} ${permits ? 'permits' : 'refuses'}`, from)
    } else if (message.kind === 'receipt') {
      this.#tell(record, 'run', `${this.#organisationOf(from)} has done its share`, from)
      this.#finished.get(record.id)?.()
    }
  }

  async reopened(dossier: Dossier): Promise<void> {
    const { store, members, agreements, results } = this.#components
    const stored = await store.requests.get(dossier.request.id)
    if (stored === undefined || stored.final) return
    const submission = submissionSchema.parse(stored.submission)
    dossier.readers = readersOf(dossier.request.payload, members, agreements)
    this.#remember(
      {
        id: stored.id,
        user: stored.user,
        submittedAt: new Date(stored.submittedAt).toISOString(),
        dossier,
        prepared: null,
        coordinator: null,
        dryRun: false,
        composition: null,
        refusals: [],
        unanswered: new Map(),
        results: (await results.read(stored.id)) ?? null,
        milestones: {
          submitted: stored.submittedAt,
          discovered: null,
          offered: null,
          composed: null,
          started: null,
          ended: null
        },
        status: 'running'
      },
      submission
    )
  }

  #userOf(submission: Submission, caller: string): string {
    const user = submission.user ?? caller
    const { users } = this.#components
    if (users.length > 0 && !users.includes(user)) {
      throw new SubmissionRefused(
        'consumer-not-permitted',
        `this agent speaks for ${users.join(', ')}, not for ${user}`
      )
    }
    return user
  }

  async #prepare(submission: Submission, user: string, signal?: AbortSignal): Promise<Prepared | NotAskable> {
    const { manifests, archetypeBodies } = this.#components
    return await prepareRequest(
      submission,
      user,
      {
        ...this.#components,
        archetypes: [...archetypeBodies.keys()],
        algorithms: [...manifests.algorithms.keys()]
      },
      signal === undefined ? undefined : { signal }
    )
  }

  /** Nobody could be asked: the request ends here, with the reason, and is listed like any other. */
  async #refuseAtOnce(
    submission: Submission,
    user: string,
    submitted: number,
    { refusals }: NotAskable,
    options: { idempotencyKey?: string }
  ): Promise<{ request: string; created: boolean }> {
    const { store, random, clock } = this.#components
    const id = await idOf(encodePlain({ user, submitted, salt: random(16) }))
    const view: RequestView = {
      request: id,
      contract: null,
      status: 'refused',
      archetype: null,
      missing: [],
      notes: [],
      chain: [],
      decisions: [],
      candidates: [],
      artifacts: [],
      refusals: refusals.map(({ hop, question, refusal: { code, clause, reason, acceptable } }) => ({
        hop,
        question,
        code,
        clause,
        reason,
        acceptable
      })),
      receipts: [],
      timing: { discover: clock.now() - submitted, total: clock.now() - submitted },
      submitted: new Date(submitted).toISOString(),
      user
    }
    const key = options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey }
    const created = await store.requests.create({
      id,
      user,
      ...key,
      status: 'refused',
      submission,
      view,
      at: submitted
    })
    if (!created.created && !created.same) throw keyReused()
    if (created.created)
      await store.requests.update(id, { status: 'refused', final: true, view, at: clock.now() })
    return { request: created.id, created: created.created }
  }

  #sameAgain(submission: Submission, id: string, earlier: unknown): { request: string; created: boolean } {
    if (JSON.stringify(submission) !== JSON.stringify(earlier)) throw keyReused()
    return { request: id, created: false }
  }

  #remember(record: RequestRecord, submission: Submission): void {
    if (this.#records.size >= MAX_RECENT) {
      for (const [id, old] of this.#records) {
        if (!FINAL_STATUS.includes(old.status)) continue
        this.#records.delete(id)
        this.#progress.delete(id)
        this.#submissions.delete(id)
        break
      }
    }
    this.#records.set(record.id, record)
    this.#submissions.set(record.id, submission)
    this.#progress.set(record.id, new Progress())
  }

  /** The receipts of the other parties may still be on their way when the result is there. */
  async #finish(record: RequestRecord): Promise<void> {
    const { store, clock } = this.#components
    const status = statusOf(record)
    if (status === 'completed' && !record.dryRun) await this.#awaitReceipts(record)
    record.status = status
    if (record.results === null && status === 'completed')
      record.results = (await this.#components.results.read(record.id)) ?? null
    await store.requests.update(record.id, { status, final: true, view: this.#view(record), at: clock.now() })
    this.#tell(record, 'end', status)
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
    this.#finished.set(record.id, () => {
      if (complete()) resolve()
    })
    await promise
    cancel()
    this.#finished.delete(record.id)
  }

  async #untilFinished(id: string, signal: AbortSignal): Promise<void> {
    const progress = this.#progress.get(id)
    if (progress === undefined) return
    for await (const event of progress.watch(signal)) if (FINAL_STATUS.includes(event.status)) return
    signal.throwIfAborted()
  }

  /** A result of somebody else's request that was sent here is listed for this organisation's people. */
  async #keepForeign(request: string): Promise<void> {
    const { store, clock } = this.#components
    const dossier = this.#exchangesOrThrow().get(request)?.dossier
    const stored = await this.#components.results.read(request)
    if (dossier === undefined || stored === undefined) return
    const asked: Payload<'request'> = dossier.request.payload
    const now = clock.now()
    const record: RequestRecord = {
      id: request,
      user: asked.user.name,
      submittedAt: new Date(asked.issuedAt).toISOString(),
      dossier,
      prepared: null,
      coordinator: null,
      dryRun: false,
      composition: null,
      refusals: [],
      unanswered: new Map(),
      results: stored,
      milestones: {
        submitted: now,
        discovered: null,
        offered: null,
        composed: null,
        started: null,
        ended: null
      },
      status: 'completed'
    }
    const view = this.#view(record)
    await store.requests.create({
      id: request,
      user: asked.user.name,
      status: 'completed',
      submission: { datasets: asked.datasets },
      view,
      at: now
    })
    await store.requests.update(request, { status: 'completed', final: true, view, at: now })
  }

  #silence(record: RequestRecord, peer: string) {
    const said = record.unanswered.get(peer)
    const code = refusalCode.safeParse(said?.code)
    const who = this.#organisationOf(peer)
    return {
      code: code.success ? code.data : ('provider-missing' as const),
      clause: null,
      reason: said === undefined ? `${who} did not answer in time` : `${who}: ${said.reason}`,
      acceptable: null,
      position: null
    }
  }

  #view(record: RequestRecord): RequestView {
    return viewRequest(record, (peer) => this.#organisationOf(peer))
  }

  #organisationOf(peer: string): string {
    const { members, speaker } = this.#components
    return peer === speaker.peer ? speaker.organisation : (members.organisationOf(peer) ?? peer)
  }

  #tell(record: RequestRecord, phase: string, message: string, hop?: string): void {
    const more = hop === undefined ? {} : { hop: this.#organisationOf(hop) }
    this.#progress.get(record.id)?.tell(this.#components.clock.now(), record.status, phase, message, more)
  }

  #exchangesOrThrow(): Exchanges {
    if (this.#exchanges === null) throw new SubmissionRefused('shutting-down', 'the agent is not ready yet')
    return this.#exchanges
  }
}

const PHASES = {
  collecting: 'waits for answers of the hops',
  composing: 'chooses how it is done',
  proposing: 'waits for acceptances',
  running: 'runs',
  closing: 'is being ended',
  ended: 'has ended'
} as const

function answerOf(dossier: Dossier, peer: string): Answer[] {
  const held = latestOffer(dossier, peer)
  if (held === undefined) return []
  return [{ peer, organisation: held.offer.payload.organisation, offer: held.offer, details: held.details }]
}

function keyReused(): SubmissionRefused {
  return new SubmissionRefused(
    'request-replayed',
    'this Idempotency-Key was used for another request; use a new one'
  )
}
