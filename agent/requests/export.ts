import { constants } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DynamosError, isStorageFull } from '../../protocol/errors/index.ts'
import type { JobLimits } from '../../services/index.ts'
import type { ResultFormat } from '../api/index.ts'
import { JobFailed, type Launcher } from '../jobs/index.ts'

/** Each takes a sandbox, a core and disk, beside what exchanges need. */
const MOST_AT_ONCE = 2
const MOST_WAITING = 8

/** A result could not be written in the form that was asked for. */
export class ResultNotWritten extends DynamosError {
  static override readonly name = 'ResultNotWritten'
}

export interface ExportComponents {
  launcher: Pick<Launcher, 'folder' | 'run'>
  limits: JobLimits
}

export interface ExportOrder {
  /** The stored result. */
  parquet: string
  format: ResultFormat
  offset: number
  /** Undefined: all that are left. */
  limit?: number
}

/** A file that a job wrote; it lies in the job's folder until it is released. */
export interface ExportedFile {
  path: string
  rows: number
  release(): Promise<void>
}

/**
 * Stored results as people ask for them, each written by a job of its own: the agent never opens the engine, and nobody waits
 * for, or stores, a form that nobody asks for.
 */
export class Exports {
  readonly #components: ExportComponents
  #running = 0
  #waiting: (() => void)[] = []

  constructor(components: ExportComponents) {
    this.#components = components
  }

  /** @throws {ResultNotWritten} `busy`, or the code of what the job lacked */
  async write(order: ExportOrder, signal: AbortSignal): Promise<ExportedFile> {
    await this.#turn(signal)
    try {
      return await this.#write(order, signal)
    } catch (error) {
      throw notWritten(error)
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }

  async #write({ parquet, format, offset, limit }: ExportOrder, signal: AbortSignal): Promise<ExportedFile> {
    const { launcher, limits } = this.#components
    const folder = await launcher.folder({ for: 'export' })
    const release = async (): Promise<void> => {
      await folder.wipe()
    }
    try {
      const path = 'in/result.parquet'
      // A copy: a job may own, and change, all that is in its folder.
      await copyFile(parquet, join(folder.path, path), constants.COPYFILE_FICLONE)
      const page = limit === undefined ? {} : { limit }
      const { report } = await launcher.run(
        { kind: 'export', path, format, offset, ...page },
        folder,
        limits,
        { signal }
      )
      return { path: join(folder.path, report.file.path), rows: report.rows, release }
    } catch (error) {
      await release()
      throw error
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#running >= MOST_AT_ONCE) {
      if (this.#waiting.length >= MOST_WAITING)
        throw new ResultNotWritten(
          'busy',
          `expected at most ${MOST_WAITING} others to wait for a result, found ${this.#waiting.length}; try again`
        )
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== resolve)
        reject(signal.reason)
      }
      this.#waiting.push(resolve)
      signal.addEventListener('abort', leave, { once: true })
      try {
        await promise
      } finally {
        signal.removeEventListener('abort', leave)
      }
    }
    this.#running++
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  'disk-limit': 'raise hosting.perJob.disk, or ask for it in pages or as Parquet',
  'memory-limit': 'raise hosting.perJob.memory, or ask for it in smaller pages or as Parquet',
  'job-timeout': 'raise hosting.perJob.seconds, or ask for it in pages or as Parquet'
}

function notWritten(error: unknown): unknown {
  if (isStorageFull(error))
    return new ResultNotWritten(
      'storage-full',
      'expected room for the result on its way, found the disk of this agent full; free some and try again',
      { cause: error }
    )
  if (!(error instanceof JobFailed)) return error
  const advice = ADVICE[error.code]
  return new ResultNotWritten(
    error.code,
    advice === undefined ? error.message : `${error.message}; ${advice}`,
    {
      cause: error
    }
  )
}
