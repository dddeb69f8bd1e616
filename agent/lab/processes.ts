import { spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { processStart } from '../identity/index.ts'
import { LabFailed } from './errors.ts'
import type { LabAgent } from './state.ts'

const POLL_MS = 25
const LOG_TAIL_LINES = 20
/** glibc gives freed memory back to the system on every small free below this, which makes socket reads four times slower. */
const MALLOC_TRIM_THRESHOLD = '268435456'

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Whether this very process runs. */
export async function isAlive({ pid, started }: Pick<LabAgent, 'pid' | 'started'>): Promise<boolean> {
  if (started === '') return answersSignals(pid)
  return (await processStart(pid)) === started
}

/**
 * Starts a process that outlives this one. What it prints goes to its log.
 *
 * @param command program and first arguments
 */
export async function startDetached(
  command: readonly string[],
  log: string
): Promise<{ pid: number; started: string; offset: number }> {
  const [program = process.execPath, ...args] = command
  const file = await open(log, 'a')
  try {
    const { size: offset } = await file.stat()
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', file.fd, file.fd],
      env: { ...process.env, MALLOC_TRIM_THRESHOLD_: MALLOC_TRIM_THRESHOLD }
    })
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (cause) =>
        reject(new LabFailed(`${program} could not be started: ${cause.message}`, { cause }))
      )
    })
    const spawned = new Promise<number>((resolve) => {
      child.once('spawn', () => resolve(child.pid ?? 0))
    })
    const pid = await Promise.race([spawned, failed])
    child.unref()
    return { pid, started: (await processStart(pid)) ?? '', offset }
  } finally {
    await file.close()
  }
}

const ready = z.object({ event: z.literal('ready'), peerId: z.string(), api: z.string() })

function readyIn(text: string): z.infer<typeof ready> | undefined {
  for (const line of text.split('\n')) {
    if (!line.includes('"ready"')) continue
    try {
      const parsed = ready.safeParse(JSON.parse(line))
      if (parsed.success) return parsed.data
    } catch {
      // A line that is still being written, or one of the log's own.
    }
  }
  return undefined
}

/** The last lines of a log, for an error. */
export async function endOf(log: string, offset = 0): Promise<string> {
  const bytes = await readFile(log).catch(() => Buffer.alloc(0))
  return bytes.subarray(offset).toString('utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n')
}

/**
 * Waits for the line `ready` of an agent.
 *
 * @throws {LabFailed} with the end of its log when it ended first, or took too long
 */
export async function waitUntilReady(
  name: string,
  agent: { pid: number; started: string; log: string; offset: number },
  options: { timeout: number; signal: AbortSignal }
): Promise<z.infer<typeof ready>> {
  const limit = AbortSignal.timeout(options.timeout)
  for (;;) {
    options.signal.throwIfAborted()
    // Asked before the log is read: what it wrote last is then there to be read.
    const alive = await isAlive(agent)
    const bytes = await readFile(agent.log)
    const found = readyIn(bytes.subarray(agent.offset).toString('utf8'))
    if (found !== undefined) return found
    if (!alive || limit.aborted) {
      const what = alive ? `was not ready after ${options.timeout / 1000} s` : 'ended before it was ready'
      throw new LabFailed(
        `agent ${name} ${what}. The end of ${agent.log}:\n${await endOf(agent.log, agent.offset)}`
      )
    }
    await delay(POLL_MS)
  }
}

/** SIGTERM to all, then SIGKILL to whoever is left. @returns names that had to be killed */
export async function stopAll(
  agents: Readonly<Record<string, Pick<LabAgent, 'pid' | 'started'>>>,
  options: { timeout: number }
): Promise<string[]> {
  const running = async () => {
    const all = await Promise.all(
      Object.entries(agents).map(async ([name, agent]) => ((await isAlive(agent)) ? [{ name, agent }] : []))
    )
    return all.flat()
  }
  const send = (pid: number, signal: NodeJS.Signals) => {
    try {
      process.kill(pid, signal)
    } catch {
      // It ended in the meantime, which is what is wanted.
    }
  }
  for (const { agent } of await running()) send(agent.pid, 'SIGTERM')
  const limit = AbortSignal.timeout(options.timeout)
  let left = await running()
  while (left.length > 0 && !limit.aborted) {
    await delay(POLL_MS)
    left = await running()
  }
  for (const { agent } of left) send(agent.pid, 'SIGKILL')
  while ((await running()).length > 0) await delay(POLL_MS)
  return left.map(({ name }) => name)
}
