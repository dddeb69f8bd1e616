import {
  decideAsHost,
  decideAsRecipient,
  type ProviderFacts,
  rememberingClauses,
  type Verdict
} from '../../policy/index.ts'
import type { Payload, Refusal, RowAnswer } from '../../protocol/documents/index.ts'
import type { DecisionFields } from '../audit/index.ts'
import { runsAgain } from '../composition/index.ts'
import { DatasetMissing } from '../datasets/index.ts'
import type { AwaitedOffer, Dossier, MadeOffer } from '../negotiation/index.ts'
import { basisOf, type Called } from './basis.ts'
import { type DecisionsComponents, type DecisionsInit, refuse } from './components.ts'
import { CLAUSES_SHOWN, decisionEntry } from './decision-entry.ts'
import { agreementsFor, requestsInWindow } from './facts.ts'
import { type Asked, type FactsOfRow, Granted } from './granted.ts'
import type { Inspections } from './inspection.ts'
import { mustWait, tooManyWait } from './must-approve.ts'
import { detailsOf } from './offer-details.ts'
import { fittingOffer } from './offer-size.ts'
import { widestFirst } from './row-order.ts'
import { refuseAll } from './standing.ts'
import { type RowDecision, uniform } from './uniform.ts'
import { unknownHere } from './unknown-name.ts'

type Role = 'data' | 'infrastructure' | 'recipient'

/** What is gathered while the rows of one request are answered, one after the other. */
interface Answering extends Asked {
  roles: readonly Role[]
  /** All rows are decided about at one instant, and what decides them alike is asked once. */
  now: number
  noted: RowDecision[]
  requestsInWindow: ProviderFacts['requestsInWindow']
}

/** Answers every row of one request, as each role this agent would play. */
export class OfferMaker {
  readonly #init: DecisionsInit
  readonly #components: DecisionsComponents
  readonly #granted: Granted
  readonly #load: () => number

  constructor(
    init: DecisionsInit,
    components: DecisionsComponents,
    inspections: Inspections,
    load: () => number
  ) {
    this.#init = init
    this.#components = components
    this.#granted = new Granted(components, inspections)
    this.#load = load
  }

  async make(dossier: Dossier, epoch: number): Promise<MadeOffer | AwaitedOffer> {
    const { speaker, launcher, engine, point, approvals, clock } = this.#components
    const { payload } = dossier.request
    const roles = this.#roles(payload)
    let rows: RowAnswer[] = []
    const stopped = await this.#generally(payload, roles)
    const asked = stopped === null && roles.includes('data')
    const asking = point.asking(rememberingClauses(engine))
    const open = asked
      ? payload.datasets.map((dataset) => agreementsFor(this.#components, dataset, payload))
      : []
    const answering: Answering = {
      dossier,
      roles,
      now: clock.now(),
      engine: asking.engine,
      confirm: async (verdict) => await asking.confirm(verdict),
      open,
      grants: new Map(),
      inspected: new Map(),
      noted: [],
      requestsInWindow: asked
        ? await requestsInWindow(this.#components, payload.datasets, dossier.request)
        : {},
      approvals: asked ? await approvals.of(dossier.request, open.flat()) : {},
      unapproved: [],
      called: []
    }
    for (const index of widestFirst(payload.rows))
      rows.push(stopped === null ? await this.#row(answering, index) : refused(index, stopped))
    rows.sort((one, other) => one.row - other.row)
    const noted = answering.noted.sort(
      (one, other) => (one.entry.fields.row ?? 0) - (other.entry.fields.row ?? 0)
    )
    for (const { entry, basis } of uniform(noted, payload.rows.length)) dossier.decided(entry, basis)
    if (answering.unapproved.length > 0 && mustWait(rows)) {
      const awaited = await approvals.ask(dossier, answering.unapproved)
      if (awaited !== null) return awaited
      rows = tooManyWait(rows, payload.organisation)
    }
    // It is answered without them: they approved another of its kind meanwhile, or what they were asked about has changed.
    if (Object.keys(answering.approvals).length > 0) await approvals.withdraw(dossier.request.id)
    const answered = { ...answering, rows, grants: answering.grants.values(), load: this.#load() }
    const details = detailsOf(payload, answered, this.#init, this.#components)
    const { section, digest } = await speaker.section(details)
    const offer = await speaker.sign(
      'offer',
      {
        request: dossier.request.id,
        organisation: speaker.organisation,
        as: roles.length === 0 ? ['data'] : roles,
        rows: fittingOffer(rows),
        sandbox: launcher.sandbox,
        policy: engine.policy,
        details: digest
      },
      this.#init.offerLifetime
    )
    this.#components.log.debug({ request: dossier.request.id, epoch, roles }, 'an offer was made')
    return { offer, details: section, permits: rows.some((row) => row.verdict === 'permit') }
  }

  #roles(request: Payload<'request'>): Role[] {
    const { self } = this.#components
    const roles: Role[] = []
    if (request.providers.includes(self.peer)) roles.push('data')
    if (
      request.rows.some(
        (row, index) => row.infrastructure === self.peer || runsAgain(request, self.peer, index)
      )
    )
      roles.push('infrastructure')
    if (request.recipients.includes(self.organisation) && request.issuer !== self.peer)
      roles.push('recipient')
    return roles
  }

  /** What refuses a request whatever its rows are. */
  async #generally(request: Payload<'request'>, roles: readonly Role[]): Promise<Refusal | null> {
    const { self } = this.#components
    const unfit = refuseAll(this.#components)
    if (unfit !== null) return unfit
    if (roles.length === 0)
      return refuse('role-not-offered', `${self.organisation} has no part in this request`)
    if (!roles.includes('data')) return null
    if (!this.#init.roles.includes('dataProvider'))
      return refuse('role-not-offered', `${self.organisation} holds no data`)
    for (const dataset of request.datasets) {
      const refusal = await this.#held(dataset, request.organisation)
      if (refusal !== null) return refusal
    }
    return null
  }

  /** Takes part only who has every dataset of the request; one that is hidden from the asker is answered as one that is not. */
  async #held(dataset: string, requester: string): Promise<Refusal | null> {
    const { datasets, self, disclosure } = this.#components
    if (datasets.get(dataset) === undefined || disclosure.deniesTo(dataset, requester))
      return refuse('dataset-unknown', `${self.organisation} has no dataset ${dataset}`)
    try {
      await datasets.assertUnchanged(dataset)
    } catch (error) {
      if (error instanceof DatasetMissing)
        return refuse('dataset-unknown', `${self.organisation} has no dataset ${dataset} at the moment`)
      try {
        await datasets.refresh(dataset)
      } catch {
        return refuse('dataset-changed', `${self.organisation} cannot read dataset ${dataset} at the moment`)
      }
    }
    return null
  }

  async #row(answering: Answering, index: number): Promise<RowAnswer> {
    const { dossier, roles } = answering
    const request = dossier.request.payload
    const row = request.rows[index]
    const { archetypes, self } = this.#components
    if (row === undefined || !archetypes.has(row.archetype)) {
      const here = { organisation: self.organisation, known: archetypes.keys() }
      return refused(index, unknownHere('archetype-unknown', row?.archetype ?? '', here))
    }
    const clauses: string[] = []
    let services: string[] = []
    let terms: Extract<RowAnswer, { verdict: 'permit' }>['terms'] = null
    if (roles.includes('data')) {
      answering.called = []
      const verdict = await this.#granted.decide(answering, index, this.#providerFacts(answering, index))
      this.#note(answering, 'offer', verdict, index, answering.called)
      if (verdict.verdict === 'deny') return refused(index, verdict.refusal)
      clauses.push(...verdict.clauses)
      services = [...verdict.requiredServices]
      if (request.options.anonymize && !services.includes('anonymize')) services.push('anonymize')
      terms = verdict.terms
    }
    if (row.infrastructure === self.peer || runsAgain(request, self.peer, index)) {
      const [decided, called] = this.#asHost(answering, index)
      const verdict = await answering.confirm(decided)
      this.#note(answering, 'host', verdict, index, [called])
      if (verdict.verdict === 'deny') return refused(index, verdict.refusal)
      clauses.push(...verdict.clauses)
    }
    if (roles.includes('recipient')) {
      const facts = {
        question: 'accept' as const,
        ...this.#shared(answering, index),
        asked: false,
        consents: this.#init.consents(request)
      }
      const decided = decideAsRecipient(answering.engine, facts)
      const verdict = await answering.confirm(decided)
      const call = { function: 'recipient' as const, facts }
      this.#note(answering, 'accept', verdict, index, [{ call, permits: decided.verdict === 'permit' }])
      if (verdict.verdict === 'deny') return refused(index, verdict.refusal)
      clauses.push(...verdict.clauses)
    }
    return { row: index, verdict: 'permit', services, clauses: clauses.slice(0, CLAUSES_SHOWN), terms }
  }

  #providerFacts(answering: Answering, index: number): FactsOfRow {
    const { self } = this.#components
    const { dossier, requestsInWindow, now } = answering
    const request = dossier.request.payload
    const shared = this.#shared(answering, index)
    return {
      question: 'offer',
      now,
      organisation: self.organisation,
      requester: request.user,
      purpose: request.purpose,
      archetype: shared.archetype,
      infrastructure: shared.infrastructure,
      ...(shared.verifier === undefined ? {} : { verifier: shared.verifier }),
      recipients: request.recipients,
      datasets: request.datasets,
      services: null,
      algorithm: request.algorithm,
      requestsInWindow,
      sandboxes: null
    }
  }

  #asHost(answering: Answering, index: number): [Verdict, Called] {
    const { manifests, self } = this.#components
    const { roles, hosting } = this.#init
    const request = answering.dossier.request.payload
    const facts = { question: 'host' as const, ...this.#shared(answering, index) }
    const offered = roles.includes('computeProvider') ? hosting : null
    const verdict = decideAsHost(answering.engine, facts, offered)
    const call = { function: 'host' as const, facts, hosting: offered }
    const called = { call, permits: verdict.verdict === 'permit' }
    if (verdict.verdict === 'permit' && !manifests.algorithms.has(request.algorithm)) {
      const here = { organisation: self.organisation, known: manifests.algorithms.keys() }
      const refusal = unknownHere('algorithm-unknown', request.algorithm, here)
      return [{ verdict: 'deny', refusal, clauses: [], detail: null, policy: verdict.policy }, called]
    }
    return [verdict, called]
  }

  #shared({ dossier, now }: Answering, index: number) {
    const { members, self } = this.#components
    const request = dossier.request.payload
    const row = request.rows[index]
    const organisationOf = (peer: string) =>
      peer === self.peer ? self.organisation : (members.organisationOf(peer) ?? peer)
    return {
      now,
      organisation: self.organisation,
      requester: request.user,
      purpose: request.purpose,
      archetype: row?.archetype ?? '',
      algorithm: request.algorithm,
      datasets: request.datasets,
      dataProviders: request.providers.map(organisationOf),
      infrastructure:
        row === undefined || row.infrastructure === null ? null : organisationOf(row.infrastructure),
      ...(request.verify !== undefined && runsAgain(request, request.verify, index)
        ? { verifier: organisationOf(request.verify) }
        : {}),
      recipients: request.recipients
    }
  }

  #note(
    { dossier, noted, engine }: Answering,
    question: DecisionFields['question'],
    verdict: Verdict,
    row: number,
    called: readonly Called[]
  ): void {
    const now = this.#components.clock.now()
    const entry = decisionEntry(now, dossier.request.id, null, question, verdict, row)
    noted.push({ entry, basis: basisOf(engine, verdict, called) })
  }
}

function refused(row: number, refusal: Refusal): RowAnswer {
  return { row, verdict: 'refuse', refusal }
}
