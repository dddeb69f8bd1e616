import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadKey } from '../../agent/identity/index.ts'
import { admit, openMarketplace, openPackage } from '../../agent/membership/index.ts'
import { systemClock } from '../../agent/network/index.ts'
import type { Market } from '../integration/harness.ts'
import { HostilePeer } from '../integration/hostile-peer.ts'
import { keyOf, peerOf } from '../membership/builders.ts'

/**
 * Agents of Eve's, as good members as her own, of whom nobody heard before. The membership speaks for all of her domain, and
 * takes the place of those before.
 *
 * @param clocks by name: how far its clock is ahead
 */
export async function agentsOfEve(
  market: Market,
  clocks: Readonly<Record<string, number>>
): Promise<HostilePeer[]> {
  const keys = await Promise.all(Object.keys(clocks).map(async (name) => await keyOf(`Eve ${name}`)))
  const founded = join(market.dir, 'marketplace')
  const { membership } = await admit(
    await openMarketplace(await readFile(join(founded, 'marketplace.json'), 'utf8')),
    {
      organisation: 'EVE',
      agents: [market.agent('EVE').peerId, ...keys.map(peerOf)],
      stewards: [],
      roles: [],
      speaksFor: ['eve.nl']
    },
    { keys: [await loadKey(join(founded, 'authority.key'))], now: Date.now() }
  )
  const ours = await openPackage(await readFile(market.agent('EVE').config.marketplace, 'utf8'))
  return await Promise.all(
    Object.values(clocks).map(async (ahead, index) => {
      const key = keys[index]
      if (key === undefined) throw new Error('expected a key for each')
      const clock = { ...systemClock, now: () => Date.now() + ahead }
      return await HostilePeer.as({ key, contents: { ...ours, membership } }, clock)
    })
  )
}
