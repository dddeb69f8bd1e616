import {
  decideAsHost,
  decideAsProvider,
  decideAsRecipient,
  type PolicyEngine,
  type ProviderFacts,
  type ProviderVerdict,
  rememberingClauses,
  type Verdict
} from '../../policy/index.ts'
import type { OfferDetails, Payload, Refusal, RowAnswer } from '../../protocol/documents/index.ts'
import type { Agreement } from '../agreements/index.ts'
import type { DecisionFields } from '../audit/index.ts'
import { DatasetMissing } from '../datasets/index.ts'
import type { Dossier, MadeOffer } from '../negotiation/index.ts'
import { type DecisionsComponents, type DecisionsInit, refuse } from './components.ts'
import { estimatesOf } from './estimates.ts'
import { CLAUSES_SHOWN, decisionEntry, openClauses, pseudonymsOpenTo, requestsInWindow } from './facts.ts'
import type { Inspected, Inspections } from './inspection.ts'
import { checkPins } from './pins.ts'
import { uniform } from './uniform.ts'

type Entry = ReturnType<typeof decisionEntry>
type Role = 'data' | 'infrastructure' | 'recipient'

/** What is gathered while the rows of one request are answered, one after the other. */
interface Answering {
  dossier: Dossier
  roles: readonly Role[]
  /** All rows are decided about at one instant, and what decides them alike is asked once. */
  now: number
  engine: PolicyEngine
  /** By agreement. */
  grants: Map<string, { agreement: { id: string; name: string }; rows: number[]; inspected: Inspected }>
  noted: Entry[]
  requestsInWindow: ProviderFacts['requestsInWindow']
}

/** Answers every row of one request, as each role this agent would play. */
export class OfferMaker {
  readonly #init: DecisionsInit
  readonly #components: DecisionsComponents
  readonly #inspections: Inspections
  readonly #load: () => number

  constructor(
    init: DecisionsInit,
    components: DecisionsComponents,
    inspections: Inspections,
    load: () => number
  ) {
    this.#init = init
    this.#components = components
    this.#inspections = inspections
    this.#load = load
  }

  async make(dossier: Dossier, epoch: number): Promise<MadeOffer> {
    const { speaker, launcher, engine, clock } = this.#components
    const { payload } = dossier.request
    const roles = this.#roles(payload)
    const rows: RowAnswer[] = []
    const stopped = await this.#generally(payload, roles)
    const [dataset] = payload.datasets
    const asked = stopped === null && roles.includes('data') && dataset !== undefined
    const answering: Answering = {
      dossier,
      roles,
      now: clock.now(),
      engine: rememberingClauses(engine),
      grants: new Map(),
      noted: [],
      requestsInWindow: asked ? await requestsInWindow(this.#components, dataset, dossier.request) : {}
    }
    for (const index of payload.rows.keys())
      rows.push(stopped === null ? await this.#row(answering, index) : refused(index, stopped))
    for (const entry of uniform(answering.noted, payload.rows.length)) dossier.decided(entry)
    const { grants } = answering
    const details: OfferDetails = {
      grants: [...grants.values()].map(({ agreement, rows: granted, inspected }) => ({
        agreement,
        rows: granted,
        columns: inspected.columns
      })),
      estimates: estimatesOf(payload, {
        datasets: this.#components.datasets,
        resources: this.#init.resources,
        granted: grants.size > 0,
        load: this.#load()
      }),
      notes: notesOf([...grants.values()].map((grant) => grant.inspected))
    }
    const { section, digest } = await speaker.section(details)
    const offer = await speaker.sign(
      'offer',
      {
        request: dossier.request.id,
        organisation: speaker.organisation,
        as: roles.length === 0 ? ['data'] : roles,
        rows,
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
    if (request.rows.some((row) => row.infrastructure === self.peer)) roles.push('infrastructure')
    if (request.recipients.includes(self.organisation) && request.issuer !== self.peer)
      roles.push('recipient')
    return roles
  }

  /** What refuses a request whatever its rows are. */
  async #generally(request: Payload<'request'>, roles: readonly Role[]): Promise<Refusal | null> {
    const { members, datasets, self } = this.#components
    if (members.statusTooOld())
      return refuse('status-list-too-old', `the status list of ${self.organisation} is too old to act on`)
    if (roles.length === 0)
      return refuse('role-not-offered', `${self.organisation} has no part in this request`)
    const [dataset, ...others] = request.datasets
    if (others.length > 0) return refuse('request-type-not-supported', 'expected one dataset in a request')
    if (!roles.includes('data') || dataset === undefined) return null
    if (!this.#init.roles.includes('dataProvider'))
      return refuse('role-not-offered', `${self.organisation} holds no data`)
    const hidden =
      datasets.visibilityOf(dataset) === 'parties' && !this.#isParty(dataset, request.organisation)
    if (datasets.get(dataset) === undefined || hidden)
      return refuse('dataset-unknown', `${self.organisation} has no dataset ${dataset}`)
    try {
      await datasets.assertUnchanged(dataset)
    } catch (error) {
      if (error instanceof DatasetMissing)
        return refuse('dataset-unknown', `${self.organisation} has no dataset ${dataset} at the moment`)
      await datasets.refresh(dataset)
    }
    return null
  }

  #isParty(dataset: string, organisation: string): boolean {
    return this.#components.agreements
      .inForce({ dataset })
      .some((one) => one.payload.parties.includes(organisation))
  }

  async #row(answering: Answering, index: number): Promise<RowAnswer> {
    const { dossier, roles, noted } = answering
    const request = dossier.request.payload
    const row = request.rows[index]
    if (row === undefined || !this.#components.archetypes.has(row.archetype)) {
      return refused(
        index,
        refuse('archetype-unknown', `archetype ${row?.archetype ?? ''} is not known here`)
      )
    }
    const clauses: string[] = []
    let services: string[] = []
    let terms: Extract<RowAnswer, { verdict: 'permit' }>['terms'] = null
    if (roles.includes('data')) {
      const verdict = this.#pinned(await this.#asProvider(answering, index), request, index)
      noted.push(this.#entry(dossier, 'offer', verdict, index))
      if (verdict.verdict === 'deny') return refused(index, verdict.refusal)
      clauses.push(...verdict.clauses)
      services = [...verdict.requiredServices]
      if (request.options.anonymize && !services.includes('anonymize')) services.push('anonymize')
      terms = verdict.terms
    }
    if (row.infrastructure === this.#components.self.peer) {
      const verdict = this.#asHost(answering, index)
      noted.push(this.#entry(dossier, 'host', verdict, index))
      if (verdict.verdict === 'deny') return refused(index, verdict.refusal)
      clauses.push(...verdict.clauses)
    }
    if (roles.includes('recipient')) {
      const verdict = decideAsRecipient(answering.engine, {
        question: 'accept',
        ...this.#shared(answering, index),
        asked: false,
        consents: this.#init.consents
      })
      noted.push(this.#entry(dossier, 'accept', verdict, index))
      if (verdict.verdict === 'deny') return refused(index, verdict.refusal)
      clauses.push(...verdict.clauses)
    }
    return { row: index, verdict: 'permit', services, clauses: clauses.slice(0, CLAUSES_SHOWN), terms }
  }

  async #asProvider(answering: Answering, index: number): Promise<ProviderVerdict> {
    const { dossier, grants, engine } = answering
    const { agreements, datasets, self } = this.#components
    const request = dossier.request.payload
    const facts = this.#providerFacts(answering, index)
    const wished = request.agreements[self.organisation]
    let open: Agreement[] = agreements.inForce({ provider: self.organisation, dataset: facts.dataset })
    // What the SQL reads under the only agreement is known from an earlier row: one decision is enough.
    const [only, ...others] = open
    const granted = only === undefined || others.length > 0 ? undefined : grants.get(only.id)
    if (only !== undefined && granted !== undefined) {
      const verdict = this.#permitted(answering, facts, granted.inspected, only, wished)
      if (verdict.verdict === 'permit') granted.rows.push(index)
      return verdict
    }
    let nearest: ProviderVerdict | undefined
    // One agreement permits the request whole, or the next one is tried: what the SQL reads is known only under an agreement.
    for (;;) {
      const before = decideAsProvider(engine, facts, open, wished)
      if (before.verdict === 'deny') return nearest ?? before
      const agreement = open.find((one) => one.id === before.agreement.id)
      const dataset = datasets.get(facts.dataset)
      if (agreement === undefined || dataset === undefined) return nearest ?? before
      if (dossier.query === null)
        return denied(
          refuse('no-agreement', 'the query part of the request did not come with it'),
          before.policy
        )
      const { sql, parameters } = dossier.query.part
      const inspected = await this.#inspections.inspect({
        requester: request.organisation,
        dossier,
        sql,
        algorithm: { name: request.algorithm, parameters },
        agreement,
        dataset,
        anonymize: request.options.anonymize || before.requiredServices.includes('anonymize')
      })
      const verdict =
        'code' in inspected
          ? denied(inspected, before.policy)
          : (this.#distributable(request, inspected, before.policy) ??
            this.#permitted(answering, facts, inspected, agreement, wished))
      if (verdict.verdict === 'permit' && !('code' in inspected)) {
        const grant = grants.get(agreement.id) ?? { agreement: verdict.agreement, rows: [], inspected }
        grant.rows.push(index)
        grants.set(agreement.id, grant)
        return verdict
      }
      nearest ??= verdict
      open = open.filter((one) => one !== agreement)
    }
  }

  /** The decision once it is known what the SQL reads, and who could undo pseudonyms. */
  #permitted(
    { dossier, engine }: Answering,
    facts: ProviderFacts,
    inspected: Inspected,
    agreement: Agreement,
    wished: string | undefined
  ): ProviderVerdict {
    const { members, self } = this.#components
    const request = dossier.request.payload
    const { uses } = inspected
    const pseudonyms = agreement.payload.terms.anonymize?.pseudonymise.length ?? 0
    if (pseudonyms === 0 && !request.options.anonymize)
      return decideAsProvider(engine, { ...facts, uses }, [agreement], wished)
    const holders = request.providers.flatMap((peer) =>
      peer === self.peer ? self.organisation : (members.organisationOf(peer) ?? [])
    )
    const readers = [
      request.organisation,
      ...request.recipients,
      ...(facts.infrastructure === null ? [] : [facts.infrastructure])
    ]
    const openTo = pseudonymsOpenTo(holders, readers, self.organisation)
    const verdict = decideAsProvider(
      engine,
      { ...facts, uses, pseudonymsOpenTo: openTo },
      [agreement],
      wished
    )
    return verdict.verdict === 'deny'
      ? verdict
      : { ...verdict, clauses: [...verdict.clauses, ...openClauses(openTo)] }
  }

  /** What the agreement's names stood for when it was signed they must stand for still. */
  #pinned(verdict: ProviderVerdict, request: Payload<'request'>, index: number): ProviderVerdict {
    if (verdict.verdict === 'deny') return verdict
    const { agreements, manifests } = this.#components
    const agreement = agreements.get(verdict.agreement.id)
    const archetype = request.rows[index]?.archetype ?? ''
    const used = { archetype, algorithm: request.algorithm, services: verdict.requiredServices }
    const refusal = agreement === undefined ? null : checkPins(agreement.payload, used, manifests)
    return refusal === null ? verdict : denied(refusal, verdict.policy)
  }

  #distributable(request: Payload<'request'>, inspected: Inspected, policy: string): ProviderVerdict | null {
    if (!request.options.aggregate || inspected.notDistributable.length === 0) return null
    const reason = `the query uses ${inspected.notDistributable.join(', ')}, so results of several providers cannot be put together; use \`algorithm\`, or \`aggregate: false\``
    return denied(refuse('not-distributable', reason), policy)
  }

  #providerFacts(answering: Answering, index: number): ProviderFacts {
    const { self } = this.#components
    const { dossier, requestsInWindow, now } = answering
    const request = dossier.request.payload
    const shared = this.#shared(answering, index)
    const [dataset = ''] = request.datasets
    return {
      question: 'offer',
      now,
      organisation: self.organisation,
      requester: request.user,
      purpose: request.purpose,
      archetype: shared.archetype,
      infrastructure: shared.infrastructure,
      recipients: request.recipients,
      dataset,
      uses: null,
      services: null,
      algorithm: request.algorithm,
      requestsInWindow,
      sandboxes: null
    }
  }

  #asHost(answering: Answering, index: number): Verdict {
    const { manifests, self } = this.#components
    const { roles, hosting } = this.#init
    const request = answering.dossier.request.payload
    const verdict = decideAsHost(
      answering.engine,
      { question: 'host', ...this.#shared(answering, index) },
      roles.includes('computeProvider') ? hosting : null
    )
    if (verdict.verdict === 'permit' && !manifests.algorithms.has(request.algorithm)) {
      const refusal = refuse(
        'algorithm-unknown',
        `${self.organisation} has no algorithm ${request.algorithm}`
      )
      return { verdict: 'deny', refusal, clauses: [], detail: null, policy: verdict.policy }
    }
    return verdict
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
      recipients: request.recipients
    }
  }

  #entry(
    dossier: Dossier,
    question: DecisionFields['question'],
    verdict: Verdict | ProviderVerdict,
    row: number
  ): Entry {
    return decisionEntry(this.#components.clock.now(), dossier.request.id, null, question, verdict, row)
  }
}

function denied(refusal: Refusal, policy: string): ProviderVerdict {
  return { verdict: 'deny', refusal, clauses: [], detail: null, policy }
}

function refused(row: number, refusal: Refusal): RowAnswer {
  return { row, verdict: 'refuse', refusal }
}

function notesOf(inspected: readonly Inspected[]): string[] {
  const found = new Set(inspected.flatMap((one) => one.perProvider))
  return [...found].map((clause) => `${clause.toUpperCase()} acts per provider`)
}
