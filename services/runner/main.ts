/**
 * The program that runs inside a sandbox. It loads the engine, says `ready`, takes one order from standard input, does it in
 * its working folder and answers on standard output; only inspections may follow each other. Bundled to `dist/runner.js`.
 */
import { mkdir } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Engine, resourceFailure } from '../engine/index.ts'
import { Failure } from '../failure/index.ts'
import { inspect, prepareShadow } from '../inspect/index.ts'
import type { Report } from '../job/index.ts'
import { confine, runJob } from './job.ts'
import type { Answer, Order, Ready } from './order.ts'
import { jobPlace } from './place.ts'
import { plannerOf } from './steps.ts'

const MAX_REPORT = 12 * 1024 * 1024

async function main(): Promise<void> {
  const place = jobPlace(process.cwd())
  const engine = await Engine.open()
  // the first use of the parser, of JSON and of Parquet costs 20 ms: better before an order than after
  await engine.rows("SELECT json_serialize_sql('SELECT 1'::VARCHAR), sha256('x'::BLOB)")
  await say({ kind: 'ready' })
  let inspecting = false
  for await (const line of createInterface({ input: process.stdin })) {
    // written by the launcher, which checked it
    const { assignment, limits }: Order = JSON.parse(line)
    let report: Report
    try {
      if (assignment.kind === 'inspect') {
        if (!inspecting) {
          await prepareShadow(engine)
          await confine(engine, place, limits, [])
          inspecting = true
        }
        const { sql, tables, algorithm, units } = assignment
        const protect = units === undefined ? undefined : { units, algorithm }
        report = await inspect(engine, sql, tables, plannerOf(algorithm), protect)
      } else {
        if (inspecting) throw new Failure('internal', 'an inspector runs no jobs')
        await Promise.all([place.out, place.scratch].map((folder) => mkdir(folder, { recursive: true })))
        report = await runJob(engine, assignment, limits, place)
      }
    } catch (error) {
      report = failed(error)
    }
    await answer(report)
    if (!inspecting) break
  }
}

function failed(error: unknown): Report {
  const failure =
    error instanceof Failure
      ? error
      : (resourceFailure(error) ??
        new Failure('internal', String(error instanceof Error ? error.stack : error)))
  process.stderr.write(`${failure.code}: ${failure.message.slice(0, 8192)}\n`)
  return failure.report()
}

async function answer(report: Report): Promise<void> {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const usage = { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, maxRss: maxRSS * 1024 }
  const text = JSON.stringify({ report, usage } satisfies Answer)
  if (text.length <= MAX_REPORT) return await write(text)
  const failure = new Failure('output-too-large', 'the report is too large', {
    hint: 'the report of the job is too large'
  })
  await say({ report: failure.report(), usage })
}

async function say(message: Answer | Ready): Promise<void> {
  await write(JSON.stringify(message))
}

function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${text}\n`, (error) => (error ? reject(error) : resolve()))
  })
}

main().then(
  // the engine's threads would keep the process for a moment
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`)
    process.exit(70)
  }
)
