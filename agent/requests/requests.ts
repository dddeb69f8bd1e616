import { encodePlain, idOf, type Payload } from '../../protocol/documents/index.ts'
import { DynamosError, toError } from '../../protocol/errors/index.ts'
import {
  type ContractView,
  FINAL_STATUS,
  type ProgressEvent,
  type RequestSummary,
  type RequestView,
  requestView
} from '../api/index.ts'
import { type Submission, submission as submissionSchema } from '../config/index.ts'
import type { FlowProgress, StoredResult } from '../exchange/index.ts'
import type { Coordination, Exchanges } from '../negotiation/index.ts'
import { RequestBook } from './book.ts'
import type { RequestsComponents } from './components.ts'
import { contractOfRequest } from './contract.ts'
import { RequestCoordination } from './coordination.ts'
import { closeOrphans } from './orphans.ts'
import { type NotAskable, type Prepared, prepareRequest } from './prepare.ts'
import { newRecord } from './record.ts'
import { queryColumnsOf, resultUnits } from './result-units.ts'
import { contractOf } from './view.ts'

/** A submission that this agent does not take. */
export class SubmissionRefused extends DynamosError {
  static override readonly name = 'SubmissionRefused'
}

/** Another member's people asked; only their result was sent here. */
export class NotAskedHere extends DynamosError {
  static override readonly name = 'NotAskedHere'
  constructor() {
    super(
      'not-asked-here',
      'expected a request of this agent, found one of another member whose result was sent here; what was asked is known there'
    )
  }
}

/** Requests of this agent's own people: prepared, coordinated, watched, answered. */
export class Requests {
  readonly #components: RequestsComponents
  readonly #book: RequestBook
  /** The same requests, as the exchanges see them. */
  readonly coordination: Coordination
  #exchanges: Exchanges | null = null

  constructor(components: RequestsComponents) {
    this.#components = components
    const { members, speaker, clock } = components
    this.#book = new RequestBook({
      clock,
      organisationOf: (peer) =>
        peer === speaker.peer ? speaker.organisation : (members.organisationOf(peer) ?? peer)
    })
    this.coordination = new RequestCoordination(components, this.#book)
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
      const earlier = await store.requests.byKey(user, options.idempotencyKey)
      if (earlier !== undefined) return this.#sameAgain(submission, earlier.id, earlier.submission)
    }
    const submitted = clock.now()
    const prepared = await this.#prepare(submission, user, options.signal)
    if ('refusals' in prepared)
      return await this.#refuseAtOnce(submission, user, submitted, prepared, options)
    const { dossier } = prepared
    const record = newRecord({
      id: dossier.request.id,
      user,
      dossier,
      status: 'discovering',
      submittedAt: submitted
    })
    record.prepared = prepared
    record.dryRun = options.dryRun ?? false
    dossier.explains = record.dryRun
    record.milestones.discovered = clock.now()
    const created = await store.requests.create({
      id: record.id,
      user,
      ...(options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey }),
      status: 'discovering',
      submission,
      view: this.#book.view(record),
      at: submitted
    })
    if (!created.created) {
      if (!created.same) throw keyReused()
      return { request: created.id, created: false }
    }
    this.#book.remember(record, submission)
    this.#book.tell(record, 'discover', `found ${dossier.request.payload.providers.length} data provider(s)`)
    await this.#exchangesOrThrow().coordinate(dossier, prepared.candidates, submission.deadline)
    return { request: record.id, created: true }
  }

  /**
   * The same submission as a new request, for whoever asks now.
   *
   * @returns undefined when there is no such request
   * @throws {SubmissionRefused}, {NotAskedHere}
   */
  async rerun(
    id: string,
    caller: string,
    options: { idempotencyKey?: string } = {}
  ): Promise<{ request: string; created: boolean } | undefined> {
    const submission = await this.submission(id)
    return submission === undefined ? undefined : await this.submit(submission, caller, options)
  }

  /** What was asked. @throws {NotAskedHere} */
  async submission(id: string): Promise<Submission | undefined> {
    const stored = await this.#components.store.requests.get(id)
    if (stored === undefined) return undefined
    const parsed = submissionSchema.safeParse(stored.submission)
    if (!parsed.success) throw new NotAskedHere()
    return parsed.data
  }

  /** The contract that a request runs or ran under; undefined when there is none here. */
  async contract(id: string): Promise<ContractView | undefined> {
    const view = await this.view(id)
    if (view === undefined || view.contract === null) return undefined
    const { store, speaker } = this.#components
    return await contractOfRequest(id, view.contract, {
      store,
      self: speaker.peer,
      organisationOf: (peer) => this.#book.organisationOf(peer),
      dossierOf: (request) => this.#exchangesOrThrow().get(request)?.dossier
    })
  }

  /** Everything but running it: every hop's answer, every candidate. */
  async explain(submission: Submission, caller: string, signal: AbortSignal): Promise<RequestView> {
    const { request } = await this.submit(submission, caller, { dryRun: true, signal })
    await this.#untilFinished(request, signal)
    const view = await this.view(request)
    if (view === undefined) throw new SubmissionRefused('internal', 'the dry run left nothing behind')
    return view
  }

  /** After a restart, when the exchanges were reloaded and before they go on. */
  async closeOrphans(): Promise<void> {
    const { store, results, clock } = this.#components
    const goesOn = (id: string): boolean => {
      const exchange = this.#exchangesOrThrow().get(id)
      if (exchange === undefined || exchange.coordinator === null) return false
      const { coordinator, dossier } = exchange
      // Its people see how it stands; if it had ended and they were not told, now they are, with all that it left behind.
      this.coordination.changed(dossier, coordinator)
      return true
    }
    await closeOrphans({ store, results, clock, goesOn })
  }

  async view(id: string): Promise<RequestView | undefined> {
    const record = this.#book.record(id)
    if (record !== undefined) return this.#book.view(record)
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
        status: this.#book.record(one.id)?.status ?? view.status,
        submitted: view.submitted,
        user: one.user,
        datasets: asked.success ? asked.data.datasets : []
      }
    })
  }

  async *events(id: string, signal: AbortSignal): AsyncGenerator<ProgressEvent> {
    const progress = this.#book.progress(id)
    if (progress !== undefined) {
      yield* progress.watch(signal)
      return
    }
    const view = await this.view(id)
    if (view === undefined) return
    yield { sequence: 1, at: view.submitted, status: view.status, phase: 'end', message: view.status }
  }

  async cancel(id: string): Promise<RequestView | undefined> {
    const record = this.#book.record(id)
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
    const record = this.#book.record(request)
    if (record === undefined) return
    if (flow === undefined) {
      this.#book.tell(record, phase, message)
      return
    }
    const { direction, bytes, of, peer } = flow
    const pace = record.pace.step(`${direction} ${flow.flow}`, bytes, of, this.#components.clock.now())
    if (pace === null) return
    const size = { bytes, ...(of === null ? {} : { of }) }
    this.#book.tell(record, phase, message, { ...pace, ...size, hop: this.#book.organisationOf(peer) })
  }

  /** Results were stored: of an own request, or one that another member sends here. */
  arrived(request: string, results: readonly StoredResult[]): void {
    const record = this.#book.record(request)
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

  /** What is known of the units of a result of an own request. */
  unitsOf(request: string, result: Pick<StoredResult, 'from' | 'columns'>): Record<string, string> {
    const record = this.#book.record(request)
    const held = record === undefined ? null : contractOf(record)
    if (record === undefined || held === null) return {}
    const { dossier } = record
    const { payload } = dossier.request
    return resultUnits(result, queryColumnsOf(payload, dossier.offers, held), {
      name: payload.algorithm,
      parameters: dossier.query?.part.parameters ?? {},
      units: this.#components.manifests.algorithms.get(payload.algorithm)?.units ?? {}
    })
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
      final: true,
      at: submitted
    })
    if (!created.created && !created.same) throw keyReused()
    return { request: created.id, created: created.created }
  }

  #sameAgain(submission: Submission, id: string, earlier: unknown): { request: string; created: boolean } {
    if (JSON.stringify(submission) !== JSON.stringify(earlier)) throw keyReused()
    return { request: id, created: false }
  }

  async #untilFinished(id: string, signal: AbortSignal): Promise<void> {
    const progress = this.#book.progress(id)
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
    const record = newRecord({
      id: request,
      user: asked.user.name,
      dossier,
      status: 'completed',
      submittedAt: asked.issuedAt
    })
    record.results = stored
    record.milestones.submitted = now
    await store.requests.create({
      id: request,
      user: asked.user.name,
      status: 'completed',
      submission: { datasets: asked.datasets },
      view: this.#book.view(record),
      final: true,
      at: now
    })
  }

  #exchangesOrThrow(): Exchanges {
    if (this.#exchanges === null) throw new SubmissionRefused('shutting-down', 'the agent is not ready yet')
    return this.#exchanges
  }
}

function keyReused(): SubmissionRefused {
  return new SubmissionRefused(
    'request-replayed',
    'this Idempotency-Key was used for another request; use a new one'
  )
}
