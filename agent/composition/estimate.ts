import type { Resources } from '../../protocol/documents/index.ts'

/** What a share of a chain is expected to take. Milliseconds, millijoules, milligrams CO2e, millionths of the currency. */
export interface Estimate {
  milliseconds: number
  millijoules: number
  carbon: number
  cost: number
}

/** Starting a job that is ready, and the sandbox beside it. */
const JOB_MILLISECONDS = 150
/** DuckDB on CSV with a join, on one core of a small machine. */
const ROWS_PER_MILLISECOND = 1000
/** An encrypted stream on the same kind of machine. */
const BYTES_PER_MILLISECOND = 50_000
const MILLIJOULES_PER_KWH = 3.6e9
const MILLISECONDS_PER_HOUR = 3.6e6

/** A job over so many rows at a party with such resources; energy is the share of one core between idle and full. */
export function estimateJob(rows: number, resources: Resources): Estimate {
  const milliseconds = JOB_MILLISECONDS + rows / ROWS_PER_MILLISECOND
  const milliwattsPerCore = (resources.milliwatts.full - resources.milliwatts.idle) / resources.cores
  const millijoules = (milliseconds / 1000) * milliwattsPerCore
  return {
    milliseconds,
    millijoules,
    carbon: (millijoules / MILLIJOULES_PER_KWH) * resources.carbon,
    cost: (milliseconds / MILLISECONDS_PER_HOUR) * (resources.price?.cpuHourMicros ?? 0)
  }
}

/** Milliseconds that so many bytes take from one party to another. */
export function estimateTransfer(bytes: number): number {
  return bytes / BYTES_PER_MILLISECOND
}

/** The next power of two: tells how large, not how many. */
export function roundedUp(value: number): number {
  return value <= 1 ? Math.ceil(value) : 2 ** Math.ceil(Math.log2(value))
}
