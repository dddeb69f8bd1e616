import type { Isolation } from '../../protocol/documents/index.ts'
import type { Assignment, JobLimits, ReportOf, SourceTable } from '../../services/index.ts'

export type SandboxKind = 'bubblewrap' | 'none'

/** What a finished job cost. `joules` is derived elsewhere from CPU seconds and declared watts. */
export interface JobUsage {
  cpuSeconds: number
  milliseconds: number
  maxRss: number
}

export interface JobFolder {
  /** Absolute path on the host. The job sees it as its working folder, with `in/` and `out/`. */
  readonly path: string
  /** Removes the folder and everything in it; returns the bytes removed. Safe to call twice. */
  wipe(): Promise<number>
}

export interface JobResult<K extends Assignment['kind']> {
  report: ReportOf<K>
  usage: JobUsage
}

/** Starts single-use, sandboxed jobs. The only way for the agent to let DuckDB touch anything. */
export interface Launcher {
  readonly sandbox: SandboxKind
  /** What the kernel holds jobs to, in their sandboxes. */
  readonly isolation: Readonly<Isolation>
  /**
   * A fresh, empty folder for one job. Fill `in/` before `run`. Saying what it is `for` lets a job that reads data files find
   * a sandbox waiting too; any folder will do for any job.
   */
  folder(options?: { for?: Assignment['kind'] }): Promise<JobFolder>
  /**
   * Runs one assignment in a fresh sandbox and returns its report.
   *
   * @throws {JobFailed} with the runner's code, or `job-timeout`, `job-killed`, `job-cancelled`, `sandbox-unavailable`
   */
  run<K extends Exclude<Assignment['kind'], 'inspect'>>(
    assignment: Extract<Assignment, { kind: K }>,
    folder: JobFolder,
    limits: JobLimits,
    options?: { signal?: AbortSignal }
  ): Promise<JobResult<K>>
  /** Inspects an analyst's statement against schemas, in the reused `inspect` sandbox; killed after 500 ms and then replaced. */
  inspect(
    assignment: Extract<Assignment, { kind: 'inspect' }>,
    options?: { signal?: AbortSignal }
  ): Promise<ReportOf<'inspect'>>
  /**
   * Which rows tables of servers have now: a version for each.
   *
   * @throws {JobFailed} dataset-missing, dataset-malformed
   */
  look(tables: readonly SourceTable[], limits: JobLimits): Promise<string[]>
  /** Makes ready what the next jobs will need (warm sandboxes); resolves when it is there. */
  prepare(): Promise<void>
  stop(): Promise<void>
}
