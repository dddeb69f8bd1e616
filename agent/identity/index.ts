/**
 * Who this agent is: Ed25519 keys in files (agents, stewards, authorities alike), and the lock that keeps a second agent off
 * the same data directory.
 *
 * @example
 * ```ts
 * const lock = await lockDirectory('/var/lib/dynamos')
 * const key = await loadOrCreateKey('/var/lib/dynamos/agent.key')
 * await lock.release()
 * ```
 */
export { type DirectoryLock, lockDirectory } from './directory-lock.ts'
export { DirectoryInUse, KeyFileMissing, KeyFileOpen, NotAKeyFile, WrongPassphrase } from './errors.ts'
export { createKey, type KeyOptions, loadKey, loadOrCreateKey, peerOfKeyFile } from './key-file.ts'
export { createPrivateFile, replacePrivateFile } from './private-file.ts'
export { processStart } from './process-start.ts'
