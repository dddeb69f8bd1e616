/**
 * Who offers what. Names go into the DHT only as HMACs; what is believed of a peer is what it signed itself, asked over a
 * connection that said hello.
 *
 * @example
 * ```ts
 * const discovery = new Discovery({ network, members, clock: systemClock, log, capability, visibleTo })
 * await network.start()
 * await discovery.start()
 * const providers = await discovery.findDataset('wageGap')
 * ```
 */
export { type Known, MEMBER_ROLE } from './catalogue.ts'
export type { Dht, FoundProvider } from './dht.ts'
export { Discovery, type DiscoveryComponents, type PeerDescription } from './discovery.ts'
export { CapabilityRefused } from './errors.ts'
export { discoveryCid, ROLE_SHARDS } from './keys.ts'
