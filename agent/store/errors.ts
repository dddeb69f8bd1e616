import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { DynamosError, toError } from '../../protocol/errors/index.ts'

/** The disk, or what the database may hold, is full. What was asked for did not happen; what was there is still there. */
export class StorageFull extends DynamosError {
  static override readonly name = 'StorageFull'
  constructor(file: string, options?: ErrorOptions) {
    super('storage-full', `expected room for ${file}, found the disk full; free some and try again`, options)
  }
}

/** The file is no state of an agent, or was damaged. */
export class StateCorrupt extends DynamosError {
  static override readonly name = 'StateCorrupt'
  constructor(file: string, found: string, options?: ErrorOptions) {
    super(
      'state-corrupt',
      `expected the state of an agent in ${file}, found ${found}; move it away and restore a backup`,
      options
    )
  }
}

/** A newer version of the software wrote the state; this one would misread it. */
export class StateTooNew extends DynamosError {
  static override readonly name = 'StateTooNew'
  constructor(file: string, known: number, found: number) {
    super(
      'state-too-new',
      `expected state of version ${known} or older in ${file}, found ${found}; run the newer version, or restore a backup of the older`
    )
  }
}

/** Another process owns the state. */
export class StateInUse extends DynamosError {
  static override readonly name = 'StateInUse'
  constructor(file: string, owner: string | undefined) {
    super(
      'state-in-use',
      `expected to be the only agent on ${file}, found another${owner === undefined ? '' : ` (process ${owner})`}; stop it, or use another data folder`
    )
  }
}

/** A mistake in the agent's own code or a broken promise of the engine; nothing a user can mend. */
export class StoreFailed extends DynamosError {
  static override readonly name = 'StoreFailed'
  constructor(message: string, options?: ErrorOptions) {
    super('internal', message, options)
  }
}

const LITTLE = 1 << 20

function diskIsFull(file: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(file))
    return bavail * bsize < LITTLE
  } catch {
    return false
  }
}

/** What SQLite threw, as one of ours. */
export function storeError(thrown: unknown, file: string): Error {
  if (thrown instanceof DynamosError) return thrown
  const error = toError(thrown)
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') return new StorageFull(file, { cause: error })
  // SQLite reports a full disk as an input/output error where it maps or syncs a file.
  if ((code === 'SQLITE_IOERR' || code === 'SQLITE_CANTOPEN') && diskIsFull(file))
    return new StorageFull(file, { cause: error })
  if (code === 'SQLITE_NOTADB') return new StateCorrupt(file, 'something else', { cause: error })
  if (code === 'SQLITE_CORRUPT') return new StateCorrupt(file, 'it damaged', { cause: error })
  if (!code.startsWith('SQLITE_')) return error
  return new StoreFailed(`${file}: ${error.message}`, { cause: error })
}

function sqliteCode(error: unknown): string {
  const cause = error instanceof DynamosError ? error.cause : undefined
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

/** A uniqueness that the schema guards was broken: the statement did nothing, the transaction stands. */
export function isConstraint(error: unknown): boolean {
  return sqliteCode(error) === 'SQLITE_CONSTRAINT'
}

/** Another process holds the lock that was asked for. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === 'SQLITE_BUSY'
}
