import {
  MAX_APPROVAL_MS,
  type Payload,
  type Refusal,
  type Row,
  type Signed
} from '../../protocol/documents/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { Submission } from '../config/index.ts'
import { suggestionFor } from '../config/index.ts'
import type { Members } from '../membership/index.ts'
import { Dossier, type Speaker } from '../negotiation/index.ts'

const MAX_ARCHETYPES = 8
const MAX_COMPUTE_PROVIDERS = 8
const NONCE_BYTES = 16
const MOST_NAMES = 256

/** What discovery tells: verified capabilities, each of an agent that was reached just now. */
export interface Finder {
  findDataset(id: string, options?: { signal?: AbortSignal }): Promise<Signed<'capability'>[]>
  findComputeProviders(options?: { signal?: AbortSignal }): Promise<Signed<'capability'>[]>
  describe(peer: string, options?: { signal?: AbortSignal }): Promise<Signed<'capability'>>
  /** Names of datasets that were seen, for did-you-mean. */
  knownDatasets(): string[]
}

export interface PrepareComponents {
  finder: Finder
  members: Members
  agreements: Agreements
  speaker: Speaker
  archetypes: readonly string[]
  /** Archetypes under which each data provider computes itself: they need no compute provider. */
  atData: ReadonlySet<string>
  algorithms: readonly string[]
  random(bytes: number): Uint8Array
}

export interface Prepared {
  dossier: Dossier
  /** Peers to ask. */
  candidates: string[]
  recipient: { peer: string; organisation: string }
  capabilities: Map<string, Payload<'capability'>>
  /** Data providers that the asker named and nobody found. */
  unknown: { organisation: string; refusal: Refusal }[]
}

/** The request cannot even be asked; the same form as a hop's refusal. */
export interface NotAskable {
  refusals: { hop: string; question: 'discover'; refusal: Refusal }[]
}

function no(code: Refusal['code'], reason: string, acceptable: Refusal['acceptable'] = null): Refusal {
  return { code, clause: null, reason, acceptable, position: null }
}

/** Finds who could take part and signs the request that they will be asked. */
export async function prepareRequest(
  submission: Submission,
  user: string,
  components: PrepareComponents,
  options?: { signal?: AbortSignal }
): Promise<Prepared | NotAskable> {
  const { members, speaker, agreements, random } = components
  const own = speaker.organisation
  const stop = (refusal: Refusal, hop = own): NotAskable => ({
    refusals: [{ hop, question: 'discover', refusal }]
  })

  const [dataset, ...others] = submission.datasets
  if (dataset === undefined || others.length > 0) {
    return stop(no('request-type-not-supported', 'expected one dataset in a request'))
  }
  const unknownArchetype = submission.archetypes.find((name) => !components.archetypes.includes(name))
  if (unknownArchetype !== undefined) {
    return stop(unknownName('archetype-unknown', 'archetype', unknownArchetype, components.archetypes))
  }
  if (!components.algorithms.includes(submission.algorithm.name)) {
    return stop(
      unknownName('algorithm-unknown', 'algorithm', submission.algorithm.name, components.algorithms)
    )
  }
  const recipients = submission.recipients ?? [own]
  const [recipientName = own, ...moreRecipients] = recipients
  if (moreRecipients.length > 0)
    return stop(no('request-type-not-supported', 'expected one recipient in a request'))
  if (!members.speaksFor(own, user)) {
    return stop(no('consumer-not-permitted', `the membership of ${own} does not speak for ${user}`))
  }

  const [holders, hosts] = await Promise.all([
    findHolders(dataset, submission, components, options),
    components.finder.findComputeProviders(options)
  ])
  const wanted = submission.providers
  const found = onePerOrganisation(holders).filter(
    (one) => wanted === undefined || wanted.includes(one.payload.organisation)
  )
  const holding = [...new Set(holders.map((one) => one.payload.organisation))].sort()
  const unknown = (wanted ?? [])
    .filter((name) => !found.some((one) => one.payload.organisation === name))
    .map((organisation) => ({
      organisation,
      refusal: no(
        'provider-missing',
        members.byOrganisation(organisation) === undefined
          ? `no member ${organisation} is known here${didYouMean(organisation, holding.length > 0 ? holding : memberNames(members))}`
          : `no agent of ${organisation} that holds ${dataset} could be reached`,
        holding.length === 0 ? null : { providers: holding.slice(0, MOST_NAMES) }
      )
    }))
  if (found.length === 0 || (submission.require === 'all' && unknown.length > 0)) {
    if (unknown.length > 0)
      return {
        refusals: unknown.map(({ organisation, refusal }) => ({
          hop: organisation,
          question: 'discover',
          refusal
        }))
      }
    return stop(unknownName('dataset-unknown', 'dataset', dataset, components.finder.knownDatasets()))
  }
  const recipient = agentOf(recipientName, components)
  if (recipient === undefined)
    return stop(
      no(
        'recipient-not-permitted',
        `no agent of the recipient ${recipientName} is known here${didYouMean(recipientName, memberNames(members))}`
      )
    )

  const archetypesWanted = submission.archetypes.length > 0 ? submission.archetypes : components.archetypes
  const archetypes = [...new Set(archetypesWanted)].slice(0, MAX_ARCHETYPES)
  const compute = hosts
    .filter((one) => !found.some((holder) => holder.payload.issuer === one.payload.issuer))
    .slice(0, MAX_COMPUTE_PROVIDERS)
  const rows = rowsOf(
    archetypes,
    compute.map((one) => one.payload.issuer),
    components
  )
  const { section, digest } = await speaker.section({
    sql: submission.query,
    parameters: submission.algorithm.parameters
  })
  const providers = found.map((one) => one.payload.issuer).sort()
  const request = await speaker.sign(
    'request',
    {
      nonce: random(NONCE_BYTES),
      organisation: own,
      user: { organisation: own, name: user },
      purpose: submission.purpose,
      datasets: submission.datasets,
      providers,
      rows,
      algorithm: submission.algorithm.name,
      options: { ...submission.options, aggregate: submission.options.aggregate ?? providers.length > 1 },
      recipients,
      agreements: submission.agreements,
      deadline: submission.deadline,
      query: digest
    },
    submission.deadline + approvalsWithin(submission.datasets, components)
  )
  const dossier = new Dossier(request, speaker.peer)
  await dossier.holdQuery(section)
  dossier.readers = readersOf(request.payload, members, agreements)
  return {
    dossier,
    candidates: [
      ...new Set([
        ...providers,
        ...compute.map((one) => one.payload.issuer),
        ...(recipient === speaker.peer ? [] : [recipient])
      ])
    ],
    recipient: { peer: recipient, organisation: recipientName },
    capabilities: new Map([...found, ...compute].map((one) => [one.payload.issuer, one.payload])),
    unknown
  }
}

/** How long people at providers may take to approve a request: it lasts so much longer. */
function approvalsWithin(
  datasets: readonly string[],
  { agreements, speaker }: Pick<PrepareComponents, 'agreements' | 'speaker'>
): number {
  const within = datasets
    .flatMap((dataset) => agreements.inForce({ dataset, consumer: speaker.organisation }))
    .map(({ payload }) => payload.terms.approval?.within ?? 0)
  return Math.min(Math.max(0, ...within), MAX_APPROVAL_MS)
}

/** The agent that takes a result for an organisation; undefined when none is known. */
export function agentOf(
  organisation: string,
  { members, speaker }: Pick<PrepareComponents, 'members' | 'speaker'>
): string | undefined {
  return organisation === speaker.organisation
    ? speaker.peer
    : members.byOrganisation(organisation)?.agents[0]
}

/** Several agents of one organisation hold the same data: each row counts once. The lowest peer id stands for all. */
function onePerOrganisation(holders: readonly Signed<'capability'>[]): Signed<'capability'>[] {
  const chosen = new Map<string, Signed<'capability'>>()
  for (const holder of holders) {
    const { organisation, issuer } = holder.payload
    const other = chosen.get(organisation)
    if (other === undefined || issuer < other.payload.issuer) chosen.set(organisation, holder)
  }
  return [...chosen.values()]
}

/** Agents that hold the dataset: those the network finds, and the parties of agreements about it that never announce it. */
async function findHolders(
  dataset: string,
  submission: Submission,
  { finder, members, agreements, speaker }: PrepareComponents,
  options?: { signal?: AbortSignal }
): Promise<Signed<'capability'>[]> {
  const found = await finder.findDataset(dataset, options)
  const known = new Set(found.map((one) => one.payload.issuer))
  const quiet = agreements
    .inForce({ dataset, consumer: speaker.organisation })
    .map((agreement) => agreement.payload.provider)
    .filter((provider) => submission.providers === undefined || submission.providers.includes(provider))
    .flatMap((provider) => members.byOrganisation(provider)?.agents ?? [])
    .filter((peer) => !known.has(peer))
  const asked = await Promise.allSettled(
    [...new Set(quiet)].map(async (peer) => await finder.describe(peer, options))
  )
  const hidden = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  return [
    ...found,
    ...hidden.filter((one) => one.payload.datasets.some((described) => described.id === dataset))
  ]
}

function rowsOf(
  archetypes: readonly string[],
  compute: readonly string[],
  { atData }: PrepareComponents
): Row[] {
  return archetypes.flatMap((archetype): Row[] =>
    atData.has(archetype)
      ? [{ archetype, infrastructure: null }]
      : compute.map((infrastructure) => ({ archetype, infrastructure }))
  )
}

/** Data holders with which this organisation has an agreement in force: the only ones that get the query part. */
export function readersOf(
  request: Payload<'request'>,
  members: Members,
  agreements: Agreements
): Set<string> {
  return new Set(
    request.providers.filter((peer) => {
      const provider = members.organisationOf(peer)
      return (
        provider !== undefined &&
        request.datasets.some(
          (dataset) => agreements.inForce({ provider, dataset, consumer: request.organisation }).length > 0
        )
      )
    })
  )
}

function memberNames(members: Members): string[] {
  return members.all().map(({ organisation }) => organisation)
}

function didYouMean(name: string, known: readonly string[]): string {
  const near = suggestionFor(name, known)
  return near === undefined ? '' : `; did you mean ${near}?`
}

function unknownName(code: Refusal['code'], what: string, name: string, known: readonly string[]): Refusal {
  const acceptable = known.length === 0 ? null : { [`${what}s`]: known.slice(0, MOST_NAMES) }
  return no(code, `no ${what} ${name} was found${didYouMean(name, known)}`, acceptable)
}
