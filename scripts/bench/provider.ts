import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { Agreements } from '../../agent/agreements/index.ts'
import { Approvals } from '../../agent/approvals/index.ts'
import { loadDatasetFile } from '../../agent/config/index.ts'
import { findInstallation } from '../../agent/daemon/index.ts'
import { Datasets } from '../../agent/datasets/index.ts'
import { noDecisionPoint } from '../../agent/decision-point/index.ts'
import { Decisions } from '../../agent/decisions/index.ts'
import { createLauncher, detectSandbox, type Launcher } from '../../agent/jobs/index.ts'
import { type Admission, admit, createMarketplace, Members } from '../../agent/membership/index.ts'
import { type Body, createSpeaker, Dossier } from '../../agent/negotiation/index.ts'
import { openStore } from '../../agent/store/index.ts'
import { agreementParties, createCedarEngine, parseAgreement } from '../../policy/index.ts'
import { encodeSigned, signFields } from '../../protocol/documents/index.ts'
import { loadManifests } from '../../services/index.ts'
import { writeInputs } from './data.ts'

/** A data provider's decisions, in this process: with its own state on disk and its own sandboxes, without a network. */
export interface Provider {
  decisions: Decisions
  launcher: Launcher
  /** The tables of its dataset. */
  tables: { name: string; columns: { name: string; type: string }[] }[]
  /** A request as it would have arrived, for so many archetypes and compute providers. */
  ask(sql: string, archetypes: number, hosts: number): Promise<Dossier>
  close(): Promise<void>
}

export const AGREEMENTS = 1_000
export const MOST = 8
/** Agreements of the asker itself: the last by name permits, the others are for another purpose. */
const OWN = 3
const DATASET = 'wages'
const HOUR = 3_600_000
const GIB = 2 ** 30

async function aKey() {
  const key = await generateKeyPair('Ed25519')
  return { key, peer: peerIdFromPrivateKey(key).toString() }
}

/** An agreement with limits, so that how often it was used is among the facts. */
const agreementText = (number: number) =>
  JSON.stringify({
    agreement: `wages-${number}`,
    provider: 'Alpha',
    dataset: DATASET,
    consumers: [{ organisation: number < OWN ? 'Asker' : `Consumer${number}` }],
    purposes: number === 0 || number >= OWN ? ['research'] : ['teaching'],
    archetypes: '*',
    computeProviders: '*',
    recipients: '*',
    tables: { person: { columns: ['id', 'gender', 'age'] }, job: { columns: ['id', 'wage', 'occupation'] } },
    algorithms: ['average', 'histogram', 'table'],
    limits: { requests: 1_000_000, per: 'P30D' }
  })

/** @returns a provider with {@link AGREEMENTS} agreements in force about one dataset, each with another consumer but for three of the asker */
export async function openProvider(dir: string): Promise<Provider> {
  await writeInputs(dir, 100)
  const installation = findInstallation()
  const clock = { now: () => Date.now() }
  const silent = () => {}
  const log = { debug: silent, info: silent, warn: silent, error: silent }
  const [authority, self, asker] = await Promise.all([aKey(), aKey(), aKey()])
  const hosts = await Promise.all(Array.from({ length: MOST }, aKey))
  const charter = { name: 'bench', contact: 'nobody@example.org', discoveryKey: randomBytes(32) }
  let marketplace = await createMarketplace(charter, { keys: [authority.key], now: clock.now() })
  const admitted = async (organisation: string, peer: string, roles: Admission['roles']) => {
    const admission = { organisation, agents: [peer], stewards: [], roles, speaksFor: [] }
    const taken = await admit(marketplace, admission, { keys: [authority.key], now: clock.now() })
    marketplace = taken.marketplace
    return taken.membership
  }
  const others = []
  for (const [index, { peer }] of hosts.entries())
    others.push({ peer, membership: await admitted(`Host${index}`, peer, ['computeProvider']) })
  others.push({ peer: asker.peer, membership: await admitted('Asker', asker.peer, []) })
  const own = await admitted('Alpha', self.peer, ['dataProvider'])
  const members = await Members.open(
    { package: { ...marketplace, membership: own }, self: self.peer },
    { store: { load: async () => [], save: async () => {}, remove: async () => {} }, now: () => clock.now() }
  )
  for (const { peer, membership } of others) await members.learn(membership, peer)

  const store = await openStore(join(dir, 'state.sqlite'))
  for (let number = 0; number < AGREEMENTS; number += 1) {
    const draft = parseAgreement(agreementText(number), 'agreement', () => undefined)
    const { name, provider, dataset, terms } = draft
    const header = { type: 'agreement', version: 1, marketplace: members.marketplace, issuer: self.peer }
    const instants = { issuedAt: clock.now(), expires: clock.now() + 1_000 * HOUR }
    const parties = agreementParties(draft)
    const fields = { ...header, ...instants, name, provider, dataset, parties, terms, pins: {} }
    const signed = await signFields('agreement', fields, self.key)
    const at = clock.now()
    await store.agreements.put({
      id: signed.id,
      name,
      provider,
      dataset,
      state: 'proposed',
      bytes: encodeSigned(signed),
      at
    })
    await store.agreements.enforce(signed.id, at)
  }

  const found = await loadManifests(installation.services)
  const through = found.archetypes.get('dataThroughTtp')
  const to = through?.output.to
  if (through === undefined || to === undefined || to === 'algorithm')
    throw new Error('expected the archetype dataThroughTtp')
  const { roles, where } = through
  const steps = through.steps.map(({ service, at }) => ({ service, at }))
  const archetypes = new Map(
    Array.from({ length: MOST }, (_, index) => {
      const name = `variant${index}`
      return [name, { name, roles, where, steps, output: { to } }] as const
    })
  )
  const { kind: sandbox } = await detectSandbox()
  const launcher = await createLauncher({
    folder: join(dir, 'jobs'),
    runner: installation.runner,
    nodeModules: installation.nodeModules,
    sandbox,
    warm: 0
  })
  const limits = { memory: GIB, threads: 1, seconds: 60, disk: GIB }
  const config = await loadDatasetFile(join(dir, 'Alpha', 'dataset.yaml'))
  const datasets = new Datasets({ datasets: [config], limits }, { store, launcher, clock })
  const [failed] = await datasets.open()
  if (failed !== undefined) throw failed.error
  const speaker = createSpeaker({ ...self, organisation: 'Alpha', marketplace: members.marketplace, clock })
  const agreements = new Agreements({
    store,
    members,
    manifests: found,
    datasets,
    clock,
    log,
    key: self.key,
    self: self.peer,
    steward: null,
    show: async () => await Promise.reject(new Error('there is no network here')),
    offered: async () => await Promise.reject(new Error('there is no network here')),
    hides: () => false,
    tell: async () => await Promise.reject(new Error('there is no network here')),
    enforced: () => {}
  })
  await agreements.open()
  const approvals = new Approvals({
    store,
    agreements,
    clock,
    speaksFor: () => false,
    isOpen: () => false,
    decided: () => {}
  })
  const decisions = new Decisions(
    {
      roles: ['dataProvider'],
      hosting: { for: [], algorithms: [], perJob: { memory: GIB, seconds: 60, disk: GIB } },
      resources: { cores: 2, memory: GIB, disk: GIB, milliwatts: { idle: 1, full: 2 }, carbon: 1 },
      slots: 1_000,
      consents: () => false,
      offerLifetime: HOUR
    },
    {
      self: { peer: self.peer, organisation: 'Alpha' },
      engine: await createCedarEngine(),
      point: noDecisionPoint,
      agreements,
      approvals,
      disclosure: { deniesTo: () => false },
      datasets,
      launcher,
      manifests: found,
      archetypes,
      members,
      store,
      speaker,
      clock,
      random: randomBytes,
      log
    }
  )
  const asking = createSpeaker({ ...asker, organisation: 'Asker', marketplace: members.marketplace, clock })
  await launcher.prepare()
  return {
    decisions,
    launcher,
    tables: (datasets.get(DATASET)?.tables ?? []).map(({ name, columns }) => ({ name, columns })),
    ask: async (sql, many, wide) => {
      const query = await asking.section({ sql, parameters: { value: 'wage', by: ['gender'] } })
      const rows = [...archetypes.keys()]
        .slice(0, many)
        .flatMap((archetype) => hosts.slice(0, wide).map(({ peer }) => ({ archetype, infrastructure: peer })))
      const body: Body<'request'> = {
        nonce: randomBytes(16),
        organisation: 'Asker',
        user: { organisation: 'Asker', name: 'analyst' },
        purpose: 'research',
        datasets: [DATASET],
        providers: [self.peer],
        rows,
        algorithm: 'average',
        options: { aggregate: true, anonymize: false, graph: false },
        recipients: ['Asker'],
        agreements: {},
        deadline: 60_000,
        query: query.digest
      }
      const dossier = new Dossier(await asking.sign('request', body, HOUR), self.peer)
      await dossier.holdQuery(query.section)
      return dossier
    },
    close: async () => {
      await launcher.stop()
      await store.close()
    }
  }
}
