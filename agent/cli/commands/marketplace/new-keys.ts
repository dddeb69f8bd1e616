import { access, rename } from 'node:fs/promises'
import { createKey, KeyFileMissing, peerOfKeyFile } from '../../../identity/index.ts'
import type { Context } from '../../context.ts'
import { newPassphrase } from '../../passphrase.ts'

/** Where a key lies that is to take the place of another once a membership lists it. */
export const successorOf = (file: string): string => `${file}.new`

/** The peer id of a key file; undefined where there is none. */
export async function peerIfThere(file: string): Promise<string | undefined> {
  try {
    return (await peerOfKeyFile(file)).peer
  } catch (error) {
    if (error instanceof KeyFileMissing) return undefined
    throw error
  }
}

/** Makes the key that is to follow, protected as the one before; a second call finds the first one's. */
export async function makeSuccessor(context: Context, file: string): Promise<string> {
  const successor = successorOf(file)
  const there = await peerIfThere(successor)
  if (there !== undefined) return there
  const { passphrase } = await peerOfKeyFile(file).catch((error: unknown) => {
    // A key that was lost: nobody knows whether it had a passphrase.
    if (error instanceof KeyFileMissing) return { passphrase: false }
    throw error
  })
  await createKey(successor, passphrase ? { passphrase: await newPassphrase(context.terminal) } : {})
  return (await peerOfKeyFile(successor)).peer
}

/**
 * Puts the key that is to follow in its place, if the membership lists it. The key before is kept beside it, in case that the
 * membership is not the one that was meant.
 *
 * @returns the new key's peer id; undefined when the one before goes on
 */
export async function succeed(file: string, listed: readonly string[]): Promise<string | undefined> {
  const next = await peerIfThere(successorOf(file))
  const before = await peerIfThere(file)
  if (next === undefined || !listed.includes(next)) return undefined
  if (before !== undefined && listed.includes(before)) return undefined
  const exists = await access(file).then(
    () => true,
    () => false
  )
  if (exists && before !== undefined) await rename(file, `${file}.before-${before.slice(-8)}`)
  await rename(successorOf(file), file)
  return next
}
