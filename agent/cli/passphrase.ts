import type { PrivateKey } from '@libp2p/interface'
import { loadKey, peerOfKeyFile } from '../identity/index.ts'
import { UsageError } from './exit.ts'
import type { Terminal } from './terminal.ts'

const SHORTEST = 8

/** For a key that is about to be made: DYNAMOS_PASSPHRASE, or asked twice. */
export async function newPassphrase(terminal: Terminal): Promise<string> {
  const given = terminal.env.DYNAMOS_PASSPHRASE
  const passphrase = given ?? (await terminal.readSecret('New passphrase: '))
  if (passphrase.length < SHORTEST)
    throw new UsageError(
      `expected a passphrase of at least ${SHORTEST} characters, found ${passphrase.length}`
    )
  if (given === undefined && (await terminal.readSecret('Once more: ')) !== passphrase)
    throw new UsageError('the two passphrases differ; nothing was made')
  return passphrase
}

/** Opens a key file, asking for its passphrase only when it has one. */
export async function openKey(file: string, terminal: Terminal): Promise<PrivateKey> {
  const { passphrase } = await peerOfKeyFile(file)
  if (!passphrase) return await loadKey(file)
  const given = terminal.env.DYNAMOS_PASSPHRASE
  return await loadKey(file, { passphrase: given ?? (await terminal.readSecret(`Passphrase of ${file}: `)) })
}
