import type { Result } from './statistics.ts'

export interface BenchmarkOptions {
  /** Absent: the benchmark's own number. */
  repetitions?: number
  rows?: number
  say(text: string): void
}
export type Benchmark = (options: BenchmarkOptions) => Promise<{ notes: string[]; results: Result[] }>
