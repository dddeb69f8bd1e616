/**
 * Connections between agents of one marketplace. Hello is the first thing on each connection, both ways; nothing else runs,
 * the DHT included, before both ends know each other as members.
 *
 * @example
 * ```ts
 * const network = createNetwork({ key, listen: ['/ip4/0.0.0.0/tcp/4001'], bootstrap, directory }, { members, clock: systemClock, log })
 * network.handle('/example/sum/1', z.strictObject({ a: z.int(), b: z.int() }), async ({ a, b }) => ({ sum: a + b }))
 * await network.start()
 * const { sum } = await network.ask(peer, '/example/sum/1', { a: 1, b: 2 }, z.strictObject({ sum: z.int() }))
 * ```
 */
import { Network, type NetworkComponents, type NetworkInit } from './network.ts'

export type { AskOptions } from './asking.ts'
export { type Clock, type Log, silentLog, systemClock } from './clock.ts'
export { withDeadline } from './deadline.ts'
export type { Encounter } from './encounters.ts'
export { CannotListen, ClockSkew, HelloMissing, PeerSilent, PeerUnreachable, RateLimited } from './errors.ts'
export type { NetworkComponents, NetworkEvents, NetworkInit } from './network.ts'
export { DHT_BUCKET, type Node } from './node.ts'
export { type Rate, RateLimiter } from './rate.ts'
export type { Caller, HandleLimits, ServeStream } from './serving.ts'
export type { Network }

export function createNetwork(init: NetworkInit, components: NetworkComponents): Network {
  return new Network(init, components)
}
