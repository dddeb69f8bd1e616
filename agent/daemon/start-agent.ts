import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { type Logger as Pino, pino } from 'pino'
import type { z } from 'zod'
import { createCedarEngine, type RuleFile } from '../../policy/index.ts'
import type { ArchetypeBody } from '../../protocol/documents/index.ts'
import { codeOf, DynamosError, toError } from '../../protocol/errors/index.ts'
import {
  AGREEMENT_PROTOCOL,
  agreementProposal,
  agreementReply,
  MESSAGE_LIMITS,
  protocolOf,
  type WireKind,
  type WireMessage,
  wireMessage,
  wireReply
} from '../../protocol/messages/index.ts'
import { FLOW_PROTOCOL } from '../../protocol/transfer/index.ts'
import { type ArchetypeManifest, loadArchetypes, loadManifests } from '../../services/index.ts'
import { Agreements } from '../agreements/index.ts'
import { createApi, listen } from '../api/index.ts'
import { computesAtData } from '../composition/index.ts'
import { type AgentConfig, loadDatasetFile, openTokens } from '../config/index.ts'
import { Datasets } from '../datasets/index.ts'
import { createRequestGuard, Decisions } from '../decisions/index.ts'
import { Discovery } from '../discovery/index.ts'
import { FlowStreams, Shares } from '../exchange/index.ts'
import { loadKey, lockDirectory } from '../identity/index.ts'
import { createLauncher } from '../jobs/index.ts'
import { Members, openPackage } from '../membership/index.ts'
import { createSpeaker, Exchanges } from '../negotiation/index.ts'
import { createNetwork, systemClock } from '../network/index.ts'
import { Requests, ResultFiles } from '../requests/index.ts'
import { openStore, type Store } from '../store/index.ts'
import { CapabilityPublisher } from './capability.ts'
import { findInstallation } from './installation.ts'
import { createOperations } from './operations.ts'

/** An agent that runs in this process. */
export interface RunningAgent {
  peerId: string
  /** URL of its API. */
  api: string
  /** Finishes or hands back what runs; after `deadlineMs` it drops what is left. */
  stop(deadlineMs: number): Promise<void>
}

const SECOND = 1000
const WIRE_KINDS: readonly WireKind[] = [
  'ask',
  'offer',
  'propose',
  'acceptance',
  'decline',
  'abort',
  'start',
  'started',
  'rejected',
  'failure',
  'cancel',
  'outcome',
  'receipt'
]
const HOP_LIMITS = { startBy: 20 * SECOND, deadline: 3600 * SECOND, grace: 2 * SECOND, idle: 120 * SECOND }
const COORDINATOR_LIMITS = {
  offerWithin: 8 * SECOND,
  composeWithin: 10 * SECOND,
  acceptWithin: 8 * SECOND,
  retryEvery: 2 * SECOND,
  closeWithin: 10 * SECOND
}
const OFFER_LIFETIME_MS = 120 * SECOND
const MAX_OPEN_PER_PEER = 64
const REDIAL_MS = 2 * SECOND
const PRUNE_EVERY_MS = 60 * SECOND

function silentStarts(config: AgentConfig): Pino {
  return pino(
    { level: config.log, base: { organisation: config.organisation } },
    pino.destination({ dest: 2, sync: false })
  )
}

async function ruleFiles(folder: string): Promise<RuleFile[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  const files = names.filter((name) => name.endsWith('.cedar')).sort()
  return await Promise.all(
    files.map(async (name) => ({ file: name, text: await readFile(join(folder, name), 'utf8') }))
  )
}

function bodyOf({ archetype, roles, where, steps, output }: ArchetypeManifest): ArchetypeBody | undefined {
  if (output.to === 'algorithm') return undefined
  return {
    name: archetype,
    roles,
    where,
    steps: steps.map(({ service, at, forEach, when }) => ({
      service,
      at,
      ...(forEach === 'data' ? { forEach } : {}),
      ...(when === undefined ? {} : { when })
    })),
    output: { to: output.to }
  }
}

async function stewardKey(config: AgentConfig): Promise<PrivateKey | null> {
  return config.autoApprove === 'all' ? await loadKey(config.identity.steward) : null
}

/**
 * Starts the agent of an organisation: state, identity and membership, policy, jobs, network, then the interface for its own
 * people. What fails before the last step leaves nothing running.
 *
 * @throws {DirectoryInUse}, {KeyFileMissing}, {MembershipFileInvalid}, {CannotListen}, {JobFailed} `sandbox-unavailable`, …
 */
export async function startAgent(config: AgentConfig): Promise<RunningAgent> {
  const undo: (() => Promise<void>)[] = []
  try {
    return await start(config, undo)
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined)
    throw error
  }
}

async function start(config: AgentConfig, undo: (() => Promise<void>)[]): Promise<RunningAgent> {
  const log = silentStarts(config)
  for (const warning of config.warnings) log.warn({ file: config.file }, warning)
  const installation = findInstallation()
  const clock = systemClock
  await mkdir(config.data, { recursive: true, mode: 0o700 })
  const lock = await lockDirectory(config.data)
  undo.push(async () => await lock.release())

  const key = await loadKey(config.identity.key, passphraseFromEnvironment())
  const self = peerIdFromPrivateKey(key).toString()
  const datasetFiles = await Promise.all(config.datasets.map(async (file) => await loadDatasetFile(file)))
  const [store, membershipPackage, manifests, ownArchetypes, rules, steward, tokens] = await Promise.all([
    openStore(join(config.data, 'state.sqlite')),
    readFile(config.marketplace, 'utf8').then(openPackage),
    loadManifests(installation.services),
    loadArchetypes(config.archetypes),
    ruleFiles(config.policy),
    stewardKey(config),
    openTokens(config)
  ])
  undo.push(async () => await store.close())
  const archetypes = new Map(
    [...manifests.archetypes.values(), ...ownArchetypes.values()].flatMap((manifest) => {
      const body = bodyOf(manifest)
      return body === undefined ? [] : [[body.name, body] as const]
    })
  )
  const sandbox = config.sandbox === 'required' ? 'bubblewrap' : 'none'
  const registered = datasetFiles.flatMap((dataset) => dataset.tables.map((table) => table.path))
  const [launcher, engine, members] = await Promise.all([
    createLauncher({
      folder: join(config.data, 'jobs'),
      runner: installation.runner,
      nodeModules: installation.nodeModules,
      sandbox,
      warm: 1,
      logger: log,
      sources: () => registered
    }),
    createCedarEngine(rules),
    Members.open(
      { package: membershipPackage, self },
      { store: membershipStore(store), now: () => clock.now() }
    )
  ])
  undo.push(async () => await launcher.stop())
  for (const warning of engine.warnings) log.warn(warning, 'a rule of the policy folder looks odd')

  const { organisation } = members.own
  const speaker = createSpeaker({ key, peer: self, organisation, marketplace: members.marketplace, clock })
  const limits = {
    memory: config.hosting.perJob.memory,
    threads: config.resources.cores,
    seconds: config.hosting.perJob.seconds,
    disk: config.hosting.perJob.disk
  }
  const datasets = new Datasets({ datasets: datasetFiles, limits }, { store, launcher, clock })
  const problems = (await datasets.open()).map(({ id, error }) => {
    log.error({ dataset: id, code: codeOf(error), err: toError(error) }, 'a dataset could not be opened')
    return `dataset ${id}: ${toError(error).message}`
  })

  const network = createNetwork(
    {
      key,
      listen: config.listen,
      announce: config.announce,
      bootstrap: config.bootstrap,
      directory: config.data
    },
    { members, clock, log }
  )
  const agreements = new Agreements({
    store,
    members,
    manifests,
    datasets,
    clock,
    log,
    key,
    self,
    steward,
    show: async (party, agreement, options) => {
      const agents = members.byOrganisation(party)?.agents ?? []
      let last: unknown = new DynamosError('provider-missing', `no agent of ${party} is known here`)
      for (const peer of agents) {
        try {
          return await network.ask(
            peer,
            AGREEMENT_PROTOCOL,
            { agreement: agreement.bytes },
            agreementReply,
            options
          )
        } catch (error) {
          last = error
        }
      }
      throw last
    }
  })
  await agreements.open()

  const decisions = new Decisions(
    {
      roles: config.roles,
      hosting: config.hosting,
      resources: config.resources,
      slots: Math.max(2, config.resources.cores * 2),
      consents: config.autoApprove === 'all',
      offerLifetime: OFFER_LIFETIME_MS
    },
    {
      self: { peer: self, organisation, key },
      engine,
      agreements,
      datasets,
      launcher,
      manifests,
      archetypes,
      members,
      store,
      speaker,
      clock,
      random: randomBytes,
      log
    }
  )
  const publisher = new CapabilityPublisher({
    config,
    version: installation.version,
    sandbox,
    datasets,
    agreements,
    manifests,
    archetypes: [...archetypes.keys()],
    speaker,
    store,
    clock,
    load: () => decisions.load
  })
  const discovery = new Discovery({
    network,
    members,
    clock,
    log,
    capability: async (audience) => await publisher.for(audience),
    visibleTo: (dataset, audience) => publisher.visibleTo(dataset, audience)
  })

  const results = new ResultFiles(join(config.data, 'results'), (request, stored) =>
    requests.arrived(request, stored)
  )
  const requests: Requests = new Requests({
    store,
    manifests,
    archetypeBodies: archetypes,
    atData: new Set([...archetypes.values()].filter(computesAtData).map((body) => body.name)),
    clock,
    log,
    results,
    sandbox,
    users: config.users,
    finder: {
      findDataset: async (id, options) =>
        (await discovery.findDataset(id, options)).map((one) => one.capability),
      findComputeProviders: async (options) =>
        (await discovery.findComputeProviders(options)).map((one) => one.capability),
      describe: async (peer, options) => await discovery.describe(peer, options),
      knownDatasets: () => knownDatasets
    },
    members,
    agreements,
    speaker,
    random: randomBytes
  })
  let knownDatasets: string[] = []
  const rememberDatasets = async (): Promise<void> => {
    const known = await discovery.capabilities()
    knownDatasets = [
      ...new Set(known.flatMap((one) => one.capability.payload.datasets.map((dataset) => dataset.id)))
    ].sort()
  }

  const post = async (to: string, message: WireMessage): Promise<WireMessage[]> => {
    const { timeoutMs } = MESSAGE_LIMITS[message.kind]
    const { messages } = await network.ask(to, protocolOf(message.kind), message, wireReply, { timeoutMs })
    return messages
  }
  const flows = new FlowStreams({
    self,
    clock,
    log,
    decisions,
    inbox: join(config.data, 'inbox'),
    maxBytes: limits.disk,
    openStream: async (peer, protocol, { signal }) => await network.openStream(peer, protocol, { signal }),
    dossierOf: (contract) => exchanges.byContract(contract)?.dossier,
    deliverStart: async (dossier, contract, to) => {
      const held = dossier.contract(contract)
      await post(to, {
        kind: 'start',
        contract: held.contract.bytes,
        acceptances: [...held.acceptances.values()].map((one) => one.bytes)
      })
    },
    progress: (request, flow) => requests.progress(request, 'transfer', `flow ${flow.flow}`, flow)
  })
  const shares = new Shares({
    self: { peer: self, organisation, key },
    launcher,
    datasets,
    agreements,
    flows,
    decisions,
    results,
    resources: config.resources,
    limits,
    outbox: join(config.data, 'outbox'),
    clock,
    log,
    progress: (request, phase, message) => requests.progress(request, phase, message)
  })
  const exchanges: Exchanges = new Exchanges(
    { hop: HOP_LIMITS, coordinator: COORDINATOR_LIMITS, maxOpenPerPeer: MAX_OPEN_PER_PEER },
    {
      self,
      clock,
      log,
      store,
      speaker,
      decisions,
      shares,
      coordination: requests,
      post,
      organisationOf: (peer) => (peer === self ? organisation : members.organisationOf(peer))
    },
    createRequestGuard({ members, store, clock })
  )
  requests.connect(exchanges)

  network.handle(
    AGREEMENT_PROTOCOL,
    agreementProposal,
    async (message: z.infer<typeof agreementProposal>, { peer }) => {
      const reply = await agreements.shown(message, peer)
      publisher.changed()
      return reply
    }
  )
  for (const kind of WIRE_KINDS) {
    network.handle(
      protocolOf(kind),
      wireMessage,
      async (message: WireMessage, { peer }) => {
        if (message.kind !== kind)
          throw new DynamosError('malformed-document', `expected a message ${kind}, found ${message.kind}`)
        return { messages: await exchanges.receive(peer, message) }
      },
      MESSAGE_LIMITS[kind]
    )
  }
  network.handleStream(
    FLOW_PROTOCOL,
    async (stream, { peer, signal }) => await flows.serve(stream, peer, signal)
  )
  network.on('peer:gone', ({ peer }) => {
    for (const exchange of exchanges.withParty(peer)) {
      void network.dial(peer, [], { timeoutMs: REDIAL_MS }).catch(() => {
        exchange.dispatch({ machine: 'coordinator', event: { type: 'lost', now: clock.now(), peer } })
      })
    }
  })

  await network.start()
  undo.push(async () => await network.stop())
  await discovery.start()
  undo.push(async () => await discovery.stop())
  await exchanges.restart()

  const operations = createOperations({
    requests,
    results,
    discovery,
    members,
    agreements,
    clock,
    health: () => ({
      status: problems.length === 0 ? 'ok' : 'degraded',
      organisation,
      peerId: self,
      version: installation.version,
      sandbox,
      problems
    })
  })
  const api = createApi({ operations, tokens, logger: log, listensOn: config.api.host })
  const url = await listen(api, config.api)
  undo.push(async () => await api.close())

  const prune = setInterval(() => {
    exchanges.prune()
    void rememberDatasets().catch(() => undefined)
  }, PRUNE_EVERY_MS)
  prune.unref()
  network.on('peer:ready', () => void rememberDatasets().catch(() => undefined))
  void launcher
    .prepare()
    .catch((error: unknown) => log.warn({ err: toError(error) }, 'no sandbox could be made ready ahead'))
  log.info({ peer: self, api: url, addresses: network.addresses }, 'the agent is ready')

  return {
    peerId: self,
    api: url,
    stop: async (deadlineMs) => {
      clearInterval(prune)
      const deadline = clock.now() + deadlineMs
      await api.close()
      await exchanges.drain(deadline)
      await discovery.stop()
      await network.stop()
      await launcher.stop()
      await store.close()
      await lock.release()
    }
  }
}

function passphraseFromEnvironment(): { passphrase?: string } {
  const passphrase = process.env.DYNAMOS_PASSPHRASE
  return passphrase === undefined ? {} : { passphrase }
}

function membershipStore(store: Store) {
  const kinds = ['membership', 'status'] as const
  return {
    load: async () =>
      (await Promise.all(kinds.map(async (kind) => await store.memberships.all(kind))))
        .flat()
        .map((one) => one.bytes),
    save: async (kind: (typeof kinds)[number], id: string, bytes: Uint8Array) =>
      await store.memberships.save(kind, id, bytes)
  }
}
