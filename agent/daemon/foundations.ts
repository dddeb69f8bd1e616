import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { type Logger, pino } from 'pino'
import { parseSigningRule, type SigningRule } from '../../policy/index.ts'
import type { ArchetypeBody } from '../../protocol/documents/index.ts'
import {
  type ArchetypeManifest,
  loadArchetypes,
  loadManifests,
  type Manifests
} from '../../services/index.ts'
import { type Apart, checkingApart } from '../audit/index.ts'
import {
  type AgentConfig,
  type DatasetConfig,
  loadDatasetFile,
  openTokens,
  type Tokens
} from '../config/index.ts'
import { askedByHttp, type DecisionPoint, HttpPoint, noDecisionPoint } from '../decision-point/index.ts'
import { loadKey, lockDirectory } from '../identity/index.ts'
import { createLauncher, type Launcher, type SandboxKind } from '../jobs/index.ts'
import { Members, type MembershipStore, openPackage } from '../membership/index.ts'
import { type Clock, systemClock } from '../network/index.ts'
import { Policies } from '../policies/index.ts'
import { openStore, type Store } from '../store/index.ts'
import type { Installation } from './installation.ts'

/** What everything else stands on: who this agent is, its state, its rules, its sandboxes. */
export interface Foundations {
  log: Logger
  clock: Clock
  self: { peer: string; organisation: string; key: PrivateKey }
  /** Where the configuration lets the agent sign agreements itself. */
  steward: PrivateKey | null
  /** Where the configuration lets it sign what keeps to rules, those and the key. */
  rules: { steward: PrivateKey; rules: SigningRule[] } | null
  store: Store
  /** Checks the log in `store` where that takes long. */
  checkApart: Apart
  members: Members
  manifests: Manifests
  archetypes: ReadonlyMap<string, ArchetypeBody>
  launcher: Launcher
  sandbox: SandboxKind
  policies: Policies
  point: DecisionPoint
  tokens: Tokens
  datasets: DatasetConfig[]
}

/** What is to be undone, the last first. */
export type Undo = (() => Promise<void>)[]

/**
 * Opens them in order. `undo` gets what closes each.
 *
 * @throws {DirectoryInUse}, {KeyFileMissing}, {MembershipFileInvalid}, {RulesMalformed}, {JobFailed} `sandbox-unavailable`
 */
export async function openFoundations(
  config: AgentConfig,
  installation: Installation,
  undo: Undo,
  clock: Clock = systemClock
): Promise<Foundations> {
  const log = createLog(config)
  for (const warning of config.warnings) log.warn({ file: config.file }, warning)
  await mkdir(config.data, { recursive: true, mode: 0o700 })
  const lock = await lockDirectory(config.data)
  undo.push(async () => await lock.release())
  const state = join(config.data, 'state.sqlite')
  const store = await openStore(state)
  undo.push(async () => await store.close())

  const key = await loadKey(config.identity.key, passphraseFromEnvironment())
  const peer = peerIdFromPrivateKey(key).toString()
  const [datasets, membershipPackage, manifests, ownArchetypes, policies, point, steward, ruleKey, tokens] =
    await Promise.all([
      Promise.all(config.datasets.map(async (file) => await loadDatasetFile(file))),
      readFile(config.marketplace, 'utf8').then(openPackage),
      loadManifests(installation.services),
      loadArchetypes(config.archetypes),
      Policies.open(config.policy, { clock, log }),
      openPoint(config, log),
      config.autoApprove === 'all' ? loadKey(config.identity.steward) : null,
      config.autoSign.length > 0 ? loadKey(config.identity.steward, passphraseFromEnvironment()) : null,
      openTokens(config)
    ])
  const sandbox = config.sandbox === 'required' ? 'bubblewrap' : 'none'
  const registered = datasets.flatMap((dataset) =>
    dataset.tables.filter(({ format }) => format !== 'postgres').map((table) => table.path)
  )
  const launcher = await createLauncher({
    folder: join(config.data, 'jobs'),
    runner: installation.runner,
    nodeModules: installation.nodeModules,
    sandbox,
    // An agent that holds data and asks itself runs two jobs without raw data in one request: query and convert.
    warm: config.roles.includes('dataProvider') && config.users.length > 0 ? 2 : 1,
    logger: log,
    sources: () => registered
  })
  undo.push(async () => await launcher.stop())
  if (sandbox !== 'none' && !launcher.isolation.includes('seccomp'))
    log.warn('jobs run without a list of system calls; `dynamos doctor` says why, and what to do')
  undo.push(async () => await policies.stop())
  const members = await Members.open(
    { package: membershipPackage, self: peer },
    { store: membershipStore(store), now: () => clock.now() }
  )
  // What agreements may name, and pin, is all that is known here
  const archetypes = new Map([...manifests.archetypes, ...ownArchetypes])
  return {
    log,
    clock,
    self: { peer, organisation: members.own.organisation, key },
    steward,
    rules:
      ruleKey === null
        ? null
        : {
            steward: ruleKey,
            rules: config.autoSign.map((rule, index) =>
              parseSigningRule(rule, `${config.file}: autoSign[${index}]`, (address) =>
                members.resolveUser(address)
              )
            )
          },
    store,
    checkApart: checkingApart(installation.logCheck, state),
    members,
    manifests: { ...manifests, archetypes },
    archetypes: archetypeBodies([...archetypes.values()]),
    launcher,
    sandbox,
    policies,
    point,
    tokens,
    datasets
  }
}

async function openPoint({ decisionPoint, organisation }: AgentConfig, log: Logger): Promise<DecisionPoint> {
  if (decisionPoint === undefined) return noDecisionPoint
  const { url, timeout, token } = decisionPoint
  const bearer = token === undefined ? {} : { token: (await readFile(token, 'utf8')).trim() }
  return askedByHttp({ http: new HttpPoint({ url, timeout, ...bearer }), organisation, log })
}

/** Structured, on standard error: standard output belongs to the one line `ready`. */
function createLog(config: AgentConfig): Logger {
  const destination = pino.destination({ dest: 2, sync: false })
  return pino({ level: config.log, base: { organisation: config.organisation } }, destination)
}

function archetypeBodies(manifests: readonly ArchetypeManifest[]): ReadonlyMap<string, ArchetypeBody> {
  const bodies = new Map<string, ArchetypeBody>()
  for (const { archetype, roles, where, steps, output } of manifests) {
    if (output.to === 'algorithm') continue
    bodies.set(archetype, {
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
    })
  }
  return bodies
}

function passphraseFromEnvironment(): { passphrase?: string } {
  const passphrase = process.env.DYNAMOS_PASSPHRASE
  return passphrase === undefined ? {} : { passphrase }
}

function membershipStore({ memberships }: Store): MembershipStore {
  return {
    load: async (kind) => (await memberships.all(kind)).map(({ bytes }) => bytes),
    save: async (kind, id, bytes) => await memberships.save(kind, id, bytes),
    remove: async (kind, id) => await memberships.remove(kind, id)
  }
}
