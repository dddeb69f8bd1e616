import { randomUUID } from 'node:crypto'
import { lchown, lstat, mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Part } from '../../services/index.ts'
import { JobFailed } from './errors.ts'
import { NOBODY } from './jail-command.ts'
import type { JobFolder } from './launcher.ts'

/** Makes folders of jobs below one root, which holds nothing else. */
export class JobFolders {
  constructor(
    private readonly root: string,
    /** Whether jobs run as nobody and must own their folder. */
    private readonly handOver: boolean
  ) {}

  /** Empties the root: what a previous run left is of no use and may hold data. */
  async clear(): Promise<void> {
    await mkdir(this.root, { recursive: true, mode: 0o700 })
    for (const name of await readdir(this.root))
      await rm(join(this.root, name), { recursive: true, force: true, maxRetries: 5 })
  }

  async make(): Promise<JobFolder> {
    const path = join(this.root, randomUUID())
    await mkdir(path, { mode: 0o700 })
    await Promise.all(['in', 'out', 'tmp'].map((name) => mkdir(join(path, name), { mode: 0o700 })))
    await this.own(path)
    return { path, wipe: () => wipe(path) }
  }

  /** Gives a folder and what the agent put into it to the job's user. */
  async own(path: string): Promise<void> {
    if (!this.handOver) return
    await lchown(path, NOBODY, NOBODY)
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const child = join(path, entry.name)
      if (entry.isDirectory()) await this.own(child)
      else await lchown(child, NOBODY, NOBODY)
    }
  }
}

async function wipe(path: string): Promise<number> {
  const bytes = await folderBytes(path)
  await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
  return bytes
}

/** What a folder's files hold, links not followed; 0 when it is gone. */
export async function folderBytes(path: string): Promise<number> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  let bytes = 0
  for (const entry of entries) {
    const child = join(path, entry.name)
    if (entry.isDirectory()) bytes += await folderBytes(child)
    else bytes += (await lstat(child).catch(() => ({ size: 0 }))).size
  }
  return bytes
}

/**
 * Checks that what a job reports to have written is that: a link out of its folder would make the agent read any file of the
 * host.
 *
 * @throws {JobFailed} internal
 */
export async function checkOutput(folder: string, parts: readonly Part[]): Promise<void> {
  const root = await realpath(folder)
  for (const { path, bytes } of parts) {
    const file = join(root, path)
    const real = await realpath(file).catch(() => undefined)
    const found = await lstat(file).catch(() => undefined)
    if (
      real !== file ||
      found === undefined ||
      !found.isFile() ||
      found.nlink !== 1 ||
      found.size !== bytes
    ) {
      throw new JobFailed(
        'internal',
        `the job reported ${path}, which is not a file of ${bytes} bytes of its own`
      )
    }
  }
}
