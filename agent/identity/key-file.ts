import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { generateKeyPair, privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { z } from 'zod'
import { hasCode, toError } from '../../protocol/errors/index.ts'
import { KeyFileMissing, KeyFileOpen, NotAKeyFile, WrongPassphrase } from './errors.ts'
import { createPrivateFile } from './private-file.ts'

const base64 = z.string().regex(/^[A-Za-z0-9+/]+=*$/)

/** The file says itself how it is to be read; a reader needs nothing but the passphrase. */
const keyFile = z.strictObject({
  kind: z.literal('dynamos-key'),
  version: z.literal(1),
  type: z.literal('Ed25519'),
  /** The peer id of the key, readable without the passphrase. */
  peer: z.string(),
  protection: z.union([
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({
      kind: z.literal('scrypt-chacha20-poly1305'),
      /** RFC 7914; N is bounded so that a file cannot eat the machine. */
      N: z
        .int()
        .min(1 << 14)
        .max(1 << 20),
      r: z.int().min(1).max(16),
      p: z.int().min(1).max(4),
      salt: base64,
      nonce: base64
    })
  ]),
  key: base64
})
type KeyFile = z.infer<typeof keyFile>
type Protection = Extract<KeyFile['protection'], { kind: 'scrypt-chacha20-poly1305' }>

const SCRYPT = { N: 1 << 15, r: 8, p: 1 }
const TAG_BYTES = 16
const derive = promisify<
  string,
  Uint8Array,
  number,
  { N: number; r: number; p: number; maxmem: number },
  Buffer
>(scrypt)

export interface KeyOptions {
  /** Asked of keys that were made with one; empty counts as none. */
  passphrase?: string
}

async function wrappingKey(passphrase: string, salt: Uint8Array, cost: typeof SCRYPT): Promise<Buffer> {
  const { N, r, p } = cost
  return await derive(passphrase.normalize('NFKC'), salt, 32, { N, r, p, maxmem: 256 * N * r })
}

function peerOf(key: PrivateKey): string {
  return peerIdFromPrivateKey(key).toString()
}

async function protect(key: PrivateKey, passphrase: string): Promise<KeyFile> {
  const common = { kind: 'dynamos-key', version: 1, type: 'Ed25519', peer: peerOf(key) } as const
  if (passphrase === '') {
    return { ...common, protection: { kind: 'none' }, key: Buffer.from(key.raw).toString('base64') }
  }
  const salt = randomBytes(32)
  const nonce = randomBytes(12)
  const cipher = createCipheriv('chacha20-poly1305', await wrappingKey(passphrase, salt, SCRYPT), nonce, {
    authTagLength: TAG_BYTES
  })
  cipher.setAAD(Buffer.from(common.peer), { plaintextLength: key.raw.byteLength })
  const sealed = Buffer.concat([cipher.update(key.raw), cipher.final(), cipher.getAuthTag()])
  return {
    ...common,
    protection: {
      kind: 'scrypt-chacha20-poly1305',
      ...SCRYPT,
      salt: salt.toString('base64'),
      nonce: nonce.toString('base64')
    },
    key: sealed.toString('base64')
  }
}

async function unseal(
  path: string,
  file: KeyFile,
  protection: Protection,
  passphrase: string
): Promise<Buffer> {
  if (passphrase === '') throw new WrongPassphrase(path, 'this key is protected: a passphrase is needed')
  const sealed = Buffer.from(file.key, 'base64')
  const secret = await wrappingKey(passphrase, Buffer.from(protection.salt, 'base64'), protection)
  try {
    const cipher = createDecipheriv('chacha20-poly1305', secret, Buffer.from(protection.nonce, 'base64'), {
      authTagLength: TAG_BYTES
    })
    cipher.setAAD(Buffer.from(file.peer), { plaintextLength: sealed.byteLength - TAG_BYTES })
    cipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    return Buffer.concat([cipher.update(sealed.subarray(0, -TAG_BYTES)), cipher.final()])
  } catch {
    throw new WrongPassphrase(path)
  }
}

/** What a key file holds, read with its permissions checked; nothing in it is believed yet but its shape. */
async function readKeyFile(path: string): Promise<KeyFile> {
  const handle = await open(path, 'r').catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') throw new KeyFileMissing(path, { cause: thrown })
    throw thrown
  })
  let text: string
  try {
    const { mode, size } = await handle.stat()
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) throw new KeyFileOpen(path, mode & 0o777)
    if (size > 8192) throw new NotAKeyFile(path, `a file of ${size} bytes`)
    text = await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new NotAKeyFile(path, 'no JSON', { cause })
  }
  const parsed = keyFile.safeParse(value)
  if (!parsed.success) throw new NotAKeyFile(path, 'other fields', { cause: parsed.error })
  return parsed.data
}

/**
 * Opens a key file.
 *
 * @throws {KeyFileMissing}, {KeyFileOpen} when others may read it, {NotAKeyFile}, {WrongPassphrase}
 */
export async function loadKey(path: string, options: KeyOptions = {}): Promise<PrivateKey> {
  const file = await readKeyFile(path)
  const raw =
    file.protection.kind === 'none'
      ? Buffer.from(file.key, 'base64')
      : await unseal(path, file, file.protection, options.passphrase ?? '')
  let key: PrivateKey
  try {
    key = privateKeyFromRaw(raw)
  } catch (cause) {
    throw new NotAKeyFile(path, 'no Ed25519 key', { cause })
  }
  if (key.type !== 'Ed25519' || peerOf(key) !== file.peer) {
    throw new NotAKeyFile(path, `a key of another peer than ${file.peer}`)
  }
  return key
}

/** Makes a new key file, mode 0600, whole or not at all. @throws an error with code EEXIST when there is a file already */
export async function createKey(path: string, options: KeyOptions = {}): Promise<PrivateKey> {
  const key = await generateKeyPair('Ed25519')
  const content = `${JSON.stringify(await protect(key, options.passphrase ?? ''), undefined, 2)}\n`
  await createPrivateFile(path, content)
  return key
}

/** The key of a path; made at the first call, the same ever after, also when two processes start at once. */
export async function loadOrCreateKey(path: string, options: KeyOptions = {}): Promise<PrivateKey> {
  try {
    return await loadKey(path, options)
  } catch (thrown) {
    if (!(thrown instanceof KeyFileMissing)) throw thrown
  }
  try {
    return await createKey(path, options)
  } catch (thrown) {
    const error = toError(thrown)
    if (hasCode(error, 'EEXIST')) return await loadKey(path, options)
    throw error
  }
}

/** Whose key a file holds, without the passphrase. What it says is proved only by {@link loadKey}. */
export async function peerOfKeyFile(path: string): Promise<{ peer: string; passphrase: boolean }> {
  const file = await readKeyFile(path)
  return { peer: file.peer, passphrase: file.protection.kind !== 'none' }
}
