import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { MAX_APPROVAL_MS } from '../../protocol/documents/index.ts'
import { codeOf, toError } from '../../protocol/errors/index.ts'
import { protocolOf } from '../../protocol/messages/index.ts'
import { FLOW_PROTOCOL } from '../../protocol/transfer/index.ts'
import { Agreements } from '../agreements/index.ts'
import { createApi, listen } from '../api/index.ts'
import { Approvals } from '../approvals/index.ts'
import { computesAtData } from '../composition/index.ts'
import { type AgentConfig, takesResultsOf } from '../config/index.ts'
import { Datasets } from '../datasets/index.ts'
import { createRequestGuard, Decisions } from '../decisions/index.ts'
import { Discovery } from '../discovery/index.ts'
import { FlowStreams, GroupHistory, Shares } from '../exchange/index.ts'
import { ownStanding } from '../membership/index.ts'
import { createSpeaker, Exchanges } from '../negotiation/index.ts'
import { createNetwork } from '../network/index.ts'
import { Exports, Requests, ResultFiles, ResultReader, suppressedIn } from '../requests/index.ts'
import { createAuditOperations, guardedBy, logProblems, watchLog } from './audit-desk.ts'
import { CapabilityPublisher } from './capability.ts'
import { openFoundations, type Undo } from './foundations.ts'
import { keepHouse } from './housekeeping.ts'
import { findInstallation, type Installation } from './installation.ts'
import { knownNames } from './known-names.ts'
import { marketplaceOperations } from './marketplace.ts'
import { createOperations } from './operations.ts'
import { openPolicyDesk } from './policy-desk.ts'
import { openReleases, serveReleases } from './releases.ts'
import type { AgentSeams } from './seams.ts'
import { askForOffers, postMessage, serveExchanges, showAgreement, tellOfAgreement } from './serve.ts'
import { followStanding } from './standing-changes.ts'
import { openDisclosure, tellOfChanges } from './tell-of-changes.ts'

/** An agent that runs in this process. */
export interface RunningAgent {
  peerId: string
  /** URL of its API. */
  api: string
  /** Finishes or hands back what runs; after `deadlineMs` it drops what is left. */
  stop(deadlineMs: number): Promise<void>
  /** Its log, for what the process around it has to say. */
  log: { error(fields: object, message: string): void }
}

const SECOND = 1000
const HOP_LIMITS = { startBy: 20 * SECOND, deadline: 3600 * SECOND, grace: 2 * SECOND, idle: 120 * SECOND }
const COORDINATOR_LIMITS = {
  offerWithin: 8 * SECOND,
  composeWithin: 10 * SECOND,
  acceptWithin: 8 * SECOND,
  retryEvery: 2 * SECOND,
  closeWithin: 10 * SECOND,
  approvalWithin: MAX_APPROVAL_MS,
  askAgainEvery: 120 * SECOND
}
const OFFER_LIFETIME_MS = 120 * SECOND
const MAX_OPEN_PER_PEER = 64

/**
 * Starts the agent of an organisation: state, identity and membership, policy, jobs, network, then the interface for its own
 * people. What fails before the last step leaves nothing running.
 *
 * @throws {DirectoryInUse}, {KeyFileMissing}, {MembershipFileInvalid}, {CannotListen}, {JobFailed} `sandbox-unavailable`, …
 */
export async function startAgent(
  config: AgentConfig,
  installation: Installation = findInstallation(),
  seams: AgentSeams = {}
): Promise<RunningAgent> {
  const undo: Undo = []
  try {
    return await start(config, installation, undo, seams)
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined)
    throw error
  }
}

async function start(
  config: AgentConfig,
  installation: Installation,
  undo: Undo,
  seams: AgentSeams
): Promise<RunningAgent> {
  const base = await openFoundations(config, installation, undo, seams.clock)
  const opened = [...undo]
  const {
    log,
    clock,
    self,
    steward,
    store,
    members,
    manifests,
    archetypes,
    launcher: jobs,
    sandbox,
    policies,
    point,
    tokens
  } = base
  const launcher = seams.jobs?.(jobs) ?? jobs
  const speaker = createSpeaker({ ...self, marketplace: members.marketplace, clock })
  const watch = await watchLog(base, speaker)
  const { memory, seconds, disk } = config.hosting.perJob
  const limits = { memory, threads: config.resources.cores, seconds, disk }
  const datasets = new Datasets({ datasets: base.datasets, limits }, { store, launcher, clock })
  const problems = (await datasets.open()).map(({ id, error }) => {
    log.error({ dataset: id, code: codeOf(error), err: toError(error) }, 'a dataset could not be opened')
    return `dataset ${id}: ${toError(error).message}`
  })

  const network = createNetwork(
    {
      key: self.key,
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
    key: self.key,
    self: self.peer,
    steward,
    readRules: (text) => policies.reader.agreement(text, { known: knownNames(base, datasets) }),
    show: async (party, agreement, options) =>
      await showAgreement(network, members, party, agreement, options),
    offered: async (party, question, options) =>
      await askForOffers(network, members, party, question, options),
    hides: (dataset, party) => disclosure.hides(dataset, party),
    tell: async (party, notice, options) => await tellOfAgreement(network, members, party, notice, options),
    ...(base.rules === null ? {} : { rules: base.rules }),
    enforced: () => {
      exchanges.reconsider()
      // Who may see a dataset that only parties see has changed.
      if (!datasets.ids().some((id) => datasets.visibilityOf(id) === 'parties')) return
      announceAnew()
    }
  })
  await agreements.open()
  const disclosure = openDisclosure(base, { datasets, agreements, changed: () => announceAnew() })
  const approvals = new Approvals({
    store,
    agreements,
    clock,
    speaksFor: (user) => members.speaksFor(self.organisation, user),
    isOpen: (request) => exchanges.waitsFor(request),
    decided: (request) => exchanges.approvalDecided(request)
  })

  const decisions = new Decisions(
    {
      roles: config.roles,
      hosting: config.hosting,
      resources: config.resources,
      slots: Math.max(2, config.resources.cores * 2),
      consents: (request) => config.autoApprove === 'all' || takesResultsOf(config.receive, request),
      offerLifetime: OFFER_LIFETIME_MS
    },
    {
      self,
      get engine() {
        return policies.engine
      },
      point,
      disclosure,
      notes: () => policies.notes(self.organisation),
      agreements,
      approvals,
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
    isolation: launcher.isolation,
    datasets,
    disclosure,
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
    visibleTo: (dataset, audience) => disclosure.visibleTo(dataset, audience)
  })
  const announceAnew = tellOfChanges({ policies, publisher, discovery, log })

  const results = new ResultFiles(
    join(config.data, 'results'),
    (request, stored) => requests.arrived(request, stored),
    (request, result) => requests.unitsOf(request, result)
  )
  await results.sweep(async (id) => {
    const request = await store.requests.get(id)
    return request?.final === true && request.status !== 'completed'
  })
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
      knownDatasets: async () => {
        const known = (await discovery.capabilities()).flatMap(
          ({ capability }) => capability.payload.datasets
        )
        return [...new Set(known.map(({ id }) => id))].sort()
      }
    },
    members,
    agreements,
    speaker,
    random: randomBytes
  })

  const flows = new FlowStreams({
    self: self.peer,
    clock,
    log,
    decisions,
    inbox: join(config.data, 'inbox'),
    maxBytes: limits.disk,
    openStream: async (peer, protocol, { signal }) => await network.openStream(peer, protocol, { signal }),
    beforePart: seams.beforePart,
    refused: (peer, code) => network.emit('refused', { peer, protocol: FLOW_PROTOCOL, code }),
    dossierOf: (contract) => exchanges.byContract(contract)?.dossier,
    deliverStart: async (dossier, contract, to) => {
      const held = dossier.contract(contract)
      await postMessage(network, to, {
        kind: 'start',
        contract: held.contract.bytes,
        acceptances: [...held.acceptances.values()].map((one) => one.bytes)
      })
    },
    logged: async (dossier) => await exchanges.get(dossier.request.id)?.log.write(),
    progress: (request, flow) =>
      requests.progress(request, 'transfer', flow.direction === 'in' ? 'sends its rows' : 'gets rows', flow)
  })
  const told = { exchanges: () => exchanges, beforeRelease: seams.beforeRelease }
  const releases = openReleases(network, { self, speaker, store, clock, log, decisions }, told)
  const shares = new Shares({
    self,
    launcher,
    datasets,
    agreements,
    flows,
    decisions,
    results,
    releases,
    resources: config.resources,
    limits,
    outbox: join(config.data, 'outbox'),
    clock,
    log,
    history: new GroupHistory({ store, clock }),
    progress: (request, phase, message) => requests.progress(request, phase, message),
    units: (dossier) => requests.unitsExpected(dossier.request.id)
  })
  const exchanges: Exchanges = new Exchanges(
    { hop: HOP_LIMITS, coordinator: COORDINATOR_LIMITS, maxOpenPerPeer: MAX_OPEN_PER_PEER },
    {
      self: self.peer,
      clock,
      log,
      store,
      speaker,
      decisions,
      shares,
      coordination: requests.coordination,
      post: async (to, message) => await postMessage(network, to, message),
      organisationOf: (peer) => (peer === self.peer ? self.organisation : members.organisationOf(peer)),
      whyNot: (peer) => members.whyNot(peer),
      notTaken: (peer, kind, code) => network.emit('refused', { peer, protocol: protocolOf(kind), code })
    },
    guardedBy(watch, createRequestGuard({ members, store, clock }))
  )
  requests.connect(exchanges)

  serveExchanges({
    network,
    members,
    agreements,
    exchanges,
    flows
  })

  serveReleases(network, seams.releaseAnswers?.(releases) ?? releases)
  followStanding({ members, agreements, exchanges, log })
  await exchanges.reload()
  await network.start()
  undo.push(async () => await network.stop())
  await discovery.start()
  undo.push(async () => await discovery.stop())
  await requests.closeOrphans()
  await approvals.sweep()
  exchanges.resume()

  const desk = await openPolicyDesk(config, base, { agreements, datasets, exchanges })
  const operations = createOperations({
    requests,
    results: new ResultReader(results, new Exports({ launcher, limits }), suppressedIn(store)),
    discovery,
    members,
    agreements,
    manifests,
    approvals,
    policy: desk.operations,
    audit: createAuditOperations({ watch, members, speaker, base }),
    assertUsable: () => watch.assertIntact(),
    clock,
    marketplace: marketplaceOperations({ members, network, clock }),
    health: () => {
      const unfit = ownStanding(members)
      const all = [
        ...problems,
        ...desk.problems(),
        ...logProblems(watch),
        ...(unfit === null ? [] : [unfit.reason])
      ]
      return {
        status: all.length === 0 ? 'ok' : 'degraded',
        organisation: self.organisation,
        peerId: self.peer,
        version: installation.version,
        sandbox,
        isolation: [...launcher.isolation],
        problems: all
      }
    }
  })
  const api = createApi({ operations, tokens, logger: log, listensOn: config.api.host })
  const url = await listen(api, config.api)
  undo.push(async () => await api.close())

  watch.start()
  const house = keepHouse({ network, agreements, exchanges, store, clock, log, watch, ...config.audit })
  void launcher
    .prepare()
    .catch((error: unknown) => log.warn({ err: toError(error) }, 'no sandbox could be made ready ahead'))
  log.info({ peer: self.peer, api: url, addresses: network.addresses }, 'the agent is ready')

  return {
    peerId: self.peer,
    api: url,
    log,
    stop: async (deadlineMs) => {
      house.stop()
      const deadline = clock.now() + deadlineMs
      await api.close()
      await exchanges.drain(deadline)
      await discovery.stop()
      await network.stop()
      await agreements.proposals.idle()
      await watch.stop()
      for (const step of opened.reverse()) await step()
    }
  }
}
