import { access, link, mkdir, mkdtemp, readdir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DynamosError, isStorageFull, toError } from '../../../../protocol/errors/index.ts'
import { UsageError } from '../../exit.ts'

/** The disk of whoever asked is full; nothing was left on it. */
class NoRoom extends DynamosError {
  static override readonly name = 'NoRoom'
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false
  )
}

export async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false
  )
}

/** @throws {UsageError} when one of them is there: nothing is overwritten unasked */
export async function assertFree(paths: readonly string[], overwrite: boolean): Promise<void> {
  if (overwrite) return
  for (const path of paths)
    if (await isThere(path))
      throw new UsageError(`${path} is there already; name another place, or say --overwrite`)
}

/** Gives a finished file its name; one that has it keeps it, also when it came in the meantime. */
async function publish(from: string, to: string, overwrite: boolean): Promise<void> {
  if (overwrite) {
    await rename(from, to)
    return
  }
  try {
    await link(from, to)
  } catch {
    // It is there, or this is a file system without links.
    await assertFree([to], false)
    await rename(from, to)
    return
  }
  await unlink(from)
}

/**
 * Writes files under other names first: what has its name is whole. When that fails, nothing is left.
 *
 * @param write gets a folder, and fills it
 * @param to the folder in which the files get their names
 * @throws {NoRoom} `storage-full`, {UsageError}
 */
export async function placeFiles(
  to: string,
  overwrite: boolean,
  write: (folder: string) => Promise<void>
): Promise<string[]> {
  const made = await mkdir(to, { recursive: true })
  let partial: string | undefined
  try {
    partial = await mkdtemp(join(to, '.partial-'))
    await write(partial)
    const names = await readdir(partial)
    await assertFree(
      names.map((name) => join(to, name)),
      overwrite
    )
    for (const name of names) await publish(join(partial, name), join(to, name), overwrite)
    await rm(partial, { recursive: true, force: true })
    return names.sort()
  } catch (error) {
    if (partial !== undefined) await rm(partial, { recursive: true, force: true })
    if (made !== undefined) await rmdir(to).catch(() => undefined)
    if (!isStorageFull(error) && !isStorageFull(toError(error).cause)) throw error
    throw new NoRoom('storage-full', `expected room in ${to}, found the disk full; nothing was written`, {
      cause: error
    })
  }
}

/** One file, in the same way. */
export async function placeFile(
  path: string,
  overwrite: boolean,
  write: (path: string) => Promise<void>
): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile() === false)
    throw new UsageError(`${path} is no regular file; leave out --out and redirect`)
  await assertFree([path], overwrite)
  await placeFiles(dirname(path), overwrite, async (folder) => await write(join(folder, basename(path))))
}
