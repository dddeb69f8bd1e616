import type { Payload, Signed } from '../../protocol/documents/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { Submission } from '../config/index.ts'
import type { Members } from '../membership/index.ts'

/** What discovery tells: verified capabilities, each of an agent that was reached just now. */
export interface Finder {
  findDataset(id: string, options?: { signal?: AbortSignal }): Promise<Signed<'capability'>[]>
  findComputeProviders(options?: { signal?: AbortSignal }): Promise<Signed<'capability'>[]>
  describe(peer: string, options?: { signal?: AbortSignal }): Promise<Signed<'capability'>>
  /** Names of datasets that were seen, for did-you-mean. */
  knownDatasets(): Promise<string[]>
}

interface HoldersComponents {
  finder: Finder
  members: Pick<Members, 'byOrganisation'>
  agreements: Pick<Agreements, 'inForce'>
  speaker: { organisation: string }
}

export interface Holders {
  /** One agent of each organisation that holds every dataset. */
  whole: Signed<'capability'>[]
  /** Organisations that hold some of them, with those that they have not. */
  lacking: Map<string, string[]>
  /** Organisations that hold data out to the asker by an agreement, and none of whose agents answered. */
  unreached: string[]
  /** Datasets that nobody holds, nor anybody who could not be reached. */
  nowhere: string[]
}

/**
 * Who holds the datasets of a request: those that the network finds, and the parties of agreements about them that never
 * announce it. The query reads all of them at one provider, so only who holds all can take part.
 */
export async function findHolders(
  { datasets, providers }: Pick<Submission, 'datasets' | 'providers'>,
  { finder, members, agreements, speaker }: HoldersComponents,
  options?: { signal?: AbortSignal }
): Promise<Holders> {
  const held = new Map<string, { capability: Signed<'capability'>; ids: Set<string> }>()
  const note = (capability: Signed<'capability'>, found: readonly string[]): void => {
    const { issuer, datasets: described } = capability.payload
    const ids = held.get(issuer)?.ids ?? new Set(described.map((one) => one.id))
    for (const id of found) ids.add(id)
    held.set(issuer, { capability, ids })
  }
  await Promise.all(
    datasets.map(async (dataset) => {
      for (const capability of await finder.findDataset(dataset, options)) note(capability, [dataset])
    })
  )
  const partnersIn = (dataset: string) =>
    agreements
      .inForce({ dataset, consumer: speaker.organisation })
      .map((agreement) => agreement.payload.provider)
      .filter((provider) => providers === undefined || providers.includes(provider))
  const partners = datasets.flatMap(partnersIn)
  const quiet = partners
    .flatMap((provider) => members.byOrganisation(provider)?.agents ?? [])
    .filter((peer) => !held.has(peer))
  const asked = await Promise.allSettled(
    [...new Set(quiet)].map(async (peer) => await finder.describe(peer, options))
  )
  for (const one of asked) if (one.status === 'fulfilled') note(one.value, [])
  // Whoever signed an agreement answers for itself why there is nothing to be had, also where it shows the dataset no longer.
  for (const dataset of datasets)
    for (const provider of partnersIn(dataset)) {
      const agents = [...held.values()].filter(
        ({ capability }) => capability.payload.organisation === provider
      )
      if (agents.some(({ ids }) => ids.has(dataset))) continue
      for (const { capability } of agents) note(capability, [dataset])
    }

  const holders = [...held.values()].map(({ capability, ids }) => ({
    capability,
    lacks: datasets.filter((dataset) => !ids.has(dataset))
  }))
  const whole = onePerOrganisation(
    holders.filter(({ lacks }) => lacks.length === 0).map(({ capability }) => capability)
  )
  const lacking = new Map<string, string[]>()
  for (const { capability, lacks } of holders) {
    const { organisation } = capability.payload
    if (lacks.length === datasets.length) continue
    if (whole.some((one) => one.payload.organisation === organisation)) continue
    const fewest = lacking.get(organisation)
    if (fewest === undefined || lacks.length < fewest.length) lacking.set(organisation, lacks)
  }
  const unreached = [...new Set(partners)].filter((provider) =>
    holders.every(({ capability }) => capability.payload.organisation !== provider)
  )
  const nowhere = datasets.filter(
    (dataset) =>
      holders.every(({ lacks }) => lacks.includes(dataset)) &&
      !partnersIn(dataset).some((provider) => unreached.includes(provider))
  )
  return { whole, lacking, unreached, nowhere }
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

/**
 * Data holders with which this organisation has an agreement in force about every dataset: the only ones that get the query
 * part.
 */
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
        request.datasets.every(
          (dataset) => agreements.inForce({ provider, dataset, consumer: request.organisation }).length > 0
        )
      )
    })
  )
}
