import { mkdir, readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { peerView } from '../api/index.ts'
import { type Client, createClient } from '../client/index.ts'
import { ConfigInvalid, loadTopology, type Topology } from '../config/index.ts'
import { lockDirectory } from '../identity/index.ts'
import { type ReadAgreement, readAgreement, signAtProvider } from './agreements.ts'
import { DriverNotYet, LabFailed, LabRuns } from './errors.ts'
import { type PreparedAgent, prepareLab } from './prepare.ts'
import { endOf, isAlive, startDetached, stopAll, waitUntilReady } from './processes.ts'
import { forgetState, type LabAgent, type LabState, readState, writeState } from './state.ts'

const READY_TIMEOUT_MS = 60_000
const SEE_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000
const POLL_MS = 100

export interface LabInit {
  topology: string
  /** Absolute. */
  dir: string
  driver: string
  /** Program and first arguments of the command line, to which `agent run …` is added. */
  command: readonly string[]
  /** Told what goes on. */
  say(text: string): void
  /** Milliseconds since 1970. */
  now: number
  signal: AbortSignal
  /** For an agent to be ready, and for all to see each other, in milliseconds. @default 60 s */
  patience?: number
}

/** What other programs read: which agents run, and how to reach them. */
export interface LabView {
  dir: string
  agents: Record<string, { peerId: string; api: string; token: string; pid: number }>
}

interface Lab {
  init: LabInit
  state: LabState
  offsets: Map<string, number>
  /** One write after the other. */
  save(): Promise<void>
}

function createLab(init: LabInit): Lab {
  const state: LabState = { agents: {} }
  let saved = Promise.resolve()
  const save = () => {
    saved = saved.then(() => writeState(init.dir, state))
    return saved
  }
  return { init, state, offsets: new Map(), save }
}

async function refuseIfRunning(dir: string): Promise<void> {
  const state = await readState(dir)
  if (state === undefined) return
  const alive: string[] = []
  for (const [name, agent] of Object.entries(state.agents)) if (await isAlive(agent)) alive.push(name)
  if (alive.length > 0) throw new LabRuns(dir, alive)
}

/** Read before anything starts: a mistake in a file shall not leave processes behind. */
async function agreementsOf(topology: Topology): Promise<ReadAgreement[]> {
  const agreements: ReadAgreement[] = []
  const organisations = topology.agents.map(({ settings }) => settings.organisation)
  for (const agreement of topology.agreements) {
    const read = await readAgreement(agreement, topology.file)
    if (!organisations.includes(read.provider))
      throw new ConfigInvalid(read.place, [
        {
          path: 'provider',
          message: `expected an organisation of the topology (${organisations.join(', ')}), found ${read.provider}`
        }
      ])
    agreements.push(read)
  }
  return agreements
}

async function start(lab: Lab, agent: PreparedAgent, signal: AbortSignal): Promise<void> {
  const { command, patience = READY_TIMEOUT_MS } = lab.init
  const { name, config, peerId, log } = agent
  const { pid, started, offset } = await startDetached(
    [...command, 'agent', 'run', '--config', config.file, '--json'],
    log
  )
  const entry: LabAgent = { pid, started, peerId, api: '', token: config.api.token, config: config.file, log }
  lab.state.agents[name] = entry
  lab.offsets.set(name, offset)
  // Before it is ready: whatever happens next, `lab down` finds the process.
  await lab.save()
  const ready = await waitUntilReady(name, { ...entry, offset }, { timeout: patience, signal })
  if (ready.peerId !== peerId)
    throw new LabFailed(`agent ${name}: expected peer ${peerId}, found ${ready.peerId}`)
  entry.api = ready.api
  await lab.save()
}

/** The first alone, since all others dial it; then so many at a time as the machine can carry. */
async function startAll(lab: Lab, [first, ...others]: readonly PreparedAgent[]): Promise<void> {
  const failure = new AbortController()
  const signal = AbortSignal.any([lab.init.signal, failure.signal])
  if (first !== undefined) await start(lab, first, signal)
  const waiting = [...others]
  const lane = async () => {
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        signal.throwIfAborted()
        await start(lab, next, signal)
      }
    } catch (error) {
      failure.abort(error)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() * 2 }, lane))
  signal.throwIfAborted()
}

async function clientOf({ api, token }: LabAgent): Promise<Client> {
  return createClient({ url: api, token: (await readFile(token, 'utf8')).trim() })
}

/** Every agent knows every other by its organisation. */
async function waitUntilAllSee(lab: Lab): Promise<void> {
  const { signal, patience = SEE_TIMEOUT_MS } = lab.init
  const limit = AbortSignal.timeout(patience)
  const agents = Object.entries(lab.state.agents)
  for (const [name, agent] of agents) {
    const client = await clientOf(agent)
    const others = agents.filter(([other]) => other !== name)
    for (;;) {
      signal.throwIfAborted()
      const peers = await client.get('/api/v1/peers', z.array(peerView), { signal })
      const known = new Set(
        peers.filter(({ organisation }) => organisation !== null).map(({ peerId }) => peerId)
      )
      const missing = others.filter(([, { peerId }]) => !known.has(peerId)).map(([other]) => other)
      if (missing.length === 0) break
      if (limit.aborted || !(await isAlive(agent))) {
        const what = limit.aborted ? `does not see ${missing.join(', ')}` : 'ended'
        const log = await endOf(agent.log, lab.offsets.get(name))
        throw new LabFailed(`agent ${name} ${what}. The end of ${agent.log}:\n${log}`)
      }
      await delay(POLL_MS)
    }
  }
}

async function signAll(
  lab: Lab,
  prepared: readonly PreparedAgent[],
  agreements: readonly ReadAgreement[]
): Promise<void> {
  for (const agreement of agreements) {
    const name = prepared.find(({ config }) => config.organisation === agreement.provider)?.name ?? ''
    const agent = lab.state.agents[name]
    if (agent === undefined)
      throw new LabFailed(`${agreement.place}: no agent speaks for ${agreement.provider}`)
    await signAtProvider(await clientOf(agent), agreement, { signal: lab.init.signal })
  }
}

/** As the topology lists them, whoever was started first. */
function inOrder(agents: LabState['agents'], prepared: readonly PreparedAgent[]): LabState['agents'] {
  return Object.fromEntries(
    prepared.flatMap(({ name }) => {
      const agent = agents[name]
      return agent === undefined ? [] : [[name, agent]]
    })
  )
}

/** What is printed: without what only `lab down` needs. */
export function viewOf(dir: string, state: LabState): LabView {
  return {
    dir,
    agents: Object.fromEntries(
      Object.entries(state.agents).map(([name, { peerId, api, token, pid }]) => [
        name,
        { peerId, api, token, pid }
      ])
    )
  }
}

/**
 * Brings a topology up: marketplace, keys, memberships, one process for each agent, every agreement in force. The agents go
 * on when this process ends. If one fails, the others are stopped.
 *
 * @throws {LabFailed}, {LabRuns}, {DriverNotYet}, {ConfigInvalid}
 */
export async function labUp(init: LabInit): Promise<LabView> {
  const { dir, say } = init
  if (init.driver !== 'process') throw new DriverNotYet(init.driver)
  const topology = await loadTopology(init.topology)
  const agreements = await agreementsOf(topology)
  await mkdir(dir, { recursive: true })
  const lock = await lockDirectory(dir)
  try {
    await refuseIfRunning(dir)
    const lab = createLab(init)
    const prepared = await prepareLab(topology, dir, { now: init.now })
    try {
      say(`starting ${prepared.map(({ name }) => name).join(', ')}`)
      await startAll(lab, prepared)
      say('waiting until all see each other')
      await waitUntilAllSee(lab)
      if (agreements.length > 0)
        say(`signing ${agreements.length} agreement${agreements.length === 1 ? '' : 's'}`)
      await signAll(lab, prepared, agreements)
      return viewOf(dir, { agents: inOrder(lab.state.agents, prepared) })
    } catch (error) {
      await stopAll(lab.state.agents, { timeout: STOP_TIMEOUT_MS })
      await forgetState(dir)
      throw error
    }
  } finally {
    await lock.release()
  }
}
