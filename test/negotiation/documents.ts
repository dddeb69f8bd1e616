import { type Body, createSpeaker, Dossier, type Speaker } from '../../agent/negotiation/index.ts'
import type { ResultTerms, SaltedSection, Section, Signed } from '../../protocol/documents/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import { keyOf, peerOf } from '../membership/builders.ts'

export const NOW = Date.UTC(2026, 5, 1, 12)
const HOUR = 3_600_000
const MARKETPLACE = 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi'
export const AGREEMENT = `bafyrei${'a'.repeat(52)}`

export interface Party {
  organisation: string
  peer: string
  speaker: Speaker
}

export async function aParty(organisation: string): Promise<Party> {
  const key = await keyOf(organisation)
  const peer = peerOf(key)
  const clock = { now: () => NOW }
  return {
    organisation,
    peer,
    speaker: createSpeaker({ key, peer, organisation, marketplace: MARKETPLACE, clock })
  }
}

/** Data at VU, the result at RUG or at UVA, which asks. */
export const UVA = await aParty('UVA')
export const VU = await aParty('VU')
export const RUG = await aParty('RUG')
export const EVE = await aParty('Eve')
export const PARTIES = [UVA, VU, RUG, EVE]

const LOG = { sequence: 1, head: 'a'.repeat(64) }
const TERMS: ResultTerms = {
  recipients: '*',
  purposes: '*',
  until: null,
  services: [],
  forbid: [],
  maxRows: null,
  onward: 'none'
}

export interface Asked {
  request: Signed<'request'>
  query: SaltedSection
  dossier(self: string): Promise<Dossier>
  wire: Extract<WireMessage, { kind: 'ask' }>
}

let nonces = 0

export async function aRequest(overrides: Partial<Body<'request'>> = {}, by = UVA): Promise<Asked> {
  const { section, digest } = await by.speaker.section({ sql: 'SELECT wage FROM person', parameters: {} })
  nonces += 1
  const body: Body<'request'> = {
    nonce: new Uint8Array(16).fill(nonces),
    organisation: by.organisation,
    user: { organisation: by.organisation, name: 'analyst' },
    purpose: 'research',
    datasets: ['wageGap'],
    providers: [VU.peer],
    rows: [{ archetype: 'computeToData', infrastructure: null }],
    algorithm: 'average',
    options: { aggregate: true, anonymize: false, graph: false },
    recipients: [by.organisation],
    agreements: {},
    deadline: 60_000,
    query: digest,
    ...overrides
  }
  const request = await by.speaker.sign('request', body, HOUR)
  return {
    request,
    query: section,
    wire: { kind: 'ask', epoch: 1, request: request.bytes, query: section },
    async dossier(self) {
      const dossier = new Dossier(request, self)
      await dossier.holdQuery(section)
      return dossier
    }
  }
}

export async function anOffer(request: Signed<'request'>, by: Party) {
  const details = {
    grants: [],
    estimates: { rows: 1, bytes: 1, milliseconds: 1, millijoules: 1, carbon: 1, cost: 1, load: 0 },
    notes: []
  }
  const { section, digest } = await by.speaker.section(details)
  const offer = await by.speaker.sign(
    'offer',
    {
      request: request.id,
      organisation: by.organisation,
      as: ['data'],
      rows: [{ row: 0, verdict: 'permit', services: [], clauses: [], terms: TERMS }],
      sandbox: 'bubblewrap',
      policy: 'policy',
      details: digest
    },
    HOUR
  )
  return { offer, details: section, permits: true }
}

export interface Contracted {
  contract: Signed<'contract'>
  sections: Map<string, SaltedSection>
  propose(to: Party): WireMessage
}

/** VU queries and computes; the result goes to `recipient`. */
export async function aContract(
  request: Signed<'request'>,
  init: {
    offers: Map<string, string>
    /** Holds data beside VU. */
    beside?: Party
    recipient?: Party
    epoch?: number
    deadline?: number
    terms?: ResultTerms
    flows?: Body<'contract'>['flows']
  },
  by = UVA
): Promise<Contracted> {
  const recipient = init.recipient ?? by
  const data: Section = {
    as: 'data',
    agreements: [{ dataset: 'wageGap', agreement: AGREEMENT }],
    query: { sql: 'SELECT wage FROM person', parameters: {} },
    algorithm: 'complete',
    steps: []
  }
  const takes: Section = {
    as: 'recipient',
    parameters: {},
    inputs: [{ flow: 0, organisations: [VU.organisation], columns: [] }],
    union: false,
    merge: false
  }
  const sections = new Map<string, SaltedSection>()
  const parties: Body<'contract'>['parties'] = []
  for (const [party, role, content] of [
    [VU, 'data', data],
    ...(init.beside === undefined ? [] : [[init.beside, 'data', data] as const]),
    [recipient, 'recipient', takes]
  ] as const) {
    const { section, digest } = await by.speaker.section([content])
    sections.set(party.peer, section)
    const offer = init.offers.get(party.peer) ?? null
    const { peer, organisation } = party
    parties.push({ peer, organisation, roles: [role], offer, sandbox: 'bubblewrap', section: digest })
  }
  const { organisation, user, purpose, datasets, algorithm } = request.payload
  const contract = await by.speaker.sign(
    'contract',
    {
      request: request.id,
      epoch: init.epoch ?? 1,
      organisation,
      user,
      purpose,
      datasets,
      algorithm,
      archetype: {
        name: 'computeToData',
        roles: { data: 'many', algorithm: 'one', infrastructure: 'one', recipient: 'one' },
        where: [],
        steps: [{ service: 'query', at: 'data', forEach: 'data' }],
        output: { to: 'recipient' }
      },
      parties,
      chain: [
        { step: 0, service: 'query', at: VU.peer },
        { step: 1, service: 'algorithm', at: VU.peer }
      ],
      flows: init.flows ?? [{ flow: 0, from: VU.peer, to: recipient.peer, step: 1 }],
      recipients: [recipient.organisation],
      terms: init.terms ?? TERMS,
      deadline: init.deadline ?? 60_000
    },
    HOUR
  )
  return {
    contract,
    sections,
    propose(to) {
      const section = sections.get(to.peer)
      if (section === undefined) throw new Error(`${to.organisation} is no party`)
      return { kind: 'propose', contract: contract.bytes, sections: section }
    }
  }
}

export async function anAcceptance(
  contract: Signed<'contract'>,
  by: Party,
  overrides: Partial<Body<'acceptance'>> = {}
): Promise<Signed<'acceptance'>> {
  const { request, epoch } = contract.payload
  return await by.speaker.sign(
    'acceptance',
    {
      contract: contract.id,
      request,
      epoch,
      organisation: by.organisation,
      startBy: 20_000,
      statusNumber: 0,
      resultTerms: null,
      shares: [],
      log: LOG,
      ...overrides
    },
    HOUR
  )
}

export async function anOutcome(
  by: Party,
  overrides: Pick<Body<'outcome'>, 'request' | 'result'> & Partial<Body<'outcome'>>
): Promise<WireMessage> {
  const outcome = await by.speaker.sign(
    'outcome',
    {
      contract: null,
      organisation: by.organisation,
      code: null,
      hop: null,
      step: null,
      position: null,
      receipts: [],
      log: LOG,
      ...overrides
    },
    HOUR
  )
  return { kind: 'outcome', outcome: outcome.bytes }
}

/** What a step cost. */
export function aReceipt(
  contract: Signed<'contract'>,
  by: Party,
  overrides: Partial<Body<'receipt'>> = {}
): Omit<Body<'receipt'>, 'log' | 'decisions'> {
  return {
    contract: contract.id,
    request: contract.payload.request,
    organisation: by.organisation,
    step: contract.payload.chain.find((step) => step.at === by.peer)?.step ?? contract.payload.chain.length,
    service: contract.payload.chain.find((step) => step.at === by.peer)?.service ?? 'convert',
    round: 0,
    inputs: [],
    outputs: [],
    rows: 1,
    bytes: 1,
    cpuMicroseconds: 1,
    microjoules: 1,
    energy: 'estimated',
    cache: 'none',
    milliseconds: 1,
    wiped: null,
    ...overrides
  }
}

export async function aSignedReceipt(
  contract: Signed<'contract'>,
  by: Party,
  overrides: Partial<Body<'receipt'>> = {}
): Promise<WireMessage> {
  const body = { ...aReceipt(contract, by, overrides), decisions: [], log: LOG }
  return { kind: 'receipt', receipt: (await by.speaker.sign('receipt', body, HOUR)).bytes }
}
