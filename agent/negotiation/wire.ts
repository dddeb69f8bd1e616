import { z } from 'zod'
import {
  decodePlain,
  fields,
  MAX_APPROVAL_MS,
  openDocument,
  type SignedBytes
} from '../../protocol/documents/index.ts'
import type { WireMessage, WireOf } from '../../protocol/messages/index.ts'
import { type Message, viewOutcome } from '../../protocol/negotiation/index.ts'
import type { Dossier } from './dossier.ts'
import type { ExchangePorts } from './ports.ts'

/**
 * A message of the machine with the documents it stands for; null when there is nothing to tell that peer.
 *
 * @throws {UnknownDocument} when a document that it stands for was never signed or received
 */
export function toWire(dossier: Dossier, message: Message, to: string, self: string): WireMessage | null {
  const request = dossier.request.id
  switch (message.kind) {
    case 'ask': {
      const query = dossier.readers.has(to) ? (dossier.query?.section ?? null) : null
      return {
        kind: 'ask',
        epoch: message.epoch,
        request: dossier.request.bytes,
        query,
        ...(dossier.explains ? { explain: true } : {})
      }
    }
    case 'offer': {
      const held = dossier.offers.get(message.offer)
      return held === undefined
        ? null
        : { kind: 'offer', epoch: message.epoch, offer: held.offer.bytes, details: held.section }
    }
    case 'waiting': {
      const { epoch, within, by } = message
      return { kind: 'waiting', request, epoch, within: Math.min(Math.ceil(within), MAX_APPROVAL_MS), by }
    }
    case 'propose': {
      const held = dossier.contract(message.contract.id)
      const sections = held.sections.get(to)
      return sections === undefined ? null : { kind: 'propose', contract: held.contract.bytes, sections }
    }
    case 'acceptance': {
      const own = dossier.contract(message.acceptance.contract).acceptances.get(self)
      return own === undefined ? null : { kind: 'acceptance', acceptance: own.bytes }
    }
    case 'decline': {
      const own = dossier.contract(message.contract).declines.get(self)
      return own === undefined ? null : { kind: 'decline', decline: own.bytes }
    }
    case 'start': {
      const held = dossier.contract(message.contract)
      const acceptances = [...held.acceptances.values()].map((one) => one.bytes)
      return { kind: 'start', contract: held.contract.bytes, acceptances }
    }
    case 'outcome': {
      const document = message.outcome.signer === null ? null : dossier.outcomes.get(message.outcome.signer)
      return document === null || document === undefined ? null : { kind: 'outcome', outcome: document.bytes }
    }
    case 'abort':
      return { kind: 'abort', request, contract: message.contract, epoch: message.epoch }
    case 'started':
      return { kind: 'started', request, contract: message.contract }
    case 'rejected':
      return { kind: 'rejected', request, contract: message.contract, code: message.code }
    case 'failure': {
      const { contract, hop, code, step, position } = message
      return { kind: 'failure', request, contract, hop, code, step, position }
    }
    case 'cancel':
      return { kind: 'cancel', request, result: message.result, code: message.code, hop: message.hop }
  }
}

const named = z.looseObject({ request: fields.documentId })

/**
 * The request that a message says it is about: enough to look the exchange up, which then verifies the message.
 *
 * @throws {MalformedDocument}
 */
export function requestNamedBy(wire: Exclude<WireMessage, { kind: 'ask' }>): string {
  const within = (document: SignedBytes): string => decodePlain(document.payload, named).request
  switch (wire.kind) {
    case 'offer':
      return within(wire.offer)
    case 'propose':
    case 'start':
      return within(wire.contract)
    case 'acceptance':
      return within(wire.acceptance)
    case 'decline':
      return within(wire.decline)
    case 'outcome':
      return within(wire.outcome)
    case 'receipt':
      return within(wire.receipt)
    case 'waiting':
    case 'abort':
    case 'started':
    case 'rejected':
    case 'failure':
    case 'cancel':
      return wire.request
  }
}

/** Verifies an outcome, from whoever brings it, and keeps it. */
export async function outcomeMessage(
  dossier: Dossier,
  wire: WireOf<'outcome'>,
  ports: ExchangePorts
): Promise<Message> {
  const heard = await openDocument('outcome', wire.outcome)
  const { outcome, isNew } = dossier.holdOutcome(heard)
  if (heard.payload.issuer !== ports.self) dossier.positions.hear(heard, ports.clock.now())
  const hop = outcome.payload.hop
  const parties = [...dossier.contracts.values()].flatMap((held) => held.contract.payload.parties)
  const peer = hop === null ? null : (parties.find((one) => one.organisation === hop)?.peer ?? null)
  const view = viewOutcome(outcome, peer)
  if (isNew) dossier.keep(wire)
  ports.coordination.received(dossier, wire, outcome.payload.issuer)
  return { kind: 'outcome', outcome: view }
}
