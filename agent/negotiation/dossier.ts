import {
  assertSignedBy,
  decodePlain,
  encodePlain,
  type OfferDetails,
  offerDetails,
  openDocument,
  openSection,
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

import type { LogEntry } from '../audit/index.ts'

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
  acceptances: Map<string, Signed<'acceptance'>>
  decline: Signed<'decline'> | null
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
  /** What the store does not have yet. */
  #unsaved: readonly Uint8Array[] = []
  #decisions: readonly LogEntry[] = []
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

  /** Notes a decision for the log; it is written with the next change that is stored. */
  decided(entry: LogEntry): void {
    if (entry.kind === 'decision' && entry.contract !== undefined) {
      const { question, verdict, clauses, policy } = entry.fields
      const told = this.#told.get(entry.contract) ?? []
      const known = told.some((one) => one.question === question && one.verdict === verdict)
      if (!known)
        this.#told.set(entry.contract, [...told, { question, verdict, clauses: [...clauses], policy }])
    }
    this.#decisions = [...this.#decisions, entry]
  }

  /** What was decided here under a contract, each question and verdict once. */
  told(contract: string): ToldDecision[] {
    return this.#told.get(contract) ?? []
  }

  unlogged(): readonly LogEntry[] {
    return this.#decisions
  }

  logged(entries: readonly LogEntry[]): void {
    this.#decisions = this.#decisions.filter((entry) => !entries.includes(entry))
  }

  keep(message: WireMessage): void {
    this.#unsaved = [...this.#unsaved, encodePlain(message)]
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
    assertSignedBy(offer, offer.payload.issuer)
    if (offer.payload.request !== this.request.id)
      throw new UnknownDocument('the offer answers another request')
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
    await openSection(section, party.section, sections)
    const held = this.contracts.get(contract.id) ?? {
      contract,
      sections: new Map(),
      acceptances: new Map(),
      decline: null,
      receipts: new Map()
    }
    held.sections.set(to, section)
    this.contracts.set(contract.id, held)
    return held
  }

  holdAcceptance(acceptance: Signed<'acceptance'>): Signed<'acceptance'> {
    const { contract, issuer, epoch, request } = acceptance.payload
    assertSignedBy(acceptance, issuer)
    const held = this.contract(contract)
    if (request !== this.request.id || epoch !== held.contract.payload.epoch) {
      throw new UnknownDocument('the acceptance is of another request or epoch')
    }
    held.acceptances.set(issuer, acceptance)
    return acceptance
  }

  holdReceipt(receipt: Signed<'receipt'>): boolean {
    const { contract, issuer, step } = receipt.payload
    assertSignedBy(receipt, issuer)
    const held = this.contract(contract)
    const placed = held.contract.payload.chain.find((one) => one.step === step)
    const isRecipient = held.contract.payload.parties.some(
      (one) => one.peer === issuer && one.roles.includes('recipient')
    )
    if (placed?.at !== issuer && !isRecipient)
      throw new UnknownDocument('the receipt is of a step that is not its signer’s')
    const key = `${issuer}/${step}/${receipt.payload.service}`
    if (held.receipts.has(key)) return false
    held.receipts.set(key, receipt)
    return true
  }

  /** @throws {UnknownDocument} */
  contract(id: string): HeldContract {
    const held = this.contracts.get(id)
    if (held === undefined) throw new UnknownDocument(`contract ${id} is not known here`)
    return held
  }

  /** The sections of a contract that are addressed to this agent. */
  async mine(id: string): Promise<Section[]> {
    const held = this.contract(id)
    const party = held.contract.payload.parties.find((one) => one.peer === this.#self)
    const section = held.sections.get(this.#self)
    if (party === undefined || section === undefined)
      throw new UnknownDocument(`no section of contract ${id} is for this agent`)
    return await openSection(section, party.section, sections)
  }
}

/** The request in a stored or received message. @throws {BadSignature} when the requester's agent has not signed it */
export async function openRequest(
  message: Extract<WireMessage, { kind: 'ask' }>
): Promise<Signed<'request'>> {
  const request = await openDocument('request', message.request)
  assertSignedBy(request, request.payload.issuer)
  return request
}
