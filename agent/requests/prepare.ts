import { MAX_APPROVAL_MS, type Payload, type Refusal, type Row } from '../../protocol/documents/index.ts'
import { nearest } from '../../protocol/errors/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { Submission } from '../config/index.ts'
import { type Members, ownStanding } from '../membership/index.ts'
import { Dossier, type Speaker } from '../negotiation/index.ts'
import { type Finder, findHolders, readersOf } from './holders.ts'
import { verifierOf } from './verifier.ts'

const MAX_ARCHETYPES = 8
const MAX_COMPUTE_PROVIDERS = 8
const NONCE_BYTES = 16
const MOST_NAMES = 256

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
  /** Data providers that cannot be asked: the asker named them and nobody found them, or they lack a dataset. */
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
  const unfit = ownStanding(members)
  if (unfit !== null) return stop(no(unfit.code, unfit.reason))
  if (!members.speaksFor(own, user)) {
    return stop(no('consumer-not-permitted', `the membership of ${own} does not speak for ${user}`))
  }

  const [holders, hosts] = await Promise.all([
    findHolders(submission, components, options),
    components.finder.findComputeProviders(options)
  ])
  const wanted = submission.providers
  const found = holders.whole.filter(
    (one) => wanted === undefined || wanted.includes(one.payload.organisation)
  )
  const holding = [...new Set(holders.whole.map((one) => one.payload.organisation))].sort()
  const unknown = (wanted ?? [...holders.lacking.keys(), ...holders.unreached])
    .filter((name) => !found.some((one) => one.payload.organisation === name))
    .map((organisation) => {
      const lacks = holders.lacking.get(organisation)
      if (lacks !== undefined) return { organisation, refusal: notWhole(organisation, lacks) }
      const reason =
        members.byOrganisation(organisation) === undefined
          ? `no member ${organisation} is known here${didYouMean(organisation, holding.length > 0 ? holding : memberNames(members))}`
          : `no agent of ${organisation} that holds ${submission.datasets.join(', ')} could be reached`
      const acceptable = holding.length === 0 ? null : { providers: holding.slice(0, MOST_NAMES) }
      return { organisation, refusal: no('provider-missing', reason, acceptable) }
    })
  const [nowhere] = holders.nowhere
  if (wanted === undefined && nowhere !== undefined)
    return stop(unknownName('dataset-unknown', 'dataset', nowhere, await components.finder.knownDatasets()))
  const needed = neededOf(submission.require, wanted?.length ?? found.length)
  if (found.length < needed) {
    if (unknown.length === 0)
      return stop(
        no(
          'provider-missing',
          `${needed} data providers are required, and ${found.length} that hold ${submission.datasets.join(', ')} could be reached`
        )
      )
    return {
      refusals: unknown.map(({ organisation, refusal }) => ({
        hop: organisation,
        question: 'discover',
        refusal
      }))
    }
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
  if (rows.length === 0)
    return stop(no('no-candidate', `no compute provider was found, which ${archetypes.join(', ')} needs`))
  const { section, digest } = await speaker.section({
    sql: submission.query,
    parameters: submission.algorithm.parameters
  })
  const providers = found.map((one) => one.payload.issuer).sort()
  const verifier = verifierOf(submission, rows, hosts, members)
  if (verifier !== null && 'code' in verifier) return stop(verifier)
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
      ...(verifier === null ? {} : { verify: verifier.payload.issuer }),
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
        ...rows.flatMap((row) => row.infrastructure ?? []),
        ...(verifier === null ? [] : [verifier.payload.issuer]),
        ...(recipient === speaker.peer ? [] : [recipient])
      ])
    ],
    recipient: { peer: recipient, organisation: recipientName },
    capabilities: new Map(
      [...found, ...compute, ...(verifier === null ? [] : [verifier])].map((one) => [
        one.payload.issuer,
        one.payload
      ])
    ),
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

/** How many data providers there must be at least. */
function neededOf(require: Submission['require'], asked: number): number {
  if (require === 'all') return Math.max(1, asked)
  return require === 'available' ? 1 : require
}

/** Why an organisation that holds data does not take part. */
function notWhole(organisation: string, lacks: readonly string[]): Refusal {
  return no(
    'dataset-unknown',
    `${organisation} has no dataset ${lacks.join(', ')}; only who has every dataset of a request takes part`
  )
}

function memberNames(members: Members): string[] {
  return members.all().map(({ organisation }) => organisation)
}

function didYouMean(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return near === undefined ? '' : `; did you mean ${near}?`
}

function unknownName(code: Refusal['code'], what: string, name: string, known: readonly string[]): Refusal {
  const acceptable = known.length === 0 ? null : { [`${what}s`]: known.slice(0, MOST_NAMES) }
  return no(code, `no ${what} ${name} was found${didYouMean(name, known)}`, acceptable)
}
