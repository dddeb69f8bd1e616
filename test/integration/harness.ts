import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { stringify } from 'yaml'
import { z } from 'zod'
import {
  type AgreementView,
  agreementView,
  FINAL_STATUS,
  type ProgressEvent,
  peerView,
  type RequestView,
  requestView,
  submitted
} from '../../agent/api/index.ts'
import { verifyLog } from '../../agent/audit/index.ts'
import { type Client, createClient } from '../../agent/client/index.ts'
import { type AgentConfig, loadTopology } from '../../agent/config/index.ts'
import {
  type AgentSeams,
  type Installation,
  type RunningAgent,
  startAgent
} from '../../agent/daemon/index.ts'
import { detectSandbox } from '../../agent/jobs/index.ts'
import { type PreparedAgent, prepareLab } from '../../agent/lab/index.ts'
import { openStore, type Store } from '../../agent/store/index.ts'
import { buildRunner } from '../../services/runner/build.mjs'
import { endingsIn } from './endings.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const AGENT_PROCESS = fileURLToPath(new URL('agent-process.ts', import.meta.url))
const STOP_MS = 5000
const SEE_MS = 30_000

export type Cell = string | number | null

/** As a dataset file describes it. */
export interface ColumnSpec {
  type?: string
  from?: string
  values?: Record<string, string>
}

/** A table of a dataset: column names to types or descriptions, and rows in that order. */
export interface TableSpec {
  columns: Record<string, string | ColumnSpec>
  rows: Cell[][]
  subject?: string
  /** What else its file says of columns. */
  described?: Record<string, { unit?: string; values?: Record<string, string>; description?: string }>
  /** Makes of the CSV file what its description is to name instead. */
  kept?: (csv: string) => Promise<{ path: string; format: string; table?: string }>
}

export interface DatasetSpec {
  id: string
  tables: Record<string, TableSpec>
  visibility?: 'members' | 'parties'
  /** Where it came from, and under which terms. */
  madeFrom?: object
}

export interface AgentSpec {
  name: string
  roles?: ('dataProvider' | 'computeProvider')[]
  users?: string[]
  datasets?: DatasetSpec[]
  /** Other keys of agent.yaml. */
  more?: Record<string, unknown>
  /** The organisation's own Cedar rules. */
  rules?: string
  /** The organisation's own archetypes: names of files to what they say. */
  archetypes?: Record<string, string>
}

let sandbox: Promise<'required' | 'none'> | undefined

/** Real sandboxes where this machine has them; said loudly where not. */
async function sandboxHere(): Promise<'required' | 'none'> {
  sandbox ??= detectSandbox().then((found) => {
    if (found.kind === 'bubblewrap') return 'required'
    console.error(
      `\n!!! AGENTS RUN WITHOUT SANDBOX (${found.reason}): ${found.message}\n!!! to mend it: ${found.mend}\n`
    )
    return 'none'
  })
  return await sandbox
}

let built: Promise<Installation> | undefined

/** The sources as they are, with a runner of their own: `dist/` may be old, or being made anew. */
async function installed(): Promise<Installation> {
  built ??= mkdtemp(join(tmpdir(), 'dynamos-runner-')).then(async (folder) => {
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    const runner = join(folder, 'runner.mjs')
    await buildRunner(runner)
    return {
      version: '0.0.0',
      runner,
      logCheck: join(ROOT, 'test/audit/log-check.mjs'),
      services: join(ROOT, 'services'),
      nodeModules: join(ROOT, 'node_modules')
    }
  })
  return await built
}

/** Names of files and folders; none where there is no folder. */
async function entries(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => [])
}

/** One agent of a market, running or not. */
export class TestAgent {
  readonly name: string
  readonly config: AgentConfig
  readonly peerId: string
  /** What it is started with in this process. */
  seams: AgentSeams = {}
  #running: RunningAgent | null = null
  #process: ChildProcess | null = null
  #client: Client | null = null

  constructor({ name, config, peerId }: PreparedAgent) {
    this.name = name
    this.config = config
    this.peerId = peerId
  }

  get running(): boolean {
    return this.#running !== null || this.#process !== null
  }

  get client(): Client {
    if (this.#client === null) throw new Error(`${this.name} does not run`)
    return this.#client
  }

  async token(): Promise<string> {
    return (await readFile(this.config.api.token, 'utf8')).trim()
  }

  async start(): Promise<void> {
    this.#running = await startAgent(this.config, await installed(), this.seams)
    await this.#connect()
  }

  /** In a process of its own, which can be killed or held. */
  async spawn(): Promise<void> {
    const child = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        '--import',
        './agent/polyfill.ts',
        AGENT_PROCESS,
        this.config.file,
        JSON.stringify(await installed())
      ],
      { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] }
    )
    this.#process = child
    const lines = createInterface({ input: child.stdout })
    const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit')])) as unknown[]
    if (line !== 'ready') throw new Error(`the process of ${this.name} ended before it was ready`)
    await this.#connect()
  }

  /** To an agent in a process of its own: SIGKILL ends it as a crash does, SIGSTOP makes it silent. */
  async signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const child = this.#process
    if (child === null) throw new Error(`${this.name} has no process of its own`)
    const gone = once(child, 'exit')
    child.kill(name)
    if (name !== 'SIGKILL') return
    await gone
    this.#process = null
    this.#client = null
  }

  async #connect(): Promise<void> {
    const { host, port } = this.config.api
    this.#client = createClient({ url: `http://${host}:${port}`, token: await this.token() })
  }

  /** @param deadlineMs how long what runs may go on; 0 drops it */
  async stop(deadlineMs = STOP_MS): Promise<void> {
    const running = this.#running
    const child = this.#process
    this.#running = null
    this.#process = null
    this.#client = null
    await running?.stop(deadlineMs)
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGCONT')
    child.kill('SIGTERM')
    await gone
  }

  /** Puts an agreement in force, or as far as its own dates and clauses let it. */
  async sign(agreement: object): Promise<AgreementView> {
    return await this.client.post('/api/v1/agreements', { yaml: stringify(agreement) }, agreementView)
  }

  async submit(request: object): Promise<string> {
    return (await this.client.post('/api/v1/requests', { json: request }, submitted)).request
  }

  async view(request: string): Promise<RequestView> {
    return await this.client.get(`/api/v1/requests/${request}`, requestView)
  }

  async explain(request: object): Promise<RequestView> {
    return await this.client.post('/api/v1/explain', { json: request }, requestView)
  }

  async agreements(): Promise<AgreementView[]> {
    return await this.client.get('/api/v1/agreements', z.array(agreementView))
  }

  async cancel(request: string): Promise<RequestView> {
    return await this.client.remove(`/api/v1/requests/${request}`, requestView)
  }

  /** Waits for the first event that fits; the last one when none does. */
  async until(request: string, fits: (event: ProgressEvent) => boolean): Promise<ProgressEvent> {
    let last: ProgressEvent | undefined
    for await (const event of this.client.events(request)) {
      last = event
      if (fits(event)) break
    }
    if (last === undefined) throw new Error(`request ${request} has no events`)
    return last
  }

  /** Waits for the end of a request. */
  async outcome(request: string): Promise<RequestView> {
    await this.until(request, (event) => FINAL_STATUS.includes(event.status))
    return await this.view(request)
  }

  /** Submits a request and waits for its end. */
  async ask(request: object): Promise<RequestView> {
    return await this.outcome(await this.submit(request))
  }

  /** The agent's state, of an agent that is stopped. */
  async withStore<T>(read: (store: Store) => Promise<T>): Promise<T> {
    const store = await openStore(join(this.config.data, 'state.sqlite'))
    try {
      return await read(store)
    } finally {
      await store.close()
    }
  }

  /** What is left of data on its way, at an agent that runs nothing. */
  async dataLeft(): Promise<string[]> {
    return await this.#inFolders(['inbox', 'outbox'])
  }

  /** What a stopped agent left behind that it should not have. */
  async leftovers(): Promise<string[]> {
    return await this.#inFolders(['jobs', 'inbox', 'outbox'])
  }

  async #inFolders(names: readonly string[]): Promise<string[]> {
    const folders = await Promise.all(
      names.map(async (folder) =>
        (await entries(join(this.config.data, folder))).map((name) => `${this.name}: ${folder}/${name}`)
      )
    )
    return folders.flat()
  }
}

const leaks: string[] = []
/** Listeners that pile up, where our own code adds them. */
process.on('warning', (warning) => {
  const frames = (warning.stack ?? '').split('\n    at ').slice(1)
  const adding = frames.find((frame) => !frame.includes('node:internal')) ?? ''
  if (warning.name === 'MaxListenersExceededWarning' && !adding.includes('/node_modules/'))
    leaks.push(`${warning.message}: ${adding}`)
})

const machineState = z.looseObject({
  request: z.string(),
  reservations: z.array(z.object({ contract: z.string(), state: z.string() })).optional(),
  answered: z.array(z.object({ contract: z.string(), answer: z.string() })).optional(),
  stage: z.looseObject({ phase: z.string() })
})

/** Several agents of one marketplace, in this process. */
export class Market {
  readonly dir: string
  readonly agents: TestAgent[]

  private constructor(dir: string, agents: TestAgent[]) {
    this.dir = dir
    this.agents = agents
  }

  /** Everything on disk for the agents; none runs yet. */
  static async prepare(specs: readonly AgentSpec[]): Promise<Market> {
    const dir = await mkdtemp(join(tmpdir(), 'dynamos-market-'))
    const mode = await sandboxHere()
    const agents = await Promise.all(
      specs.map(
        async ({ name, roles = [], users = [], datasets = [], more = {}, rules, archetypes = {} }) => {
          const files = await Promise.all(
            datasets.map(async (dataset) => await writeDataset(join(dir, 'sources', name), dataset))
          )
          if (rules !== undefined) {
            await mkdir(join(dir, name, 'policy'), { recursive: true })
            await writeFile(join(dir, name, 'policy', 'own.cedar'), rules)
          }
          await mkdir(join(dir, name, 'archetypes'), { recursive: true })
          for (const [file, text] of Object.entries(archetypes))
            await writeFile(join(dir, name, 'archetypes', file), text)
          return { name, roles, users, datasets: files, sandbox: mode, log: logLevel(), ...more }
        }
      )
    )
    const file = join(dir, 'topology.yaml')
    await writeFile(file, stringify({ marketplace: { name: 'integration' }, agents }))
    const prepared = await prepareLab(await loadTopology(file), dir, { now: Date.now() })
    return new Market(
      dir,
      prepared.map((agent) => new TestAgent(agent))
    )
  }

  /** All agents running, each knowing all others; those of `apart` in processes of their own. */
  static async open(
    specs: readonly AgentSpec[],
    options: {
      apart?: string[]
      seams?: AgentSeams
      /** What is to be done on disk before they start. */
      prepared?: (market: Market) => Promise<void>
    } = {}
  ): Promise<Market> {
    const market = await Market.prepare(specs)
    const { apart = [], seams = {}, prepared } = options
    await prepared?.(market)
    for (const agent of market.agents) agent.seams = seams
    try {
      const [first, ...others] = market.agents
      await first?.start()
      await Promise.all(
        others.map(async (agent) => await (apart.includes(agent.name) ? agent.spawn() : agent.start()))
      )
      await market.untilAllSee()
    } catch (error) {
      await market.close()
      throw error
    }
    return market
  }

  agent(name: string): TestAgent {
    const found = this.agents.find((agent) => agent.name === name)
    if (found === undefined) throw new Error(`there is no agent ${name}`)
    return found
  }

  /** Each question to an agent makes it look once more for the others. */
  async untilAllSee(): Promise<void> {
    const running = this.agents.filter((agent) => agent.running)
    const limit = AbortSignal.timeout(SEE_MS)
    for (const agent of running) {
      for (;;) {
        const peers = await agent.client.get('/api/v1/peers', z.array(peerView), { signal: limit })
        const known = new Set(peers.filter((peer) => peer.connected).map((peer) => peer.peerId))
        if (running.every((other) => other === agent || known.has(other.peerId))) break
      }
    }
  }

  /** Stops everything and removes the folder. */
  async close(): Promise<void> {
    await this.#stop()
    await rm(this.dir, { recursive: true, force: true })
  }

  async #stop(): Promise<void> {
    await Promise.all(this.agents.map(async (agent) => await agent.stop()))
  }

  /**
   * Stops everything in order, then checks at every agent that nothing is left of what was done: no folder of a job or a flow, no
   * reservation, no share that never ended; that its log is whole, and that every contract it accepted has its decisions there;
   * and that no two agents hold contradicting outcomes.
   *
   * @param more what else is to hold of the agents, now that they are stopped
   */
  async closeClean(more: () => Promise<void> = async () => undefined): Promise<void> {
    try {
      await this.#stop()
      const problems = await Promise.all(this.agents.map(async (agent) => await problemsOf(agent)))
      const contradictions = await contradictionsAmong(this.agents)
      expect([...problems.flat(), ...contradictions, ...leaks.splice(0)]).to.deep.equal([])
      await more()
    } finally {
      await rm(this.dir, { recursive: true, force: true })
    }
  }
}

/** Requests that completed according to one agent and not according to another. */
async function contradictionsAmong(agents: readonly TestAgent[]): Promise<string[]> {
  const said = new Map<string, Map<boolean, string[]>>()
  for (const agent of agents)
    await agent.withStore(async (store) => {
      for (const { request, result } of await endingsIn(store)) {
        // That it ended for one without a result says nothing of the others.
        if (result === 'expired') continue
        const words = said.get(request) ?? new Map<boolean, string[]>()
        words.set(result === 'completed', [...(words.get(result === 'completed') ?? []), agent.name])
        said.set(request, words)
      }
    })
  return [...said].flatMap(([request, words]) =>
    words.size < 2
      ? []
      : [`${request} completed at ${words.get(true)?.join()} and not at ${words.get(false)?.join()}`]
  )
}

async function problemsOf(agent: TestAgent): Promise<string[]> {
  const problems = await agent.leftovers()
  await agent.withStore(async (store) => {
    const verdict = await verifyLog(store)
    if (!verdict.intact) problems.push(`${agent.name}: log broken at ${verdict.sequence}: ${verdict.reason}`)
    for (const { request, state } of await store.exchanges.all('hop')) {
      const hop = machineState.parse(JSON.parse(new TextDecoder().decode(state)))
      const held = (hop.reservations ?? []).filter((one) => one.state === 'held')
      if (held.length > 0) problems.push(`${agent.name}: ${request} still holds a reservation`)
      const contracts = (hop.answered ?? []).filter((one) => one.answer !== 'declined')
      for (const { contract, answer } of contracts) {
        for (const share of await store.work.of(contract))
          if (share.status === 'running') problems.push(`${agent.name}: a share of ${contract} never ended`)
        if (answer !== 'accepted') continue
        const entries = (await store.log.ofRequest(request)).filter((line) => line.contract === contract)
        for (const kind of ['decision', 'acceptance'])
          if (!entries.some((line) => line.kind === kind))
            problems.push(`${agent.name}: no ${kind} about ${contract} in the log`)
      }
    }
  })
  return problems
}

function logLevel(): string {
  return process.env.DYNAMOS_TEST_LOG ?? 'error'
}

async function writeDataset(
  folder: string,
  { id, tables, visibility, madeFrom }: DatasetSpec
): Promise<string> {
  await mkdir(folder, { recursive: true })
  const written: Record<string, unknown> = {}
  for (const [name, { columns, rows, subject, described: about = {}, kept }] of Object.entries(tables)) {
    const path = `${id}-${name}.csv`
    const described = Object.entries(columns).map(([column, spec]): [string, ColumnSpec] => [
      column,
      typeof spec === 'string' ? { type: spec } : spec
    ])
    const lines = [described.map(([column, { from = column }]) => from), ...rows].map((row) =>
      row.map((cell) => cell ?? '').join(',')
    )
    await writeFile(join(folder, path), `${lines.join('\n')}\n`)
    written[name] = {
      ...(kept === undefined ? { path, format: 'csv' } : await kept(join(folder, path))),
      ...(subject === undefined ? {} : { subject }),
      columns: Object.fromEntries(described.map(([column, spec]) => [column, { ...spec, ...about[column] }]))
    }
  }
  const file = join(folder, `${id}.yaml`)
  await writeFile(
    file,
    stringify({
      id,
      title: `Dataset ${id}`,
      ...(visibility === undefined ? {} : { visibility }),
      ...(madeFrom === undefined ? {} : { madeFrom }),
      tables: written
    })
  )
  return file
}
