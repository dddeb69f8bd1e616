/**
 * Benchmarks: `npm run --silent bench -- NAME [--json] [--repetitions N] [--rows N]`. Needs `npm run build`. With `--json` exactly one
 * document on standard output; progress goes to standard error.
 */
import '../../agent/polyfill.ts'
import { parseArgs } from 'node:util'
import { auditBench } from './audit.ts'
import type { Benchmark } from './benchmark.ts'
import { chartBench } from './chart.ts'
import { explainBench } from './explain.ts'
import { negotiateBench } from './negotiate.ts'
import { policyBench } from './policy.ts'
import { requestBench } from './request.ts'
import { startBench } from './start.ts'
import { describeMachine, type Report, type Result } from './statistics.ts'

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  request: requestBench,
  negotiate: negotiateBench,
  start: startBench,
  explain: explainBench,
  policy: policyBench,
  chart: chartBench,
  audit: auditBench
}

const USAGE = `expected one of ${Object.keys(BENCHMARKS).join(', ')}, then [--json] [--repetitions 1–1000] [--rows 1–10000000]`

function wholeNumber(text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1 || number > most) throw new Error(`${USAGE}; found ${text}`)
  return number
}

function table({ results }: Report): string {
  const width = Math.max(...results.map((result) => result.case.length))
  const figure = (value: number | null) => (value === null ? '–' : value.toFixed(1)).padStart(10)
  const line = ({ case: name, median, p95, unit, ratio }: Result) =>
    `${name.padEnd(width)} ${figure(median)} ${figure(p95)}  ${unit}${ratio === null ? '' : `  ${ratio}×`}`
  return [`${''.padEnd(width)} ${'median'.padStart(10)} ${'p95'.padStart(10)}`, ...results.map(line)].join(
    '\n'
  )
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      repetitions: { type: 'string' },
      rows: { type: 'string' }
    }
  })
  const [name = ''] = positionals
  const bench = BENCHMARKS[name]
  if (bench === undefined) throw new Error(`${USAGE}; found ${name === '' ? 'nothing' : name}`)
  const repetitions = wholeNumber(values.repetitions, 1_000)
  const rows = wholeNumber(values.rows, 10_000_000)
  const machine = describeMachine()
  const { notes, results } = await bench({
    ...(repetitions === undefined ? {} : { repetitions }),
    ...(rows === undefined ? {} : { rows }),
    say: (text) => process.stderr.write(`${name}: ${text}\n`)
  })
  const report: Report = { bench: name, machine, notes, results }
  process.stdout.write(`${values.json ? JSON.stringify(report) : table(report)}\n`)
}

await main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
