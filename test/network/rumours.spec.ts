import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { silentLog } from '../../agent/network/index.ts'
import { Rumours } from '../../agent/network/rumours.ts'

async function somebody() {
  const id = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
  return { id, multiaddrs: [multiaddr('/ip4/192.0.2.7/tcp/1000')] }
}

describe('What is believed of peers that others speak of', () => {
  it('is as much as an honest answer names, and leaves room for the answers of others', async () => {
    const rumours = new Rumours({ log: silentLog, isMember: () => false })
    const made = await Promise.all(Array.from({ length: 300 }, somebody))
    const honest = await somebody()
    const believed = made.filter((one) => rumours.believed(one).multiaddrs.length > 0)
    expect(believed).to.have.length(16)
    await Promise.resolve()
    expect(rumours.believed(honest).multiaddrs).to.have.length(1)
  })
})
