import { spawn } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { toError } from '../../protocol/errors/index.ts'
import { type ConnectorAnswer, type ConnectorOrder, connectorAnswer } from '../../services/connector/index.ts'
import type { JobLimits, SourceTable } from '../../services/index.ts'
import { type DatabaseFile, loadDatabaseFile } from '../config/index.ts'
import { JobFailed } from './errors.ts'
import { type Command, FILTER_FD, type Host, INSIDE, jailCommand } from './jail-command.ts'
import type { JobFolder } from './launcher.ts'
import type { JobLogger } from './logger.ts'
import { isFiltered, seccompFilter } from './seccomp.ts'
import { CONNECTING } from './system-calls.ts'
import { Watch } from './watch.ts'

const MAX_ANSWER = 4 * 1024 * 1024
/** Beside what the server is told itself: to connect, and to end. */
const GRACE_SECONDS = 15

export interface ConnectorInit {
  host: Host | undefined
  /** The bundle of the runner; the connector's lies beside it. */
  runner: string
  nodeModules: string
  logger: JobLogger
}

interface Wanted {
  table: string
  columns?: string[]
  file?: string
}
type Looked = Extract<ConnectorAnswer, { kind: 'tables' }>['tables']

/**
 * Reads a server in a process of its own, used once: it has a network, the address and password of one database, and a folder to
 * write into; no file of the host and no text of an analyst. What it wrote is read by a job without a network.
 */
export class Connector {
  constructor(private readonly init: ConnectorInit) {}

  /** @throws {JobFailed} dataset-missing, dataset-malformed, disk-limit, job-timeout, job-cancelled */
  async read(
    file: string,
    tables: readonly Wanted[],
    folder: JobFolder,
    limits: JobLimits,
    signal?: AbortSignal
  ): Promise<Looked> {
    const described = await loadDatabaseFile(file).catch((cause: unknown) => {
      const { message } = toError(cause)
      throw new JobFailed('dataset-malformed', message, { cause, hint: message })
    })
    const connection = await connectionOf(described, file)
    const order: ConnectorOrder = {
      connection,
      seconds: limits.seconds,
      bytes: limits.disk,
      tables: [...tables]
    }
    const answer = await this.run(order, folder, limits, signal)
    if (answer.kind === 'failed') {
      this.init.logger.debug({ file, message: answer.message }, 'a database could not be read')
      throw new JobFailed(answer.code, `${file}: ${answer.message}`, {
        hint: `${basename(file)}: ${answer.hint}`
      })
    }
    if (answer.tables.length !== tables.length)
      throw new JobFailed('internal', 'the connector answered for other tables')
    return answer.tables
  }

  private async command(folder: JobFolder, bundle: string): Promise<Command> {
    const { host, nodeModules } = this.init
    if (host === undefined) return { command: process.execPath, args: ['--max-old-space-size=256', bundle] }
    const filter =
      host.filter !== undefined && isFiltered(process.arch)
        ? seccompFilter(process.arch, CONNECTING)
        : undefined
    const spec = { folder: folder.path, runner: bundle, nodeModules, files: new Map(), network: true }
    return await jailCommand({ ...host, filter }, spec)
  }

  private async run(
    order: ConnectorOrder,
    folder: JobFolder,
    limits: JobLimits,
    signal?: AbortSignal
  ): Promise<ConnectorAnswer> {
    const { host, runner } = this.init
    const { command, args, filter } = await this.command(folder, join(dirname(runner), 'connector.mjs'))
    const env = host === undefined ? { PATH: process.env.PATH ?? '/usr/bin', TZ: 'UTC' } : {}
    const child = spawn(command, args, {
      cwd: folder.path,
      env,
      stdio: ['pipe', 'pipe', 'pipe', ...(filter === undefined ? [] : (['pipe'] as const))],
      detached: true
    })
    const { stdin, stdout, stderr, stdio } = child
    if (stdin === null || stdout === null || stderr === null)
      throw new JobFailed('internal', 'a connector was started without its pipes')
    const pipe = stdio[FILTER_FD]
    if (pipe instanceof Writable) pipe.on('error', () => undefined).end(filter)
    const kill = (): void => {
      if (child.pid === undefined) return
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        child.kill('SIGKILL')
      }
    }
    let reason: JobFailed | undefined
    const stop = (failure: JobFailed): void => {
      reason ??= failure
      kill()
    }
    // what a server makes it hold or write is no more than a job may
    const watched = { pid: child.pid, kill: stop }
    const watch = new Watch(watched, folder.path, limits, undefined, '')
    const cancel = (): void => stop(new JobFailed('job-cancelled', 'cancelled while it read a database'))
    signal?.addEventListener('abort', cancel, { once: true })
    const timer = setTimeout(
      () =>
        stop(new JobFailed('job-timeout', 'the connector', { hint: 'the database took longer than it may' })),
      (order.seconds + GRACE_SECONDS) * 1000
    )
    let said = ''
    stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.length > MAX_ANSWER) stop(new JobFailed('internal', 'the connector said too much'))
    })
    stderr.resume()
    stdin.on('error', () => undefined).end(JSON.stringify(order))
    watch.resume()
    try {
      await new Promise<void>((resolve, reject) => {
        child.once('error', (cause) => reject(new JobFailed('sandbox-unavailable', String(cause), { cause })))
        child.once('close', () => resolve())
        if (signal?.aborted) cancel()
      })
    } finally {
      kill()
      watch.rest()
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
    }
    if (reason !== undefined) throw reason
    const answer = connectorAnswer.safeParse(parsed(said))
    if (!answer.success) throw new JobFailed('job-killed', 'the connector ended without an answer')
    return answer.data
  }
}

/** Where a table of an assignment is copied to, in the job's folder. */
export interface Copy {
  source: SourceTable
  /** What is read of it; all when undefined. */
  columns: string[] | undefined
}

/**
 * Copies tables of servers into a job's folder, those of one server in one snapshot; gives each as the job is to read it.
 *
 * @throws {JobFailed} dataset-changed when rows are others than were expected
 */
export async function copyTables(
  connector: Connector,
  copies: readonly Copy[],
  folder: JobFolder,
  limits: JobLimits,
  { sandboxed, signal }: { sandboxed: boolean; signal: AbortSignal }
): Promise<Map<SourceTable, SourceTable>> {
  const made = new Map<SourceTable, SourceTable>()
  const numbered = copies.map((copy, index) => ({ ...copy, file: `in/copied-${index}.csv` }))
  for (const path of new Set(copies.map(({ source }) => source.path))) {
    const here = numbered.filter(({ source }) => source.path === path)
    const wanted = here.map(({ source, columns, file }) => ({
      table: source.table ?? source.name,
      file,
      ...(columns === undefined ? {} : { columns })
    }))
    const found = await connector.read(path, wanted, folder, limits, signal)
    for (const [index, { source, file }] of here.entries()) {
      const table = found[index]
      if (table === undefined) continue
      if (source.version !== undefined && source.version !== table.version)
        throw new JobFailed('dataset-changed', `${path}: rows of ${source.name} changed`, {
          hint: `table "${source.name}" changed since the offer`
        })
      const names = new Set(table.columns.map(({ name }) => name.toLowerCase()))
      made.set(source, {
        ...source,
        path: join(sandboxed ? INSIDE.job : folder.path, file),
        copied: table.columns,
        columns: source.columns.filter((column) => names.has((column.from ?? column.name).toLowerCase()))
      })
    }
  }
  return made
}

/** Columns of the file that an order of an extract needs: those it names, and those of its predicate. */
export function columnsToCopy(source: SourceTable, columns: readonly string[], where = ''): string[] {
  const named = new Set(columns)
  // texts and names in one go: either may hold the other's quotes
  for (const [, name] of where.matchAll(/'(?:[^']|'')*'|"((?:[^"]|"")*)"/g))
    if (name !== undefined) named.add(name.replaceAll('""', '"'))
  const alike = new Set([...named].map((name) => name.toLowerCase()))
  return source.columns
    .filter(({ name }) => alike.has(name.toLowerCase()))
    .map(({ name, from }) => from ?? name)
}

async function connectionOf(
  { tls, ...where }: DatabaseFile,
  file: string
): Promise<ConnectorOrder['connection']> {
  // names are looked up here: the connector has no file of the host to do so
  const address = await lookup(where.host).catch((cause: unknown) => {
    throw new JobFailed('dataset-missing', `${file}: ${where.host} has no address`, {
      cause,
      hint: `${basename(file)}: the database cannot be found`
    })
  })
  const servername = isIP(where.host) === 0 ? { servername: where.host } : {}
  return { ...where, host: address.address, tls: tls === null ? null : { ...tls, ...servername } }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
