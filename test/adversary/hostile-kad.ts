import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Connection, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { LevelDatastore } from 'datastore-level'
import * as Digest from 'multiformats/hashes/digest'
import { concat, fromString } from 'uint8arrays'
import { frameOf, KAD_PROTOCOL } from '../../protocol/streams/index.ts'
import type { TestAgent } from '../integration/harness.ts'
import type { HostilePeer } from '../integration/hostile-peer.ts'

const SEE_MS = 10_000
const MOST_STREAMS = 1000
/** As libp2p's DHT numbers them. */
export const KAD = { putValue: 0, addProvider: 2, getProviders: 3, findNode: 4 } as const
const FIELD = { type: 1, key: 2, record: 3, closer: 8, providers: 9 } as const

/** Protobuf: a number, or bytes, under the number of a field. */
function field(number: number, value: number | Uint8Array): Uint8Array {
  return typeof value === 'number'
    ? Uint8Array.of(number << 3, value)
    : concat([Uint8Array.of((number << 3) | 2), lengthOf(value), value])
}

function lengthOf({ byteLength }: Uint8Array): Uint8Array {
  const bytes: number[] = []
  for (let rest = byteLength; ; rest >>>= 7) {
    if (rest < 0x80) return Uint8Array.from([...bytes, rest])
    bytes.push((rest & 0x7f) | 0x80)
  }
}

function peerInfo(id: Uint8Array, address: string): Uint8Array {
  return concat([field(1, id), field(2, multiaddr(address).bytes)])
}

/** Somebody who does not exist, at an address where nobody is. */
function nobody(): Uint8Array {
  // The identity hash of an Ed25519 key, as a peer id is.
  const id = concat([Uint8Array.of(0, 36, 8, 1, 18, 32), randomBytes(32)])
  return peerInfo(id, '/ip4/127.0.0.1/tcp/9')
}

function someKey(): Uint8Array {
  return Digest.create(0x12, randomBytes(32)).bytes
}

function framed(...fields: Uint8Array[]): Uint8Array {
  return frameOf(concat(fields)).subarray()
}

/** @param padding bytes that mean nothing, beside the key */
export function findNode(padding = 0): Uint8Array {
  return framed(
    field(FIELD.type, KAD.findNode),
    field(FIELD.key, someKey()),
    field(FIELD.record, new Uint8Array(padding))
  )
}

/** "I provide this": under a key of its own each time. */
export function addProvider(peer: string): Uint8Array {
  const self = peerInfo(peerIdFromString(peer).toMultihash().bytes, '/ip4/127.0.0.1/tcp/9')
  return framed(field(FIELD.type, KAD.addProvider), field(FIELD.key, someKey()), field(FIELD.providers, self))
}

/** A public key under its own name: what the library would store for anybody. */
export async function putValue(): Promise<Uint8Array> {
  const key = await generateKeyPair('Ed25519')
  const name = concat([fromString('/pk/'), peerIdFromPrivateKey(key).toMultihash().bytes])
  const record = concat([field(1, name), field(2, publicKeyToProtobuf(key.publicKey))])
  return framed(field(FIELD.type, KAD.putValue), field(FIELD.key, name), field(FIELD.record, record))
}

/** What a liar answers to every question in the DHT: that it provides that, as do many who do not exist. */
function lie(peer: string, count: number): Uint8Array {
  const self = peerInfo(peerIdFromString(peer).toMultihash().bytes, '/ip4/127.0.0.1/tcp/9')
  return framed(
    field(FIELD.type, KAD.getProviders),
    field(FIELD.providers, self),
    ...Array.from({ length: count }, () => field(FIELD.providers, nobody())),
    ...Array.from({ length: count }, () => field(FIELD.closer, nobody()))
  )
}

/** Answers in the DHT from now on: with so many names, or bytes that mean nothing. @returns how often it was asked */
export async function lieInKad(liar: HostilePeer, answer: number | Uint8Array): Promise<() => number> {
  const { node, peerId } = liar.network
  let asked = 0
  await node.unhandle(KAD_PROTOCOL)
  await node.handle(KAD_PROTOCOL, (stream: Stream) => {
    stream.addEventListener('message', () => {
      asked++
      stream.send(typeof answer === 'number' ? lie(peerId, answer) : answer)
      stream.close().catch(() => undefined)
    })
  })
  return () => asked
}

/** Says things over one stream until something is answered. @returns how it ended, and how much was answered */
export async function spoken(
  connection: Connection,
  protocol: string,
  said: readonly Uint8Array[]
): Promise<{ status: string; heard: Uint8Array }> {
  const stream = await connection
    .newStream(protocol, { maxOutboundStreams: MOST_STREAMS })
    .catch(() => undefined)
  // The connection was closed, or has too many.
  if (stream === undefined) return { status: 'reset', heard: new Uint8Array() }
  const heard: Uint8Array[] = []
  const closed = new Promise<void>((resolve) => stream.addEventListener('close', () => resolve()))
  const answered = new Promise<void>((resolve) => {
    stream.addEventListener('message', ({ data }) => {
      heard.push(data.subarray())
      resolve()
    })
    stream.addEventListener('remoteCloseWrite', () => resolve())
  })
  try {
    for (const bytes of said) stream.send(bytes)
  } catch {
    // It was reset meanwhile.
  }
  await Promise.race([closed, answered])
  stream.abort(new Error('heard enough'))
  return { status: stream.status, heard: concat(heard) }
}

/** What the network of a stopped agent has on disk. */
export async function keptByNetwork(agent: TestAgent): Promise<string[]> {
  const store = new LevelDatastore(join(agent.config.data, 'network'))
  await store.open()
  try {
    const keys: string[] = []
    for await (const key of store.queryKeys({})) keys.push(key.toString())
    return keys
  } finally {
    await store.close()
  }
}

/** What an agent says that it speaks, once it was asked. */
export async function protocolsOf(one: HostilePeer, agent: TestAgent): Promise<string[]> {
  const { node } = one.network
  const [connection] = node.getConnections(peerIdFromString(agent.peerId))
  if (connection === undefined) throw new Error(`expected a connection to ${agent.name}`)
  const limit = AbortSignal.timeout(SEE_MS)
  for (;;) {
    try {
      return [...(await node.services.identify.identify(connection)).protocols].sort()
    } catch (thrown) {
      // One stream at a time, and the network asks too.
      if (limit.aborted) throw thrown
    }
  }
}
