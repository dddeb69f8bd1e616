import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Benchmark } from './benchmark.ts'
import { startCommand, withLab } from './lab.ts'
import { resultOf } from './statistics.ts'

const IDLE_MS = 5_000
const READY_MS = 30_000
const END_MS = 15_000
const POLL_MS = 100

async function writeOne(dir: string): Promise<string> {
  await mkdir(join(dir, 'Solo'), { recursive: true })
  await writeFile(join(dir, 'Solo', 'numbers.csv'), 'id,value\n1,2\n')
  await writeFile(join(dir, 'Solo', 'dataset.yaml'), 'id: numbers\ntables: {numbers: {path: numbers.csv}}\n')
  const topology = join(dir, 'topology.yaml')
  await writeFile(
    topology,
    'marketplace: {name: start}\nagents: [{name: Solo, roles: [dataProvider], datasets: [Solo/dataset.yaml], users: [a@solo.example]}]\n'
  )
  return topology
}

/** Milliseconds from the start of the process to its line `ready`. */
async function untilReady(child: ChildProcess, start: number): Promise<number> {
  let text = ''
  const late = setTimeout(() => child.kill('SIGKILL'), READY_MS)
  try {
    for await (const chunk of child.stdout ?? []) {
      text += String(chunk)
      if (text.includes('"ready"')) return performance.now() - start
    }
  } finally {
    clearTimeout(late)
  }
  throw new Error(`the agent ended before it was ready: ${text.slice(-500)}`)
}

/** Resident memory in MB. */
async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024
}

async function withDescendants(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  const children: number[] = []
  for (const thread of threads) {
    const text = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')
    for (const child of text
      .trim()
      .split(' ')
      .filter((id) => id !== ''))
      children.push(...(await withDescendants(Number(child))))
  }
  return [pid, ...children]
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  await gone
}

/** For a process that is not this one's child. */
async function endProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM')
  for (let waited = 0; waited < END_MS; waited += POLL_MS) {
    if (!existsSync(`/proc/${pid}`)) return
    await delay(POLL_MS)
  }
  throw new Error(`expected process ${pid} to end within ${END_MS / 1000} s`)
}

/** How long one agent with one dataset takes from its start to `ready`, and what it occupies once it has nothing to do. */
export const startBench: Benchmark = async ({ repetitions = 10, say }) =>
  await withLab(writeOne, async (lab) => {
    // the lab made keys and membership; from here on the agent is started by hand
    await endProcess(lab.pid('Solo'))
    const ready: number[] = []
    const alone: number[] = []
    const whole: number[] = []
    for (let round = 0; round < repetitions; round += 1) {
      const [program, args] = startCommand(lab.dir, 'Solo')
      const start = performance.now()
      const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
      try {
        ready.push(await untilReady(child, start))
        await delay(IDLE_MS)
        if (child.pid !== undefined) {
          alone.push(await residentOf(child.pid))
          const sizes = await Promise.all((await withDescendants(child.pid)).map(residentOf))
          whole.push(sizes.reduce((sum, size) => sum + size, 0))
        }
      } finally {
        await stop(child)
      }
      say(`round ${round + 1} of ${repetitions}`)
    }
    return {
      notes: [
        `memory ${IDLE_MS / 1000} s after ready; jails that wait for work are counted apart, each page as often as it is mapped`
      ],
      results: [
        resultOf('start to ready', ready),
        resultOf('resident when idle, the agent', alone, { unit: 'MB' }),
        resultOf('resident when idle, with waiting jails', whole, { unit: 'MB' })
      ]
    }
  })
