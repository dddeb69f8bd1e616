import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'

/** One figure of a benchmark. */
export interface Result {
  case: string
  median: number
  p95: number
  unit: string
  /** What the same measurement took as its yardstick; null where there is none. */
  reference: number | null
  ratio: number | null
  /** How many values the figures are of. */
  n: number
}

export interface Report {
  bench: string
  machine: Record<string, string | number | number[]>
  notes: string[]
  results: Result[]
}

/** The value below which a share `q` of the values lies (nearest rank). */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  const rank = Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))
  return sorted[rank] ?? Number.NaN
}

const rounded = (value: number) => Math.round(value * 100) / 100

/** @param reference the median of the yardstick, in the same unit */
export function resultOf(
  name: string,
  values: readonly number[],
  { unit = 'ms', reference = null }: { unit?: string; reference?: number | null } = {}
): Result {
  const median = quantile(values, 0.5)
  return {
    case: name,
    median: rounded(median),
    p95: rounded(quantile(values, 0.95)),
    unit,
    reference: reference === null ? null : rounded(reference),
    ratio: reference === null || reference === 0 ? null : rounded(median / reference),
    n: values.length
  }
}

function revision(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

/** What the machine that measured is: without it no figure means anything. */
export function describeMachine(): Report['machine'] {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    revision: revision(),
    loadBefore: loadavg().map(rounded)
  }
}
