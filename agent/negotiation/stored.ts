import { z } from 'zod'
import { decodePlain, fields, type SignedBytes } from '../../protocol/documents/index.ts'
import { codeOf, toError } from '../../protocol/errors/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import { type Exchange, type Hop, parseExchange } from '../../protocol/negotiation/index.ts'
import type { Store, StoredExchange } from '../store/index.ts'
import type { Machines } from './commit.ts'
import { Dossier } from './dossier.ts'
import type { Logger } from './ports.ts'
import { MESSAGE } from './replay.ts'

/** @throws {ZodError}, {SyntaxError} when the state is not one that an agent writes */
export function machineOf({ state }: StoredExchange): Exchange {
  return parseExchange(JSON.parse(new TextDecoder().decode(state)))
}

/** Both machines of each request that a restart takes up. What cannot be read is logged and left out. */
export async function openMachines(store: Store, log: Logger): Promise<Map<string, Machines>> {
  const found = new Map<string, Machines>()
  for (const row of await store.exchanges.open()) {
    const { request } = row
    try {
      const machine = machineOf(row)
      const { hop, coordinator } = found.get(request) ?? { hop: null, coordinator: null }
      found.set(
        request,
        machine.machine === 'hop' ? { hop: machine, coordinator } : { hop, coordinator: machine }
      )
    } catch (error) {
      log.error({ request, code: codeOf(error), err: toError(error) }, 'a stored exchange cannot be read')
    }
  }
  return found
}

export async function storedHop(store: Store, request: string): Promise<Hop | undefined> {
  const row = await store.exchanges.get(request, 'hop')
  if (row === undefined) return undefined
  const machine = machineOf(row)
  return machine.machine === 'hop' ? machine : undefined
}

const said = z.looseObject({ issuer: fields.peer })
const agreed = z.looseObject({ parties: z.array(z.looseObject({ peer: fields.peer })) })
/** A reply holds no more messages. */
const MAX_MESSAGES = 8

/**
 * How a request ended here that is only in the store any more, for one of its parties that still asks: this agent's receipts
 * and the outcome. Nothing for others, and where nobody signed an outcome.
 */
export async function storedEnd(store: Store, hop: Hop, from: string): Promise<WireMessage[]> {
  const { stage } = hop
  if (stage.phase !== 'ended' || stage.outcome.signer === null) return []
  const issuerOf = (document: SignedBytes): string => decodePlain(document.payload, said).issuer
  const parties = new Set([hop.coordinator])
  const receipts: WireMessage[] = []
  let outcome: WireMessage | undefined
  for (const { type, bytes } of await store.documents.ofRequest(hop.request)) {
    if (type !== MESSAGE) continue
    const wire = Dossier.parse(bytes)
    if (wire.kind === 'propose')
      for (const { peer } of decodePlain(wire.contract.payload, agreed).parties) parties.add(peer)
    else if (wire.kind === 'receipt' && issuerOf(wire.receipt) === hop.self) receipts.push(wire)
    else if (wire.kind === 'outcome' && issuerOf(wire.outcome) === stage.outcome.signer) outcome ??= wire
  }
  if (outcome === undefined || !parties.has(from)) return []
  return [...receipts.slice(0, MAX_MESSAGES - 1), outcome]
}
