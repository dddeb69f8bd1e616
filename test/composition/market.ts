import { fileURLToPath } from 'node:url'
import type { PrivateKey } from '@libp2p/interface'
import type { Answer, CompositionInput, Preferences } from '../../agent/composition/index.ts'
import { type Body, createSpeaker, Dossier, type Speaker } from '../../agent/negotiation/index.ts'
import type {
  ArchetypeBody,
  OfferDetails,
  Refusal,
  RefusalCode,
  Resources,
  ResultTerms,
  RowAnswer,
  SaltedSection,
  Signed
} from '../../protocol/documents/index.ts'
import { loadManifests } from '../../services/index.ts'
import { keyOf, peerOf } from '../membership/builders.ts'

export const NOW = Date.UTC(2026, 5, 1, 12)
const MARKETPLACE = 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi'
export const manifests = await loadManifests(fileURLToPath(new URL('../../services', import.meta.url)))

function bodyOf(name: string): ArchetypeBody {
  const found = manifests.archetypes.get(name)
  if (found === undefined || found.output.to === 'algorithm') throw new Error(`no archetype ${name}`)
  return {
    name,
    roles: found.roles,
    where: found.where,
    steps: found.steps.map(({ service, at, forEach, when }) => ({
      service,
      at,
      ...(forEach === 'data' ? { forEach } : {}),
      ...(when === undefined ? {} : { when })
    })),
    output: { to: found.output.to }
  }
}

export const computeToData = bodyOf('computeToData')
export const dataThroughTtp = bodyOf('dataThroughTtp')
export const archetypes = new Map([computeToData, dataThroughTtp].map((one) => [one.name, one]))

export interface Agent {
  organisation: string
  peer: string
  key: PrivateKey
  speaker: Speaker
}

/** The same agent for the same name; `now` is what its documents are dated. */
export async function anAgent(organisation: string, now = NOW, name = organisation): Promise<Agent> {
  const key = await keyOf(name)
  const peer = peerOf(key)
  const clock = { now: () => now }
  return {
    organisation,
    peer,
    key,
    speaker: createSpeaker({ key, peer, organisation, marketplace: MARKETPLACE, clock })
  }
}

/** Three that hold data, two that compute, one that asks. */
export const VU = await anAgent('VU')
export const RUG = await anAgent('RUG')
export const TUD = await anAgent('TUD')
export const SURF = await anAgent('SURF')
export const SARA = await anAgent('SARA')
export const UVA = await anAgent('UVA')
export const HOLDERS = [VU, RUG, TUD]

/** What the rows of {@link aRequest} are. */
export const ROW = { atData: 0, surf: 1, sara: 2 }
export const SQL = 'SELECT sex, wage FROM person'
export const PARAMETERS = { value: 'wage', by: ['sex'] }

export async function aRequest(
  overrides: Partial<Body<'request'>> = {},
  holders: readonly Agent[] = HOLDERS
): Promise<Dossier> {
  const { section, digest } = await UVA.speaker.section({ sql: SQL, parameters: PARAMETERS })
  const request = await UVA.speaker.sign(
    'request',
    {
      nonce: new Uint8Array(16).fill(3),
      organisation: 'UVA',
      user: { organisation: 'UVA', name: 'analyst' },
      purpose: 'research',
      datasets: ['wageGap'],
      providers: holders.map((one) => one.peer),
      rows: [
        { archetype: 'computeToData', infrastructure: null },
        { archetype: 'dataThroughTtp', infrastructure: SURF.peer },
        { archetype: 'dataThroughTtp', infrastructure: SARA.peer }
      ],
      algorithm: 'average',
      options: { aggregate: true, anonymize: false, graph: false },
      recipients: ['UVA'],
      agreements: {},
      deadline: 60_000,
      query: digest,
      ...overrides
    },
    60_000
  )
  const dossier = new Dossier(request, UVA.peer)
  await dossier.holdQuery(section)
  return dossier
}

export const TERMS: ResultTerms = {
  recipients: ['UVA'],
  purposes: ['research'],
  until: null,
  services: [],
  forbid: [],
  maxRows: 1000,
  onward: 'none'
}

export function aRefusal(code: RefusalCode, clause: string | null = null): Refusal {
  return { code, clause, reason: `for a test: ${code}`, acceptable: null, position: null }
}

export interface RowSpec {
  refuse?: RefusalCode
  clause?: string
  services?: string[]
  terms?: Partial<ResultTerms> | null
}

export interface OfferSpec {
  as?: Body<'offer'>['as']
  /** By row number; what is not named is permitted. */
  rows?: Record<number, RowSpec>
  estimates?: Partial<OfferDetails['estimates']>
  columns?: { name: string; type: string; unit?: string }[]
  notes?: string[]
  sandbox?: 'bubblewrap' | 'none'
}

/** Ids that look like agreements' ids. */
export function agreementIdOf(organisation: string): string {
  return `bafyrei${organisation.toLowerCase().padEnd(52, 'a')}`
}

const COLUMNS = [
  { name: 'sex', type: 'VARCHAR' },
  { name: 'wage', type: 'BIGINT' }
]

export interface Offered {
  answer: Answer
  section: SaltedSection
}

/** One agent's offer, permitting all rows unless told otherwise. */
export async function anOffer(request: Signed<'request'>, by: Agent, spec: OfferSpec = {}): Promise<Offered> {
  const holds = request.payload.providers.includes(by.peer)
  const as: Body<'offer'>['as'] = spec.as ?? (holds ? ['data'] : ['infrastructure'])
  const rows = request.payload.rows.map((_, row): RowAnswer => {
    const { refuse, clause = null, services = [], terms } = spec.rows?.[row] ?? {}
    if (refuse !== undefined) return { row, verdict: 'refuse', refusal: aRefusal(refuse, clause) }
    const own = as.includes('data') && terms !== null ? { ...TERMS, ...terms } : null
    return { row, verdict: 'permit', services, clauses: [], terms: own }
  })
  const permitted = rows.flatMap((row) => (row.verdict === 'permit' ? [row.row] : []))
  const details: OfferDetails = {
    grants:
      as.includes('data') && permitted.length > 0
        ? [
            {
              rows: permitted,
              agreements: request.payload.datasets.map((dataset) => ({
                dataset,
                id: agreementIdOf(by.organisation),
                name: 'wages'
              })),
              columns: spec.columns ?? COLUMNS
            }
          ]
        : [],
    estimates: {
      rows: 1024,
      bytes: 16_384,
      milliseconds: 256,
      millijoules: 1024,
      carbon: 1,
      cost: 1,
      load: 0,
      ...spec.estimates
    },
    notes: spec.notes ?? []
  }
  const { section, digest } = await by.speaker.section(details)
  const offer = await by.speaker.sign(
    'offer',
    {
      request: request.id,
      organisation: by.organisation,
      as,
      rows,
      sandbox: spec.sandbox ?? 'bubblewrap',
      policy: `policy-of-${by.organisation}`,
      details: digest
    },
    60_000
  )
  return { answer: { peer: by.peer, organisation: by.organisation, offer, details }, section }
}

export async function answersOf(
  dossier: Dossier,
  specs: readonly (readonly [Agent, OfferSpec?])[]
): Promise<Answer[]> {
  const answers: Answer[] = []
  for (const [by, spec] of specs) {
    const { answer, section } = await anOffer(dossier.request, by, spec)
    await dossier.holdOffer(answer.offer, section)
    answers.push(answer)
  }
  return answers
}

export const RESOURCES: Resources = {
  cores: 8,
  memory: 16 * 2 ** 30,
  disk: 100 * 2 ** 30,
  milliwatts: { idle: 60_000, full: 180_000 },
  carbon: 268,
  price: { cpuHourMicros: 50_000, currency: 'EUR' }
}

export const EVENLY: Preferences = {
  require: 'available',
  optimise: { energy: 1, carbon: 1, time: 1, cost: 1, load: 1 },
  within: {}
}

export function compositionOf(
  dossier: Dossier,
  answers: readonly Answer[],
  overrides: Partial<CompositionInput> = {}
): CompositionInput {
  return {
    request: dossier.request.payload,
    answers,
    silent: [],
    without: new Map(),
    recipient: { peer: UVA.peer, organisation: 'UVA' },
    archetypes,
    manifests,
    resources: new Map(
      [SURF, SARA].map(({ peer, organisation }) => [peer, { organisation, resources: RESOURCES, load: 0 }])
    ),
    preferences: EVENLY,
    ...overrides
  }
}
