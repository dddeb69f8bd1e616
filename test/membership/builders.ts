import { createHash } from 'node:crypto'
import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  type Admission,
  admit,
  createMarketplace,
  type Marketplace,
  Members,
  type MembershipPackage,
  type MembershipStore
} from '../../agent/membership/index.ts'

export const NOW = Date.UTC(2026, 0, 1)

export function peerOf(key: PrivateKey): string {
  return peerIdFromPrivateKey(key).toString()
}

/** The same key for the same name, so that tests can be told apart in logs. */
export async function keyOf(name: string): Promise<PrivateKey> {
  return await generateKeyPairFromSeed('Ed25519', createHash('sha256').update(name).digest())
}

export class MemoryMembershipStore implements MembershipStore {
  readonly saved: { kind: string; id: string; bytes: Uint8Array }[] = []

  async load(wanted: string): Promise<Uint8Array[]> {
    return this.saved.filter(({ kind }) => kind === wanted).map(({ bytes }) => bytes)
  }

  async save(kind: string, id: string, bytes: Uint8Array): Promise<void> {
    this.saved.push({ kind, id, bytes })
  }

  async remove(kind: string, id: string): Promise<void> {
    const at = this.saved.findIndex((one) => one.kind === kind && one.id === id)
    if (at >= 0) this.saved.splice(at, 1)
  }
}

/** A marketplace with one authority, and what its members take home. */
export class TestMarketplace {
  readonly authority: PrivateKey
  marketplace: Marketplace
  now: number

  private constructor(authority: PrivateKey, marketplace: Marketplace, now: number) {
    this.authority = authority
    this.marketplace = marketplace
    this.now = now
  }

  static async found(now = NOW): Promise<TestMarketplace> {
    const authority = await generateKeyPair('Ed25519')
    const init = {
      name: 'Universities',
      contact: 'board@example.org',
      discoveryKey: new Uint8Array(32).fill(7)
    }
    return new TestMarketplace(authority, await createMarketplace(init, { keys: [authority], now }), now)
  }

  async admit(
    organisation: string,
    agent: PrivateKey,
    more: Partial<Admission> = {}
  ): Promise<MembershipPackage> {
    const { marketplace, membership } = await admit(
      this.marketplace,
      {
        organisation,
        agents: [peerOf(agent)],
        stewards: [],
        roles: [],
        speaksFor: [`${organisation.toLowerCase()}.nl`],
        ...more
      },
      { keys: [this.authority], now: this.now }
    )
    this.marketplace = marketplace
    return { ...marketplace, membership }
  }

  async members(
    contents: MembershipPackage,
    self: PrivateKey,
    now: () => number = () => this.now,
    store: MembershipStore = new MemoryMembershipStore()
  ): Promise<Members> {
    return await Members.open({ package: contents, self: peerOf(self) }, { store, now })
  }
}
