import type { Clock, Network } from '../../agent/network/index.ts'
import { type ArchetypeBody, openDocument, type Section } from '../../protocol/documents/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import type { Market, TestAgent } from '../integration/harness.ts'
import { HostilePeer, type Offered } from '../integration/hostile-peer.ts'

export type ContractBody = Parameters<HostilePeer['contract']>[0]
export type Made = Awaited<ReturnType<HostilePeer['contract']>>
type Asked = Awaited<ReturnType<HostilePeer['request']>>

export const EVE = 'eve@eve.nl'
export const SQL = 'SELECT id, gender FROM person'
const PRIVATE = 'private'
export const COMPUTE_TO_DATA: ArchetypeBody = {
  name: 'computeToData',
  roles: { data: 'many', algorithm: 'one', infrastructure: 'many', recipient: 'one' },
  where: ['infrastructure == data'],
  steps: [
    { service: 'query', at: 'data', forEach: 'data' },
    { service: 'anonymize', at: 'data', when: 'required' },
    { service: 'algorithm', at: 'infrastructure' },
    { service: 'graph', at: 'recipient', when: 'asked' }
  ],
  output: { to: 'recipient' }
}

/** What Eve really may do: her pseudonymised table, from each provider that signs this. */
export function agreementWithEve(provider: string): object {
  return {
    agreement: `eve-${provider}`,
    provider,
    dataset: PRIVATE,
    consumers: [{ user: EVE }],
    purposes: ['research'],
    archetypes: ['computeToData'],
    tables: { person: { columns: ['id', 'gender'] } },
    algorithms: ['table'],
    services: { require: ['anonymize'] },
    anonymize: { pseudonymise: ['id'] },
    output: { maxRows: 30 }
  }
}

/** The agent of a member stops; from here on its key speaks for itself, to all who run. */
export async function turnedHostile(
  market: Market,
  name: string,
  { clock, prepare }: { clock?: Clock; prepare?: (network: Network) => void } = {}
): Promise<HostilePeer> {
  await market.agent(name).stop()
  const peer = await HostilePeer.start(market.agent(name), clock, prepare)
  for (const agent of market.agents) if (agent.running) await peer.connect(agent)
  return peer
}

export async function askedBy(eve: HostilePeer, providers: readonly TestAgent[], sql = SQL): Promise<Asked> {
  return await eve.request(
    {
      user: { organisation: 'EVE', name: EVE },
      purpose: 'research',
      datasets: [PRIVATE],
      providers: providers.map((agent) => agent.peerId).sort(),
      rows: [{ archetype: 'computeToData', infrastructure: null }],
      algorithm: 'table',
      options: { aggregate: false, anonymize: false, graph: false },
      recipients: ['EVE'],
      agreements: {},
      deadline: 60_000
    },
    sql
  )
}

/** The contract that an honest agent would write for these offers. */
export function honestContract(
  eve: HostilePeer,
  offers: readonly (Offered & { of: TestAgent })[]
): { body: ContractBody; sections: Record<string, Section[]> } {
  const [first] = offers
  const [answer] = first?.offer.payload.rows ?? []
  if (first === undefined || answer?.verdict !== 'permit' || answer.terms === null)
    throw new Error(`expected offers that permit, found ${JSON.stringify(answer)}`)
  const { payload, id } = first.request
  const services = ['query', 'anonymize', 'algorithm']
  const sections: Record<string, Section[]> = {
    [eve.peer]: [
      {
        as: 'recipient',
        parameters: {},
        inputs: offers.map(({ of }, flow) => ({ flow, organisations: [of.name], columns: [] })),
        union: false,
        merge: false
      }
    ]
  }
  for (const { of, details } of offers)
    sections[of.peerId] = [
      {
        as: 'data',
        agreements: (details.grants[0]?.agreements ?? []).map((one) => ({
          dataset: one.dataset,
          agreement: one.id
        })),
        query: { sql: SQL, parameters: {} },
        algorithm: 'complete',
        steps: []
      }
    ]
  return {
    body: {
      request: id,
      epoch: 1,
      organisation: payload.organisation,
      user: payload.user,
      purpose: payload.purpose,
      datasets: payload.datasets,
      algorithm: payload.algorithm,
      archetype: COMPUTE_TO_DATA,
      parties: [
        ...offers.map(({ of, offer }) => ({
          peer: of.peerId,
          organisation: of.name,
          roles: ['data' as const],
          offer: offer.id,
          sandbox: offer.payload.sandbox
        })),
        { peer: eve.peer, organisation: 'EVE', roles: ['recipient'], offer: null, sandbox: 'none' }
      ],
      chain: offers.flatMap(({ of }, index) =>
        services.map((service, step) => ({ step: index * services.length + step, service, at: of.peerId }))
      ),
      flows: offers.map(({ of }, flow) => ({
        flow,
        from: of.peerId,
        to: eve.peer,
        step: (flow + 1) * services.length - 1
      })),
      recipients: payload.recipients,
      terms: answer.terms,
      deadline: payload.deadline
    },
    sections
  }
}

/** Proposes a contract to one party. @returns its acceptance, or the code of its refusal */
export async function proposeTo(eve: HostilePeer, to: TestAgent, made: Made) {
  const sections = made.sections[to.peerId]
  if (sections === undefined) throw new Error(`expected a section for ${to.name}`)
  const answer = await eve.say(to, { kind: 'propose', contract: made.contract.bytes, sections })
  if (typeof answer === 'string') return { code: answer }
  for (const one of answer) {
    if (one.kind === 'acceptance') return { acceptance: one.acceptance }
    if (one.kind === 'decline')
      return { code: (await openDocument('decline', one.decline)).payload.refusal.code }
  }
  return { code: JSON.stringify(answer) }
}

/**
 * Her own word that she takes part.
 *
 * @param head where she says that her log stands
 */
export async function acceptanceBy(eve: HostilePeer, { contract }: Made, head = 'a'.repeat(64)) {
  const body = {
    contract: contract.id,
    request: contract.payload.request,
    epoch: contract.payload.epoch,
    organisation: 'EVE',
    startBy: 20_000,
    statusNumber: 0,
    resultTerms: null,
    shares: [],
    log: { sequence: 1, head }
  }
  return (await eve.speaker.sign('acceptance', body, 60_000)).bytes
}

/** Her own word that it is over. */
export async function outcomeBy(eve: HostilePeer, contract: Made['contract']): Promise<WireMessage> {
  const { id, payload } = contract
  const body = {
    request: payload.request,
    contract: id,
    organisation: 'EVE',
    result: 'failed' as const,
    code: 'cancelled' as const,
    hop: null,
    step: null,
    position: null,
    receipts: [],
    log: { sequence: 2, head: 'b'.repeat(64) }
  }
  return { kind: 'outcome', outcome: (await eve.speaker.sign('outcome', body, 60_000)).bytes }
}

/** Says something. @returns the code it is refused with, or the kinds of what is answered */
export async function codeSaid(eve: HostilePeer, to: TestAgent, message: WireMessage): Promise<string> {
  const answer = await eve.say(to, message)
  return typeof answer === 'string'
    ? answer
    : answer.map((one) => ('code' in one ? one.code : one.kind)).join()
}
