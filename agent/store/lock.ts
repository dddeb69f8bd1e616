import { readFile, writeFile } from 'node:fs/promises'
import { isBusy, StateInUse } from './errors.ts'
import { Handle } from './handle.ts'

export interface Lock {
  release(): Promise<void>
}

/**
 * Keeps a second agent off the state. The lock is SQLite's own on an empty database beside it: the operating system frees it
 * when the process dies, however it dies, so there is no stale lock file to remove by hand.
 *
 * @throws {StateInUse}
 */
export async function lockState(file: string): Promise<Lock> {
  const lockFile = `${file}-lock`
  const ownerFile = `${file}-owner`
  const handle = await Handle.open(lockFile, 'write')
  try {
    await handle.execute('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    await handle.close()
    if (!isBusy(error)) throw error
    const owner = await readFile(ownerFile, 'utf8').catch(() => undefined)
    throw new StateInUse(file, owner?.trim())
  }
  // Only to name the owner in the message: the lock holds without it, on a full disk too.
  await writeFile(ownerFile, `${process.pid}\n`, { mode: 0o600 }).catch(() => undefined)
  return { release: async () => await handle.close() }
}
