import { randomUUID } from 'node:crypto'
import {
  chmod,
  lchown,
  lstat,
  mkdir,
  opendir,
  readdir,
  realpath,
  rename,
  rmdir,
  unlink
} from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../../protocol/errors/index.ts'
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
    for (const entry of await readdir(this.root, { withFileTypes: true })) {
      const left = join(this.root, entry.name)
      await (entry.isDirectory() ? wipe(left) : unlink(left))
    }
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

/** A job's folders are a few: what lies deeper was made to be hard to find. */
const DEEPEST = 16
/** What an entry takes at least, were it empty: a disk runs out of those too. */
const ENTRY_BYTES = 4096

/**
 * Removes a folder of a job that is gone, however it left it: folders closed to their owner are opened, and what lies deeper than a
 * path may be long is carried up first. Links are removed, never followed.
 *
 * @returns the bytes removed
 */
async function wipe(path: string): Promise<number> {
  let bytes = 0
  const folders = [path]
  for (const folder of folders) {
    const found = await lstat(folder).catch(() => undefined)
    if (!found?.isDirectory()) continue
    await chmod(folder, 0o700).catch(ignoreMissing)
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const child = join(folder, entry.name)
      if (entry.isDirectory()) {
        const moved = join(path, randomUUID())
        // carried elsewhere it is written to, so it must be open
        await chmod(child, 0o700).catch(ignoreMissing)
        await rename(child, moved).catch(ignoreMissing)
        folders.push(moved)
      } else {
        bytes += (await lstat(child).catch(() => ({ size: 0 }))).size
        await unlink(child).catch(ignoreMissing)
      }
    }
  }
  for (const folder of folders.reverse()) await rmdir(folder).catch(ignoreMissing)
  return bytes
}

function ignoreMissing(error: unknown): void {
  if (!hasCode(error, 'ENOENT')) throw error
}

/**
 * What a folder takes of the disk, links not followed; more than `most` as soon as that is clear, which it also is of a folder that
 * cannot be looked into.
 */
export async function folderBytes(path: string, most: number, depth = 0): Promise<number> {
  let bytes = 0
  try {
    if (depth > DEEPEST) return Number.POSITIVE_INFINITY
    for await (const entry of await opendir(path)) {
      const child = join(path, entry.name)
      bytes += entry.isDirectory()
        ? ENTRY_BYTES + (await folderBytes(child, most - bytes, depth + 1))
        : await entryBytes(child)
      if (bytes > most) return bytes
    }
  } catch (error) {
    // a job removes its files while it is looked at
    if (!hasCode(error, 'ENOENT')) return Number.POSITIVE_INFINITY
  }
  return bytes
}

async function entryBytes(path: string): Promise<number> {
  try {
    const { size, blocks } = await lstat(path)
    return Math.max(size, blocks * 512, ENTRY_BYTES)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0
    throw error
  }
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
