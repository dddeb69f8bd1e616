import { openDocument, type Signed } from '../../protocol/documents/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import {
  type Asked,
  aContract,
  anAcceptance,
  anOffer,
  aRequest,
  type Contracted,
  RUG,
  UVA,
  VU
} from './documents.ts'
import type { Driver } from './driver.ts'

export interface Underway {
  asked: Asked
  contracted: Contracted
  start: WireMessage
}

/** RUG, whose driver this is, takes the result of a request of UVA; it has accepted. */
export async function acceptedAtRecipient(driver: Driver): Promise<Underway> {
  const asked = await aRequest({ recipients: ['RUG'] })
  await driver.receive(UVA, { ...asked.wire, query: null })
  const contracted = await aContract(asked.request, { offers: new Map(), recipient: RUG })
  const { contract } = contracted
  await driver.receive(UVA, contracted.propose(RUG))
  const own = driver.exchange(asked.request.id).dossier.contract(contract.id).acceptances.get(RUG.peer)
  if (own === undefined) throw new Error('it was not accepted')
  const others = await anAcceptance(contract, VU)
  const start = { kind: 'start' as const, contract: contract.bytes, acceptances: [own.bytes, others.bytes] }
  return { asked, contracted, start }
}

/** As {@link acceptedAtRecipient}, and its share runs. */
export async function startedAtRecipient(driver: Driver): Promise<Underway> {
  const underway = await acceptedAtRecipient(driver)
  await driver.receive(UVA, underway.start)
  await driver.until(() => driver.shares.has(underway.contracted.contract.id))
  return underway
}

/** VU, whose driver this is, holds the data of a request of UVA, whose result goes to RUG; it has accepted. */
export async function acceptedAtProvider(driver: Driver): Promise<Underway> {
  const asked = await aRequest({ recipients: ['RUG'] })
  const { request } = asked
  await driver.receive(UVA, asked.wire)
  const offers = new Map([...driver.exchange(request.id).dossier.offers.keys()].map((id) => [VU.peer, id]))
  const contracted = await aContract(request, { offers, recipient: RUG })
  const { contract } = contracted
  await driver.receive(UVA, contracted.propose(VU))
  const own = driver.exchange(request.id).dossier.contract(contract.id).acceptances.get(VU.peer)
  if (own === undefined) throw new Error('it was not accepted')
  const others = await anAcceptance(contract, RUG)
  const start = { kind: 'start' as const, contract: contract.bytes, acceptances: [own.bytes, others.bytes] }
  return { asked, contracted, start }
}

/** UVA, whose driver this is, asks, and takes the result itself; VU does all that it is asked. */
export async function startedAtRequester(driver: Driver): Promise<{ request: string; contract: string }> {
  const asked = await aRequest()
  const { request } = asked
  let contract: Signed<'contract'> | undefined
  driver.compose = async (dossier) => {
    const offers = new Map([...dossier.offers.values()].map(({ offer }) => [offer.payload.issuer, offer.id]))
    const contracted = await aContract(request, { offers })
    contract = contracted.contract
    return contracted
  }
  driver.answer = async (_, message) => {
    if (message.kind === 'ask') {
      const { offer, details } = await anOffer(request, VU)
      return [{ kind: 'offer', epoch: message.epoch, offer: offer.bytes, details }]
    }
    if (message.kind !== 'propose') return []
    const proposed = await openDocument('contract', message.contract)
    return [{ kind: 'acceptance', acceptance: (await anAcceptance(proposed, VU)).bytes }]
  }
  await driver.exchanges.coordinate(await asked.dossier(UVA.peer), [VU.peer], 600_000)
  await driver.until(() => driver.shares.size > 0)
  return { request: request.id, contract: contract?.id ?? '' }
}

/** The results that outcomes among messages tell. */
export async function resultsIn(messages: readonly WireMessage[]): Promise<string[]> {
  const outcomes = messages.flatMap((one) => (one.kind === 'outcome' ? [one.outcome] : []))
  return await Promise.all(outcomes.map(async (one) => (await openDocument('outcome', one)).payload.result))
}
