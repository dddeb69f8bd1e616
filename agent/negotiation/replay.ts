import { openDocument, sectionDigest } from '../../protocol/documents/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import type { Store } from '../store/index.ts'
import { Dossier, openRequest, UnknownDocument } from './dossier.ts'

/** How what came or went on the wire is kept; other documents of a request are kept for whoever proves something by them. */
export const MESSAGE = 'message'

/**
 * Puts a stored message back into its dossier, verified as if it had just come.
 *
 * @throws {MalformedDocument}, {BadSignature}, {UnknownDocument} when the store was tampered with
 */
export async function replay(dossier: Dossier, wire: WireMessage): Promise<void> {
  switch (wire.kind) {
    case 'ask':
      dossier.explains = wire.explain === true
      if (wire.query !== null) await dossier.holdQuery(wire.query)
      return
    case 'offer':
      await dossier.holdOffer(await openDocument('offer', wire.offer), wire.details)
      return
    case 'propose': {
      const contract = await openDocument('contract', wire.contract)
      const digest = await sectionDigest(wire.sections)
      const reader = contract.payload.parties.find((party) => party.section === digest)
      if (reader === undefined)
        throw new UnknownDocument('a stored section belongs to no party of its contract')
      await dossier.holdContract(contract, reader.peer, wire.sections)
      return
    }
    case 'acceptance':
      dossier.holdAcceptance(await openDocument('acceptance', wire.acceptance))
      return
    case 'decline': {
      dossier.holdDecline(await openDocument('decline', wire.decline))
      return
    }
    case 'start': {
      for (const bytes of wire.acceptances) dossier.holdAcceptance(await openDocument('acceptance', bytes))
      return
    }
    case 'outcome':
      dossier.holdOutcome(await openDocument('outcome', wire.outcome))
      return
    case 'receipt':
      dossier.holdReceipt(await openDocument('receipt', wire.receipt))
      return
    case 'waiting':
    case 'abort':
    case 'started':
    case 'rejected':
    case 'failure':
    case 'cancel':
      return
  }
}

/**
 * The documents of a request that the store has; undefined when it has none, or they were forgotten.
 *
 * @throws {MalformedDocument}, {BadSignature}, {UnknownDocument} when the store was tampered with
 */
export async function openDossier(store: Store, request: string, self: string): Promise<Dossier | undefined> {
  let dossier: Dossier | undefined
  for (const { type, bytes } of await store.documents.ofRequest(request)) {
    if (type !== MESSAGE) continue
    const wire = Dossier.parse(bytes)
    if (dossier === undefined) {
      if (wire.kind !== 'ask') continue
      dossier = new Dossier(await openRequest(wire), self)
    }
    await replay(dossier, wire)
  }
  return dossier
}
