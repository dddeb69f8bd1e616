import { createHash, createHmac } from 'node:crypto'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { sha256 } from 'multiformats/hashes/sha2'
import type { LookupKind } from '../../protocol/streams/index.ts'

/** One DHT key returns at most k providers, so what many provide is spread over several keys. */
export const ROLE_SHARDS = 4

/**
 * Where something is announced in the DHT: HMAC-SHA256 of the marketplace's discovery key over `kind` and `name`, so that
 * who stores the records, or reads them without being a member, learns no names.
 */
export function discoveryCid(discoveryKey: Uint8Array, kind: LookupKind, name: string, shard?: number): CID {
  const text = shard === undefined ? `${kind}\0${name}` : `${kind}\0${name}\0${shard}`
  const digest = createHmac('sha256', discoveryKey).update(text).digest()
  return CID.createV1(raw.code, Digest.create(sha256.code, new Uint8Array(digest)))
}

export function shardOf(peer: string): number {
  return createHash('sha256').update(peer).digest().readUInt32BE(0) % ROLE_SHARDS
}

/** The key under which a peer announces something. */
export function announcedCid(discoveryKey: Uint8Array, kind: LookupKind, name: string, peer: string): CID {
  return discoveryCid(discoveryKey, kind, name, kind === 'role' ? shardOf(peer) : undefined)
}

/** Every key under which something may have been announced. */
export function searchedCids(discoveryKey: Uint8Array, kind: LookupKind, name: string): CID[] {
  if (kind === 'dataset') return [discoveryCid(discoveryKey, kind, name)]
  return Array.from({ length: ROLE_SHARDS }, (_, shard) => discoveryCid(discoveryKey, kind, name, shard))
}
