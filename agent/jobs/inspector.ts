import { randomUUID } from 'node:crypto'
import type { Assignment, JobLimits, ReportOf } from '../../services/index.ts'
import { answers, parseReport } from './answer.ts'
import type { ControlGroups } from './control-group.ts'
import { JobFailed } from './errors.ts'
import type { JobFolders } from './job-folder.ts'
import type { JobLogger } from './logger.ts'
import type { StartedJail, Starter } from './starter.ts'
import { memoryFailure, Watch } from './watch.ts'

const LIMITS: JobLimits = { memory: 256 * 1024 * 1024, threads: 1, seconds: 86_400, disk: 64 * 1024 * 1024 }

type InspectAssignment = Extract<Assignment, { kind: 'inspect' }>

interface Running extends StartedJail {
  watch: Watch
}

/** The one sandbox that is used again: it inspects statements and holds no data. Replaced whenever it fails. */
export class Inspector {
  private running: Promise<Running> | undefined
  private queue: Promise<unknown> = Promise.resolve()
  private stopped = false

  constructor(
    private readonly starter: Starter,
    private readonly folders: JobFolders,
    private readonly groups: ControlGroups | undefined,
    private readonly milliseconds: number,
    private readonly logger: JobLogger
  ) {}

  async prepare(): Promise<void> {
    await this.current()
  }

  /** @throws {JobFailed} with an `sql-…` code; `sql-too-complex` when it takes too long */
  inspect(assignment: InspectAssignment, signal?: AbortSignal): Promise<ReportOf<'inspect'>> {
    const turn = this.queue.then(() => this.inspectNow(assignment, signal))
    this.queue = turn.catch(() => undefined)
    return turn
  }

  async stop(): Promise<void> {
    this.stopped = true
    await this.drop()
  }

  private async inspectNow(
    assignment: InspectAssignment,
    signal?: AbortSignal
  ): Promise<ReportOf<'inspect'>> {
    if (signal?.aborted) throw new JobFailed('job-cancelled', 'cancelled before it began')
    const { jail, watch } = await this.usable()
    watch.resume()
    const cancel = (): void => jail.kill(new JobFailed('job-cancelled', 'cancelled while inspecting'))
    const late = setTimeout(() => {
      const hint = `understanding the statement took longer than ${this.milliseconds} ms`
      jail.kill(new JobFailed('sql-too-complex', hint, { hint }))
    }, this.milliseconds)
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      const report = parseReport((await jail.ask(assignment, LIMITS)).report)
      if (answers<'inspect'>(assignment, report)) return report
      throw new JobFailed('internal', `an inspection answered ${report.kind}`)
    } catch (error) {
      if (!jail.running || (error instanceof JobFailed && error.code === 'internal')) {
        await jail.exited
        const outOfMemory = await watch.stop()
        await this.drop()
        if (!this.stopped)
          this.current().catch((reason: unknown) => this.logger.warn({ reason }, 'no new inspector'))
        if (outOfMemory) throw memoryFailure(LIMITS)
        // a statement that brings the engine down is not one to run on data
        if (error instanceof JobFailed && error.code === 'job-killed') {
          throw new JobFailed('sql-too-complex', error.localMessage, {
            hint: 'understanding the statement failed',
            cause: error
          })
        }
      }
      throw error
    } finally {
      clearTimeout(late)
      watch.rest()
      signal?.removeEventListener('abort', cancel)
    }
  }

  /** One that still runs: it may have ended by itself, or by its own limit of time, since it was last used. */
  private async usable(): Promise<Running> {
    const running = await this.current()
    if (running.jail.running) return running
    await this.drop()
    return await this.current()
  }

  private current(): Promise<Running> {
    if (this.stopped) return Promise.reject(new JobFailed('job-cancelled', 'the launcher has stopped'))
    this.running ??= this.start().catch((error: unknown) => {
      this.running = undefined
      throw error
    })
    return this.running
  }

  private async start(): Promise<Running> {
    const started = await this.starter.start(await this.folders.make(), [])
    try {
      await started.jail.ready
    } catch (error) {
      started.jail.kill()
      await started.jail.exited
      await started.folder.wipe()
      throw error
    }
    const watch = new Watch(started.jail, started.folder.path, LIMITS, this.groups, randomUUID())
    await watch.start()
    watch.rest()
    return { ...started, watch }
  }

  private async drop(): Promise<void> {
    const running = await this.running?.catch(() => undefined)
    this.running = undefined
    if (running === undefined) return
    running.jail.kill()
    await running.jail.exited
    await running.watch.stop()
    await running.folder.wipe()
  }
}
