import type { Refusal } from '../../protocol/documents/index.ts'
import { codeOf, toError } from '../../protocol/errors/index.ts'
import {
  type CoordinatorEvent,
  type Effect,
  type HopEvent,
  viewContract
} from '../../protocol/negotiation/index.ts'
import type { Dossier } from './dossier.ts'
import { noteContract, noteDocument } from './noting.ts'
import type { ExchangePorts, Objection } from './ports.ts'

/** What the machines asked for, answered: as the events that they wait for. */

export const DISK_FULL: Refusal = {
  code: 'storage-full',
  clause: null,
  reason: 'the disk of this hop is full',
  acceptable: null,
  position: null
}

function note(ports: ExchangePorts, dossier: Dossier, error: unknown): void {
  ports.log.warn(
    { request: dossier.request.id, code: codeOf(error), err: toError(error) },
    'a question had no answer'
  )
}

/** Answers every row of the request, or says who has to approve it first. */
export async function makeOffer(dossier: Dossier, epoch: number, ports: ExchangePorts): Promise<HopEvent> {
  const answer = await ports.decisions.offer(dossier, epoch)
  if ('by' in answer) return { type: 'offer-waits', now: ports.clock.now(), epoch, ...answer }
  const { offer, details, permits } = answer
  await dossier.holdOffer(offer, details)
  noteDocument(dossier, 'offer', offer, ports.clock)
  dossier.keep({ kind: 'offer', epoch, offer: offer.bytes, details })
  return {
    type: 'offer-made',
    now: ports.clock.now(),
    epoch,
    offer: offer.id,
    permits,
    until: offer.payload.expires
  }
}

const UNDETERMINED: Refusal = {
  code: 'policy-forbids',
  clause: null,
  reason: 'the decision could not be made; undetermined is no',
  acceptable: null,
  position: null
}

/** What cannot be decided is denied. */
export async function refusalTo(
  dossier: Dossier,
  contract: string,
  ports: ExchangePorts
): Promise<Refusal | null> {
  try {
    return await ports.decisions.accept(dossier, contract)
  } catch (error) {
    note(ports, dossier, error)
    return UNDETERMINED
  }
}

/** As {@link refusalTo}, about what was accepted. */
export async function objectionTo(
  question: 'start' | 'continue',
  dossier: Dossier,
  contract: string,
  ports: ExchangePorts
): Promise<Objection | null> {
  try {
    return await ports.decisions[question](dossier, contract)
  } catch (error) {
    note(ports, dossier, error)
    return { refusal: UNDETERMINED, hop: ports.self }
  }
}

/** The verdict about a contract, as the machine takes it. */
export async function verdictOn(
  question: 'accept' | 'start',
  dossier: Dossier,
  contract: string,
  ports: ExchangePorts
): Promise<HopEvent> {
  if (question === 'accept') {
    const refusal = await refusalTo(dossier, contract, ports)
    return { type: 'verdict', question, contract, refusal, now: ports.clock.now() }
  }
  return verdictOf(question, contract, await objectionTo(question, dossier, contract, ports), ports)
}

export function verdictOf(
  question: 'start' | 'continue',
  contract: string,
  objection: Objection | null,
  { clock }: Pick<ExchangePorts, 'clock'>
): HopEvent {
  const { refusal = null, ...about } = objection ?? {}
  return { type: 'verdict', question, contract, refusal, ...about, now: clock.now() }
}

/** Chooses and writes the contract of an epoch. */
export async function composeContract(
  dossier: Dossier,
  order: Extract<Effect, { do: 'compose' }>,
  ports: ExchangePorts
): Promise<CoordinatorEvent> {
  const composed = await ports.coordination.compose(dossier, order).catch((error: unknown) => {
    note(ports, dossier, error)
    return { code: 'internal' as const, hop: null }
  })
  const now = ports.clock.now()
  if ('code' in composed) return { type: 'unplannable', now, epoch: order.epoch, ...composed }
  const { contract, sections } = composed
  noteContract(dossier, contract, ports.clock)
  for (const [peer, section] of sections) {
    await dossier.holdContract(contract, peer, section)
    dossier.keep({ kind: 'propose', contract: contract.bytes, sections: section })
  }
  return { type: 'planned', now, contract: viewContract(contract) }
}
