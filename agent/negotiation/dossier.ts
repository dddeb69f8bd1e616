import {
  assertSignedBy,
  decodePlain,
  encodePlain,
  MAX_EPOCHS,
  type OfferDetails,
  offerDetails,
  openDocument,
  openSection,
  type Party,
  type Payload,
  type QueryPart,
  queryPart,
  type SaltedSection,
  type Section,
  type Signed,
  sections,
  type ToldDecision
} from '../../protocol/documents/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import { type WireMessage, wireMessage } from '../../protocol/messages/index.ts'
import type { Basis, LogEntry, Noted } from '../audit/index.ts'
import { HeardPositions } from './positions.ts'

/** One for each epoch, and as many that are declined for another. */
const MAX_CONTRACTS = 2 * MAX_EPOCHS
/** Of one agent: one for each epoch, and some that are made anew because people took their time to approve a request. */
const MAX_OFFERS = 8

/** What the recipient's step is called in its receipt. */
export const RESULT_SERVICE = 'convert'

/** A message speaks of a document that is not at hand. */
export class UnknownDocument extends DynamosError {
  static override readonly name = 'UnknownDocument'
  constructor(message: string) {
    super('contract-invalid', message)
  }
}

export interface HeldOffer {
  offer: Signed<'offer'>
  section: SaltedSection
  details: OfferDetails
}

export interface HeldContract {
  contract: Signed<'contract'>
  /** By party: the coordinator holds all, a hop its own. */
  sections: Map<string, SaltedSection>
  /** The sections of this agent, opened; null when none is for it. */
  mine: Section[] | null
  /** By signer: the first of each, whoever brought it. */
  acceptances: Map<string, Signed<'acceptance'>>
  /** By signer. */
  declines: Map<string, Signed<'decline'>>
  receipts: Map<string, Signed<'receipt'>>
}

/** The verified documents of one request at one agent, and the messages they came in, for the store. */
export class Dossier {
  query: { section: SaltedSection; part: QueryPart } | null = null
  readonly offers = new Map<string, HeldOffer>()
  readonly contracts = new Map<string, HeldContract>()
  /** By signer. */
  readonly outcomes = new Map<string, Signed<'outcome'>>()
  /** Peers that may have the query part: data holders with which there is an agreement. Set by the asker. */
  readers: ReadonlySet<string> = new Set()
  /** A dry run: answers are wanted, and nothing will follow from them. */
  explains = false
  /** What the store does not have yet. */
  #unsaved: readonly Uint8Array[] = []
  #noted: readonly Noted[] = []
  readonly positions = new HeardPositions()
  readonly #told = new Map<string, ToldDecision[]>()
  readonly #self: string

  constructor(
    readonly request: Signed<'request'>,
    self: string
  ) {
    this.#self = self
  }

  unsaved(): readonly Uint8Array[] {
    return this.#unsaved
  }

  saved(entries: readonly Uint8Array[]): void {
    this.#unsaved = this.#unsaved.filter((entry) => !entries.includes(entry))
  }

  /** Notes a decision for the log; it is written with the next change that is stored, or soon. */
  decided(entry: LogEntry, basis?: Basis): void {
    if (entry.kind === 'decision' && entry.contract !== undefined) {
      const { question, verdict, clauses, policy } = entry.fields
      const told = this.#told.get(entry.contract) ?? []
      const known = told.some((one) => one.question === question && one.verdict === verdict)
      if (!known)
        this.#told.set(entry.contract, [...told, { question, verdict, clauses: [...clauses], policy }])
    }
    this.#noted = [...this.#noted, basis === undefined ? { entry } : { entry, basis }]
  }

  /** Notes something else that happened, likewise. */
  note(entry: LogEntry): void {
    this.#noted = [...this.#noted, { entry }]
  }

  /** What was decided here under a contract, each question and verdict once. */
  told(contract: string): ToldDecision[] {
    return this.#told.get(contract) ?? []
  }

  get hasNotes(): boolean {
    return this.#noted.length > 0 || this.positions.size > 0
  }

  /** What is to be logged now; whoever takes it writes it. */
  takeNotes(): readonly Noted[] {
    const taken = this.#noted
    this.#noted = []
    return taken
  }

  returnNotes(noted: readonly Noted[]): void {
    this.#noted = [...noted, ...this.#noted]
  }

  keep(message: WireMessage): void {
    const bytes = encodePlain(message)
    if (!this.#unsaved.some((one) => Buffer.compare(one, bytes) === 0))
      this.#unsaved = [...this.#unsaved, bytes]
  }

  /** @throws {MalformedDocument} */
  static parse(entry: Uint8Array): WireMessage {
    return decodePlain(entry, wireMessage)
  }

  /** Verifies that the query part is the one the request was signed over. */
  async holdQuery(section: SaltedSection): Promise<boolean> {
    if (this.query !== null) return false
    this.query = { section, part: await openSection(section, this.request.payload.query, queryPart) }
    return true
  }

  async holdOffer(offer: Signed<'offer'>, section: SaltedSection): Promise<HeldOffer> {
    const known = this.offers.get(offer.id)
    if (known !== undefined) return known
    const { issuer, request } = offer.payload
    assertSignedBy(offer, issuer)
    if (request !== this.request.id) throw new UnknownDocument('the offer answers another request')
    const earlier = [...this.offers.values()].filter((one) => one.offer.payload.issuer === issuer)
    if (earlier.length >= MAX_OFFERS)
      throw new UnknownDocument(`expected at most ${MAX_OFFERS} offers of one agent for a request`)
    const held = { offer, section, details: await openSection(section, offer.payload.details, offerDetails) }
    this.offers.set(offer.id, held)
    return held
  }

  /** @param section the one addressed to `to` */
  async holdContract(
    contract: Signed<'contract'>,
    to: string,
    section: SaltedSection
  ): Promise<HeldContract> {
    const { issuer, request, parties } = contract.payload
    assertSignedBy(contract, issuer)
    if (issuer !== this.request.payload.issuer || request !== this.request.id) {
      throw new UnknownDocument('expected a contract of the requester for this request')
    }
    const party = parties.find((one) => one.peer === to)
    if (party === undefined) throw new UnknownDocument(`${to} is no party to the contract`)
    const opened = await openSection(section, party.section, sections)
    if (!this.contracts.has(contract.id) && this.contracts.size >= MAX_CONTRACTS)
      throw new UnknownDocument(`expected at most ${MAX_CONTRACTS} contracts for one request`)
    const held = this.contracts.get(contract.id) ?? {
      contract,
      sections: new Map(),
      mine: null,
      acceptances: new Map(),
      declines: new Map(),
      receipts: new Map()
    }
    held.sections.set(to, section)
    if (to === this.#self) held.mine = opened
    this.contracts.set(contract.id, held)
    return held
  }

  /** @returns whether it is the first of its signer; another would let parties hold different sets of the same contract */
  holdAcceptance(acceptance: Signed<'acceptance'>): boolean {
    const { contract, issuer, epoch, request, organisation, marketplace } = acceptance.payload
    assertSignedBy(acceptance, issuer)
    const held = this.contract(contract)
    if (request !== this.request.id || epoch !== held.contract.payload.epoch) {
      throw new UnknownDocument('the acceptance is of another request or epoch')
    }
    if (marketplace !== held.contract.payload.marketplace)
      throw new UnknownDocument('the acceptance is of another marketplace')
    const party = this.#assertParty(held, issuer)
    // The order of the shares of a pseudonym key follows from it.
    if (organisation !== party.organisation)
      throw new UnknownDocument(
        `expected an acceptance of ${party.organisation}, found one of ${organisation}`
      )
    if (held.acceptances.has(issuer)) return false
    held.acceptances.set(issuer, acceptance)
    return true
  }

  /** @returns whether it is the first of its signer */
  holdDecline(decline: Signed<'decline'>): boolean {
    const { contract, issuer, request, epoch } = decline.payload
    assertSignedBy(decline, issuer)
    const held = this.contract(contract)
    if (request !== this.request.id || epoch !== held.contract.payload.epoch)
      throw new UnknownDocument('the decline is of another request or epoch')
    this.#assertParty(held, issuer)
    if (held.declines.has(issuer)) return false
    held.declines.set(issuer, decline)
    return true
  }

  #assertParty(held: HeldContract, issuer: string): Party {
    const party = held.contract.payload.parties.find((one) => one.peer === issuer)
    if (party === undefined) throw new UnknownDocument(`${issuer} is no party to the contract`)
    return party
  }

  holdReceipt(receipt: Signed<'receipt'>): boolean {
    const { contract, issuer, step, service, round, request } = receipt.payload
    assertSignedBy(receipt, issuer)
    const held = this.contract(contract)
    if (request !== this.request.id) throw new UnknownDocument('the receipt is of another request')
    const placed = held.contract.payload.chain.find((one) => one.step === step)
    const isRecipient = held.contract.payload.parties.some(
      (one) => one.peer === issuer && one.roles.includes('recipient')
    )
    // A step runs once for each flow that leaves its agent.
    const rounds = Math.max(1, held.contract.payload.flows.filter((flow) => flow.from === issuer).length)
    const ofChain = placed?.at === issuer && placed.service === service && round < rounds
    // The recipient's own step comes after the chain: it makes of what arrived a result for people.
    const ofResult =
      isRecipient && step === held.contract.payload.chain.length && service === RESULT_SERVICE && round === 0
    if (!ofChain && !ofResult) throw new UnknownDocument('the receipt is of a step that is not its signer’s')
    const key = receiptKey(issuer, receipt.payload)
    if (held.receipts.has(key)) return false
    held.receipts.set(key, receipt)
    return true
  }

  /**
   * An outcome of this request, of its requester or a party of a contract held here; where the contract it names is held, of
   * a party of that one.
   *
   * @returns the first of its signer, which is the one that counts
   */
  holdOutcome(outcome: Signed<'outcome'>): { outcome: Signed<'outcome'>; isNew: boolean } {
    const { request, contract, issuer } = outcome.payload
    assertSignedBy(outcome, issuer)
    if (request !== this.request.id) throw new UnknownDocument('the outcome is of another request')
    const known = this.outcomes.get(issuer)
    if (known !== undefined) return { outcome: known, isNew: false }
    const named = contract === null ? undefined : this.contracts.get(contract)
    const speakers = (named === undefined ? [...this.contracts.values()] : [named]).flatMap(
      (held) => held.contract.payload.parties
    )
    if (issuer !== this.request.payload.issuer && !speakers.some((party) => party.peer === issuer))
      throw new UnknownDocument(`${issuer} has no part in this request and cannot say how it ended`)
    this.outcomes.set(issuer, outcome)
    return { outcome, isNew: true }
  }

  /** @throws {UnknownDocument} */
  contract(id: string): HeldContract {
    const held = this.contracts.get(id)
    if (held === undefined) throw new UnknownDocument(`contract ${id} is not known here`)
    return held
  }

  /** The sections of a contract that are addressed to this agent. @throws {UnknownDocument} */
  mine(id: string): Section[] {
    const { mine } = this.contract(id)
    if (mine === null) throw new UnknownDocument(`no section of contract ${id} is for this agent`)
    return mine
  }
}

/** What there is one receipt of. */
export function receiptKey(
  issuer: string,
  { step, service, round }: Pick<Payload<'receipt'>, 'step' | 'service' | 'round'>
): string {
  return `${issuer}/${step}/${service}/${round}`
}

/** The request in a stored or received message. @throws {BadSignature} when the requester's agent has not signed it */
export async function openRequest(
  message: Extract<WireMessage, { kind: 'ask' }>
): Promise<Signed<'request'>> {
  const request = await openDocument('request', message.request)
  assertSignedBy(request, request.payload.issuer)
  return request
}
