import {
  decideAsHost,
  decideAsProvider,
  decideAsRecipient,
  decideFlow,
  type ProviderFacts,
  type ProviderVerdict,
  type Verdict
} from '../../policy/index.ts'
import type { Flow, Payload, Refusal, Section, Signed } from '../../protocol/documents/index.ts'
import type { Basis } from '../audit/index.ts'
import { RECIPIENT_SERVICES } from '../composition/index.ts'
import { anonymisedOf, givesPseudonyms } from '../datasets/index.ts'
import type { Asking } from '../decision-point/index.ts'
import type { FlowDecisions, FlowQuestion } from '../exchange/index.ts'
import type { AwaitedOffer, Body, Dossier, HopDecisions, MadeOffer, Objection } from '../negotiation/index.ts'
import { basisOf, besidesOf, type Called } from './basis.ts'
import { checkContract } from './check-contract.ts'
import { type DecisionsComponents, type DecisionsInit, refuse } from './components.ts'
import { decisionEntry } from './decision-entry.ts'
import { openClauses, pseudonymsOpenTo, requesterKey, requestsInWindow } from './facts.ts'
import { Inspections, unprotected, usesOf } from './inspection.ts'
import { endedAgreement, noteStop, sinceStart } from './objections.ts'
import { OfferMaker } from './offer.ts'
import { ownAcceptance } from './own-acceptance.ts'
import { checkPins } from './pins.ts'
import { hostsOf, placementFacts } from './placement.ts'
import { reserveQuota } from './quota.ts'
import { objectionToAccepted, refuseOutsideTerms } from './result-terms.ts'
import { Slots } from './slots.ts'
import { objectionToParties, refuseFlowWith } from './standing.ts'
import { together } from './together.ts'

type LaterQuestion = 'accept' | 'start' | 'continue'
type DataSection = Extract<Section, { as: 'data' }>

/** What this agent decides about others' requests and contracts, at every question; each verdict goes into the log. */
export class Decisions implements HopDecisions, FlowDecisions {
  readonly #init: DecisionsInit
  readonly #components: DecisionsComponents
  readonly #offers: OfferMaker
  readonly #inspections: Inspections
  readonly #slots: Slots
  /** The rules in force at the start. */
  readonly #startedBy = new WeakMap<Dossier, string>()
  /** What the rules rested on when they denied that something goes on. */
  readonly #stopBasis = new WeakMap<Refusal, Basis>()

  constructor(init: DecisionsInit, components: DecisionsComponents) {
    this.#init = init
    this.#components = components
    this.#slots = new Slots(init.slots, components.self.organisation)
    this.#inspections = new Inspections(components.launcher)
    this.#offers = new OfferMaker(init, components, this.#inspections, () => this.load)
  }

  /** Thousandths of the slots in use. */
  get load(): number {
    return this.#slots.load
  }

  async offer(dossier: Dossier, epoch: number): Promise<MadeOffer | AwaitedOffer> {
    return await this.#offers.make(dossier, epoch)
  }

  async withdrawApproval(dossier: Dossier): Promise<void> {
    await this.#components.approvals.withdraw(dossier.request.id)
  }

  async accept(dossier: Dossier, contract: string): Promise<Refusal | null> {
    const { self, launcher, archetypes, manifests, clock } = this.#components
    const held = dossier.contract(contract)
    const sections = dossier.mine(contract)
    const own = held.contract.payload.parties.find((party) => party.peer === self.peer)
    const offer = own?.offer == null ? undefined : dossier.offers.get(own.offer)
    const objection = checkContract({
      self: { ...self, sandbox: launcher.sandbox },
      contract: held.contract.payload,
      sections,
      request: dossier.request.payload,
      offer: offer === undefined ? null : { payload: offer.offer.payload, details: offer.details },
      query: dossier.query?.part ?? null,
      archetypes,
      services: manifests.services,
      now: clock.now()
    })
    if (objection !== null) return objection
    return (await this.#ask('accept', dossier, contract, sections))?.refusal ?? null
  }

  async start(dossier: Dossier, contract: string): Promise<Objection | null> {
    this.#startedBy.set(dossier, this.#components.engine.policy)
    const signed = objectionToAccepted(dossier.contract(contract), this.#components.clock.now())
    if (signed !== null) return signed
    return await this.#ask('start', dossier, contract, dossier.mine(contract))
  }

  async continue(dossier: Dossier, contract: string): Promise<Objection | null> {
    const objection = await this.#ask('continue', dossier, contract, dossier.mine(contract))
    if (objection === null) return null
    const { engine, clock } = this.#components
    const stopped = sinceStart(objection, this.#startedBy.get(dossier), engine.policy)
    const basis = this.#stopBasis.get(objection.refusal) ?? besidesOf(engine, objection.refusal)
    noteStop(stopped, engine.policy, clock.now(), dossier, contract, basis)
    return stopped
  }

  async reserve(dossier: Dossier, contract: string): Promise<Refusal | null> {
    const full = this.#slots.take(contract, dossier.request.payload.organisation)
    if (full !== null) return refuse('busy', full)
    const refusal = await this.#reserveQuota(dossier, contract)
    if (refusal !== null) this.#slots.free(contract)
    return refusal
  }

  hold(dossier: Dossier, contract: string): void {
    this.#slots.hold(contract, dossier.request.payload.organisation)
  }

  async #reserveQuota(dossier: Dossier, contract: string): Promise<Refusal | null> {
    const { agreements, store, clock } = this.#components
    const data = dossier.mine(contract).find((section): section is DataSection => section.as === 'data')
    if (data === undefined) return null
    const use = {
      requester: requesterKey(dossier.request.payload),
      usedFor: dossier.request.id,
      at: clock.now()
    }
    return await reserveQuota({ agreements, store }, use, data.agreements)
  }

  async release(dossier: Dossier, contract: string, spent: boolean): Promise<void> {
    this.#slots.free(contract)
    if (spent) return
    const { store } = this.#components
    const request = dossier.request.payload
    for (const dataset of request.datasets)
      await store.quota.release({ dataset, requester: requesterKey(request), usedFor: dossier.request.id })
  }

  async acceptance(
    dossier: Dossier,
    contract: string
  ): Promise<Pick<Body<'acceptance'>, 'resultTerms' | 'shares' | 'statusNumber'>> {
    return ownAcceptance(this.#components, dossier, contract)
  }

  async flow(
    question: FlowQuestion,
    dossier: Dossier,
    contract: string,
    flow: Flow,
    rows?: number
  ): Promise<Refusal | null> {
    const { self, clock } = this.#components
    const { id, payload } = dossier.contract(contract).contract
    const asking = this.#asking()
    const other = flow.from === self.peer ? flow.to : flow.from
    const unfit = refuseFlowWith(this.#components, other)
    if (unfit !== null) return unfit
    const facts = { question, now: clock.now(), self: self.peer, flow, rows: rows ?? null }
    const decided = decideFlow(asking.engine, { ...facts, contract: { id, payload } })
    const verdict = await asking.confirm(decided)
    const call = { function: 'flow' as const, facts: { ...facts, contract: id } }
    this.#note(dossier, contract, question, verdict, asking, [
      { call, permits: decided.verdict === 'permit' }
    ])
    if (verdict.verdict === 'deny') return verdict.refusal
    const data = dossier.mine(contract).find((section): section is DataSection => section.as === 'data')
    if (data === undefined || question === 'receive') return null
    return await this.#asProvider(question, dossier, contract, data)
  }

  /** A data provider's last word about a result that another party made and would send on. */
  async lastWord(dossier: Dossier, contract: string): Promise<Refusal | null> {
    const { payload } = dossier.contract(contract).contract
    const data = dossier.mine(contract).find((section): section is DataSection => section.as === 'data')
    if (data === undefined) return refuse('role-not-offered', 'this agent provides no data to it')
    return (
      objectionToParties(this.#components, payload)?.refusal ??
      refuseOutsideTerms(payload, this.#components.clock.now()) ??
      (await this.#asProvider('release', dossier, contract, data))
    )
  }

  async #ask(
    question: LaterQuestion,
    dossier: Dossier,
    contract: string,
    sections: readonly Section[]
  ): Promise<Objection | null> {
    const { self } = this.#components
    const lost = objectionToParties(this.#components, dossier.contract(contract).contract.payload)
    if (lost !== null) return lost
    for (const section of sections) {
      const refusal =
        section.as === 'data'
          ? await this.#asProvider(question, dossier, contract, section)
          : await this.#asOther(question, dossier, contract, section.as)
      if (refusal !== null) return { refusal, hop: self.peer }
    }
    return null
  }

  async #asProvider(
    question: LaterQuestion | 'send' | 'release',
    dossier: Dossier,
    contract: string,
    section: DataSection
  ): Promise<Refusal | null> {
    const { agreements, approvals, datasets } = this.#components
    const asking = this.#asking()
    const grants = section.agreements.flatMap(({ dataset: id, agreement: named }) => {
      const begins = question === 'accept' || question === 'start'
      const agreement = begins ? agreements.get(named) : agreements.running(named)
      const dataset = datasets.get(id)
      return agreement?.payload.dataset === id && dataset !== undefined ? [{ agreement, dataset }] : []
    })
    const ended = section.agreements.find(
      (one) => !grants.some(({ agreement }) => agreement.id === one.agreement)
    )
    if (ended !== undefined) return endedAgreement(ended.agreement, agreements)
    const { payload } = dossier.contract(contract).contract
    const anonymize = payload.chain.some(
      (step) => step.at === this.#components.self.peer && step.service === 'anonymize'
    )
    const { sql, parameters } = section.query
    const inspected = await this.#inspections.inspect({
      requester: payload.organisation,
      dossier,
      sql,
      algorithm: { name: payload.algorithm, parameters },
      grants,
      anonymize
    })
    if ('code' in inspected) return inspected
    const exposed = unprotected(grants, payload.algorithm, inspected)
    if (exposed !== null) return exposed
    const facts = await this.#providerFacts(question, payload, dossier.request)
    const shown = grants.map(({ agreement, dataset }) => ({ terms: agreement.payload.terms, dataset }))
    const changed = anonymize ? anonymisedOf(shown, dossier.request.payload.options.anonymize) : []
    const pseudonymised = new Set(
      changed.flatMap(({ terms, dataset }) => (givesPseudonyms(terms, dataset) ? [dataset] : []))
    )
    const openTo = pseudonymised.size > 0 ? this.#openTo(payload) : undefined
    const approved = await approvals.of(
      dossier.request,
      grants.map(({ agreement }) => agreement)
    )
    const called: Called[] = []
    const decided = together(
      grants.map(({ agreement, dataset: described }) => {
        const { dataset } = agreement.payload
        const uses = usesOf(inspected, dataset)
        const more = openTo === undefined || !pseudonymised.has(described) ? {} : { pseudonymsOpenTo: openTo }
        const told = { ...facts, approvals: approved, dataset, uses, ...more }
        const one = decideAsProvider(asking.engine, told, [agreement])
        const call = { function: 'provider' as const, facts: told, agreements: [agreement.id], wished: null }
        called.push({ call, permits: one.verdict === 'permit' })
        return one
      })
    )
    const said = { ...decided, clauses: [...decided.clauses, ...openClauses(openTo ?? [])] }
    const verdict = await asking.confirm(said)
    this.#note(dossier, contract, question, verdict, asking, called)
    if (verdict.verdict === 'deny') return verdict.refusal
    const used = {
      archetype: payload.archetype.name,
      algorithm: payload.algorithm,
      services: verdict.requiredServices
    }
    const differing = grants.map(({ agreement }) =>
      checkPins(agreement.payload, used, this.#components.manifests)
    )
    return differing.find((one) => one !== null) ?? null
  }

  /** Parties that read what is pseudonymised here and hold data themselves, hence a share of the key. */
  #openTo({ parties, organisation }: Payload<'contract'>): string[] {
    const named = (role: 'data' | 'infrastructure' | 'recipient') =>
      parties.filter((party) => party.roles.includes(role)).map((party) => party.organisation)
    const readers = [organisation, ...named('infrastructure'), ...named('recipient')]
    return pseudonymsOpenTo(named('data'), readers, this.#components.self.organisation)
  }

  async #providerFacts(
    question: ProviderFacts['question'],
    contract: Payload<'contract'>,
    request: Signed<'request'>
  ): Promise<Omit<ProviderFacts, 'dataset' | 'uses'>> {
    const { self, clock } = this.#components
    const hosts = hostsOf(contract)
    const withData = contract.parties.filter(
      (party) => party.peer === self.peer || hosts.includes(party) || party.roles.includes('recipient')
    )
    const dataPeers = new Set(
      contract.parties.filter((party) => party.roles.includes('data')).map((party) => party.peer)
    )
    return {
      question,
      now: clock.now(),
      organisation: self.organisation,
      requester: contract.user,
      purpose: contract.purpose,
      archetype: contract.archetype.name,
      ...placementFacts(contract),
      recipients: contract.recipients,
      datasets: contract.datasets,
      services: contract.chain
        // a recipient that holds data itself still draws after everything else
        .filter(
          (step) => step.at === self.peer || !dataPeers.has(step.at) || RECIPIENT_SERVICES.has(step.service)
        )
        .map((step) => step.service),
      algorithm: contract.algorithm,
      requestsInWindow:
        question === 'accept' ? await requestsInWindow(this.#components, contract.datasets, request) : {},
      sandboxes: withData.map((party) => ({ at: party.organisation, sandbox: party.sandbox }))
    }
  }

  async #asOther(
    question: LaterQuestion,
    dossier: Dossier,
    contract: string,
    as: 'infrastructure' | 'recipient'
  ): Promise<Refusal | null> {
    const { self, clock } = this.#components
    const asking = this.#asking()
    const { payload } = dossier.contract(contract).contract
    const shared = {
      question,
      now: clock.now(),
      organisation: self.organisation,
      requester: payload.user,
      purpose: payload.purpose,
      archetype: payload.archetype.name,
      algorithm: payload.algorithm,
      datasets: payload.datasets,
      dataProviders: payload.parties
        .filter((party) => party.roles.includes('data'))
        .map((party) => party.organisation),
      ...placementFacts(payload),
      recipients: payload.recipients
    }
    const hosting = this.#init.roles.includes('computeProvider') ? this.#init.hosting : null
    const received = {
      ...shared,
      asked: payload.issuer === self.peer,
      consents: this.#init.consents(payload)
    }
    const hosts = as === 'infrastructure'
    const decided: Verdict = hosts
      ? decideAsHost(asking.engine, shared, hosting)
      : decideAsRecipient(asking.engine, received)
    const verdict = await asking.confirm(decided)
    const call: Called['call'] = hosts
      ? { function: 'host', facts: shared, hosting }
      : { function: 'recipient', facts: received }
    this.#note(dossier, contract, question, verdict, asking, [
      { call, permits: decided.verdict === 'permit' }
    ])
    return verdict.verdict === 'deny' ? verdict.refusal : null
  }

  #asking(): Asking {
    return this.#components.point.asking(this.#components.engine)
  }

  #note(
    dossier: Dossier,
    contract: string,
    question: LaterQuestion | FlowQuestion,
    verdict: Verdict | ProviderVerdict,
    { engine }: Asking,
    called: readonly Called[]
  ): void {
    const basis = basisOf(engine, verdict, called)
    // Asked every second: what came of it is noted where it is a change.
    if (question === 'continue') {
      if (verdict.verdict === 'deny' && basis !== undefined) this.#stopBasis.set(verdict.refusal, basis)
      return
    }
    const entry = decisionEntry(this.#components.clock.now(), dossier.request.id, contract, question, verdict)
    dossier.decided(entry, basis)
  }
}
