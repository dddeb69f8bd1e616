import type { Assignment, JobLimits, Report } from '../job/index.ts'

/** What the launcher writes to a runner, as one JSON line. */
export interface Order {
  assignment: Assignment
  limits: JobLimits
}

/** What the runner answers, as one JSON line. */
export interface Answer {
  report: Report
  /** Of the whole process, its start included. */
  usage: { cpuSeconds: number; maxRss: number }
}

/** The runner's first line: the engine is loaded, an order may come. */
export interface Ready {
  kind: 'ready'
}
