import type { Release } from '../../agent/exchange/released.ts'
import type { Body, Dossier } from '../../agent/negotiation/index.ts'
import type { Flow, ResultTerms, Signed } from '../../protocol/documents/index.ts'
import { aContract, anAcceptance, aRequest, EVE, type Party, RUG, VU } from '../negotiation/documents.ts'

const HOUR = 3_600_000
export const PARTS = [{ digest: 'one' }, { digest: 'two' }]
export const RELEASE_ASKED: ResultTerms = {
  recipients: '*',
  purposes: '*',
  until: null,
  services: [],
  forbid: [],
  maxRows: null,
  releaseAsk: true,
  onward: 'none'
}

export interface Agreed {
  dossier: Dossier
  contract: Signed<'contract'>
  /** From EVE, which computed it, to RUG. */
  flow: Flow
}

/** A contract over data of VU, which wants the last word, as RUG or whoever sends the result knows it. */
export async function agreed(terms: ResultTerms | null = RELEASE_ASKED): Promise<Agreed> {
  const asked = await aRequest({ recipients: ['RUG'] })
  const flow = { flow: 0, from: EVE.peer, to: RUG.peer, step: 1 }
  const { contract, sections } = await aContract(asked.request, {
    offers: new Map(),
    recipient: RUG,
    flows: [flow]
  })
  const dossier = await asked.dossier(RUG.peer)
  const section = sections.get(RUG.peer)
  if (section === undefined) throw new Error('RUG is no party')
  await dossier.holdContract(contract, RUG.peer, section)
  dossier.holdAcceptance(await anAcceptance(contract, VU, { resultTerms: terms }))
  return { dossier, contract, flow }
}

/** VU's word about it, that it may go, unless told otherwise. */
export async function aRelease(
  { contract, flow }: Pick<Agreed, 'contract' | 'flow'>,
  result: string,
  changes: Partial<Body<'release'>> = {},
  by: Party = VU
): Promise<Release> {
  const body = {
    contract: contract.id,
    request: contract.payload.request,
    organisation: by.organisation,
    flow: flow.flow,
    to: flow.to,
    result,
    refused: null,
    log: { sequence: 1, head: 'a'.repeat(64) },
    ...changes
  }
  return await by.speaker.sign('release', body, HOUR)
}
