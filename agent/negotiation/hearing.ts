import { assertSignedBy, openDocument } from '../../protocol/documents/index.ts'
import type { WireMessage, WireOf } from '../../protocol/messages/index.ts'
import { type Message, viewAcceptance, viewContract } from '../../protocol/negotiation/index.ts'
import { type Dossier, UnknownDocument } from './dossier.ts'
import { noteContract, noteDocument } from './noting.ts'
import type { ExchangePorts } from './ports.ts'
import { outcomeMessage } from './wire.ts'

/**
 * Verifies a message, keeps its documents and makes of it what the machines understand; null when it is not for them.
 *
 * @throws {MalformedDocument}, {BadSignature}, {UnknownDocument}
 */
export async function hearMessage(
  dossier: Dossier,
  from: string,
  wire: WireMessage,
  ports: ExchangePorts
): Promise<Message | null> {
  switch (wire.kind) {
    case 'ask':
      dossier.explains = wire.explain === true
      if (wire.query !== null && (await dossier.holdQuery(wire.query))) dossier.keep(wire)
      return { kind: 'ask', epoch: wire.epoch }
    case 'waiting':
      return { kind: 'waiting', epoch: wire.epoch, within: wire.within, by: wire.by }
    case 'offer': {
      const offer = await openDocument('offer', wire.offer)
      assertSignedBy(offer, from)
      const organisation = ports.organisationOf(from)
      if (offer.payload.organisation !== organisation)
        throw new UnknownDocument(
          `expected an offer of ${organisation}, found one of ${offer.payload.organisation}`
        )
      const isNew = !dossier.offers.has(offer.id)
      await dossier.holdOffer(offer, wire.details)
      if (isNew) noteDocument(dossier, 'offer', offer, ports.clock)
      dossier.keep(wire)
      ports.coordination.received(dossier, wire, from)
      const permits = offer.payload.rows.some((row) => row.verdict === 'permit')
      return { kind: 'offer', epoch: wire.epoch, offer: offer.id, permits }
    }
    case 'propose': {
      const contract = await openDocument('contract', wire.contract)
      const isNew = !dossier.contracts.has(contract.id)
      await dossier.holdContract(contract, ports.self, wire.sections)
      if (isNew) noteContract(dossier, contract, ports.clock)
      dossier.keep(wire)
      return { kind: 'propose', contract: viewContract(contract) }
    }
    case 'acceptance': {
      const acceptance = await openDocument('acceptance', wire.acceptance)
      assertSignedBy(acceptance, from)
      dossier.positions.hear(acceptance, ports.clock.now())
      if (dossier.holdAcceptance(acceptance)) dossier.keep(wire)
      return { kind: 'acceptance', acceptance: viewAcceptance(acceptance) }
    }
    case 'decline': {
      const decline = await openDocument('decline', wire.decline)
      assertSignedBy(decline, from)
      const { contract, epoch, refusal } = decline.payload
      if (dossier.holdDecline(decline)) dossier.keep(wire)
      return { kind: 'decline', contract, epoch, refusal }
    }
    case 'start':
      return await hearStart(dossier, wire, ports)
    case 'outcome':
      return await outcomeMessage(dossier, wire, ports)
    case 'receipt': {
      const receipt = await openDocument('receipt', wire.receipt)
      dossier.positions.hear(receipt, ports.clock.now())
      if (dossier.holdReceipt(receipt)) dossier.keep(wire)
      ports.coordination.received(dossier, wire, from)
      return null
    }
    case 'abort':
      return { kind: 'abort', contract: wire.contract, epoch: wire.epoch }
    case 'started':
      return { kind: 'started', contract: wire.contract }
    case 'rejected':
      return { kind: 'rejected', contract: wire.contract, code: wire.code }
    case 'failure': {
      const { contract, hop, code, step, position } = wire
      return { kind: 'failure', contract, hop, code, step, position }
    }
    case 'cancel':
      return { kind: 'cancel', result: wire.result, code: wire.code, hop: wire.hop }
  }
}

async function hearStart(
  dossier: Dossier,
  wire: WireOf<'start'>,
  { clock }: Pick<ExchangePorts, 'clock'>
): Promise<Message> {
  const contract = await openDocument('contract', wire.contract)
  const known = dossier.contracts.has(contract.id)
  const { parties } = contract.payload
  // Not one signature is checked of a start that cannot be whole; the machine says what is wrong with it.
  if (wire.acceptances.length !== parties.length)
    return { kind: 'start', contract: contract.id, acceptances: [] }
  const acceptances = []
  for (const bytes of wire.acceptances) {
    const acceptance = await openDocument('acceptance', bytes)
    dossier.positions.hear(acceptance, clock.now())
    // Kept one by one: the same start can be written in many ways.
    if (known && dossier.holdAcceptance(acceptance)) dossier.keep({ kind: 'acceptance', acceptance: bytes })
    acceptances.push(viewAcceptance(acceptance))
  }
  return { kind: 'start', contract: contract.id, acceptances }
}
