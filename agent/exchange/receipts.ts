import type { PlacedStep, Resources, ResultTerms } from '../../protocol/documents/index.ts'
import type { ReportOf } from '../../services/index.ts'
import { roundedUp } from '../composition/index.ts'
import type { Body } from '../negotiation/index.ts'
import type { Spent } from './job-run.ts'

export type ReceiptBody = Omit<Body<'receipt'>, 'log' | 'decisions'>

export interface StepDone {
  step: number
  service: string
  rows: number | null
  /** Rows that anonymising left out, rounded. */
  withheld?: number | undefined
  /** Groups that stayed, where they are protected. */
  suppressed?: number | undefined
  milliseconds: number
}

/** Whether what is made under these terms are aggregates that protect the people behind them. */
export function isProtected({ minGroupSize }: Pick<ResultTerms, 'minGroupSize'>): boolean {
  return minGroupSize !== undefined
}

/** The first two digits of a count; the others would tell whether somebody is there. */
export function twoDigits(count: number): number {
  if (count < 100) return count < 10 ? 0 : Math.round(count / 10) * 10
  const unit = 10 ** (String(Math.floor(count)).length - 2)
  return Math.round(count / unit) * unit
}

export interface JobDone {
  contract: string
  request: string
  organisation: string
  steps: readonly StepDone[]
  /** Which of several runs of the same steps; one for each flow that leaves. */
  round: number
  /** Whether the output is protected: then counts are not told exactly. */
  protected: boolean
  /** Digests of the parts that came in and went out. */
  inputs: readonly string[]
  outputs: readonly string[]
  bytes: number
  spent: readonly Spent[]
  resources: Resources
}

const ALGORITHM = 'algorithm'
const MICRO = 1e6
const LEAST_WITHHELD = 16

/** How large the gap is, not how many: the exact number would tell of groups that nobody is to know of. */
function withheldOf(rows: number | undefined): number | undefined {
  return rows === undefined || rows === 0 ? rows : Math.max(LEAST_WITHHELD, roundedUp(rows))
}

/** What a job tells of the steps that a party had in the chain, in their order. */
export function stepsDone(
  own: readonly PlacedStep[],
  { steps, suppressed }: Pick<ReportOf<'query'>, 'steps' | 'suppressed'>
): StepDone[] {
  return own.map(({ step, service }, index) => ({
    step,
    service,
    rows: steps[index]?.rows ?? null,
    withheld: withheldOf(steps[index]?.withheld),
    suppressed: service === ALGORITHM ? suppressed : undefined,
    milliseconds: steps[index]?.milliseconds ?? 0
  }))
}

/**
 * A receipt body for each step. CPU and energy of the job are shared out over its steps by the time each took; energy is an
 * estimate: CPU seconds times what one core draws between idle and full.
 */
export function receiptsOf(done: JobDone): ReceiptBody[] {
  const cpuSeconds = done.spent.reduce((sum, one) => sum + one.cpuSeconds, 0)
  const milliseconds = done.spent.reduce((sum, one) => sum + one.milliseconds, 0)
  const wipedBytes = done.spent.reduce((sum, one) => sum + one.wiped.bytes, 0)
  const wipedAt = done.spent.at(-1)?.wiped.at
  const { idle, full } = done.resources.milliwatts
  const wattsPerCore = (full - idle) / 1000 / done.resources.cores
  const inSteps = done.steps.reduce((sum, one) => sum + one.milliseconds, 0)
  const told = (count: number): number => (done.protected ? twoDigits(count) : count)
  return done.steps.map((step, index) => {
    const share = inSteps === 0 ? 1 / done.steps.length : step.milliseconds / inSteps
    const last = index === done.steps.length - 1
    return {
      contract: done.contract,
      request: done.request,
      organisation: done.organisation,
      step: step.step,
      service: step.service,
      round: done.round,
      inputs: index === 0 ? [...done.inputs] : [],
      outputs: last ? [...done.outputs] : [],
      rows: done.protected ? null : step.rows,
      ...(step.withheld === undefined ? {} : { withheld: step.withheld }),
      ...(step.suppressed === undefined ? {} : { suppressed: step.suppressed }),
      bytes: last ? told(done.bytes) : null,
      cpuMicroseconds: Math.round(cpuSeconds * share * MICRO),
      microjoules: Math.round(cpuSeconds * share * wattsPerCore * MICRO),
      energy: 'estimated',
      cache: 'none',
      milliseconds: Math.round(milliseconds * share),
      wiped: last && wipedAt !== undefined ? { bytes: told(wipedBytes), at: wipedAt } : null
    }
  })
}
