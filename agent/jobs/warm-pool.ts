import type { Assignment } from '../../services/index.ts'
import { JobFailed } from './errors.ts'
import type { JobFolders } from './job-folder.ts'
import type { JobFolder } from './launcher.ts'
import type { JobLogger } from './logger.ts'
import { sourcesOf } from './sources.ts'
import { type StartedJail, type Starter, stillShows } from './starter.ts'

/** A `plain` jail sees no data file; a `sources` jail sees the registered ones. */
type Kind = 'plain' | 'sources'

/**
 * Jails started in advance, each with an empty folder of its own, for one job each. A folder handed out belongs to its jail:
 * the job that comes with the folder finds the jail waiting in it.
 */
export class WarmPool {
  private readonly idle: Record<Kind, StartedJail[]> = { plain: [], sources: [] }
  private readonly handedOut = new Map<string, StartedJail>()
  private filling: Promise<void> | undefined
  private stopped = false

  constructor(
    private readonly starter: Starter,
    private readonly folders: JobFolders,
    private readonly size: number,
    private readonly sources: () => readonly string[],
    private readonly logger: JobLogger
  ) {}

  /** A folder with a jail in it when one waits. */
  take(kind: Kind): JobFolder | undefined {
    for (;;) {
      const started = this.idle[kind].shift()
      if (started === undefined) return undefined
      if (!started.jail.running) continue
      this.handedOut.set(started.folder.path, started)
      const wipe = async (): Promise<number> => {
        await this.discard(started.folder.path)
        return await started.folder.wipe()
      }
      return { path: started.folder.path, wipe }
    }
  }

  /** The jail of a folder, when it fits the assignment. */
  async claim(folder: JobFolder, assignment: Assignment): Promise<StartedJail | undefined> {
    const started = this.handedOut.get(folder.path)
    if (started === undefined) return undefined
    const sources = sourcesOf(assignment)
    // a query never runs where raw data can be seen
    const fits = sources.length === 0 ? started.files.size === 0 : await stillShows(started, sources)
    if (fits && started.jail.running) {
      this.handedOut.delete(folder.path)
      return started
    }
    await this.discard(folder.path)
    return undefined
  }

  /** Starts what is missing; resolves when all of it is ready. */
  fill(): Promise<void> {
    if (this.stopped) return Promise.resolve()
    this.filling ??= this.refill().finally(() => {
      this.filling = undefined
    })
    return this.filling
  }

  async stop(): Promise<void> {
    this.stopped = true
    await this.filling?.catch(() => undefined)
    const all = [...this.idle.plain.splice(0), ...this.idle.sources.splice(0), ...this.handedOut.values()]
    this.handedOut.clear()
    await Promise.all(all.map(end))
  }

  private async refill(): Promise<void> {
    const sources = this.size === 0 ? [] : await this.starter.bindableInAdvance(this.sources())
    await this.top('plain', this.size, [])
    await this.top('sources', sources.length === 0 ? 0 : 1, sources)
  }

  private async top(kind: Kind, wanted: number, sources: readonly string[]): Promise<void> {
    const idle = this.idle[kind]
    for (const started of idle.splice(0)) {
      const fits =
        started.jail.running && started.files.size === sources.length && (await stillShows(started, sources))
      if (fits) idle.push(started)
      else await end(started)
    }
    while (!this.stopped && idle.length < wanted) {
      const started = await this.starter.start(await this.folders.make(), sources)
      try {
        await started.jail.ready
      } catch (error) {
        await end(started)
        throw error instanceof JobFailed
          ? error
          : new JobFailed('sandbox-unavailable', String(error), { cause: error })
      }
      if (this.stopped) await end(started)
      else idle.push(started)
    }
    this.logger.debug({ kind, waiting: idle.length }, 'sandboxes are ready')
  }

  private async discard(path: string): Promise<void> {
    const started = this.handedOut.get(path)
    if (started === undefined) return
    this.handedOut.delete(path)
    started.jail.kill()
    await started.jail.exited
  }
}

async function end(started: StartedJail): Promise<void> {
  const { jail, folder } = started
  jail.kill()
  await jail.exited
  await folder.wipe()
}
