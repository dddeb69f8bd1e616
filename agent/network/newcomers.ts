import type { Connection, MultiaddrConnection } from '@libp2p/interface'
import { HELLO_PROTOCOL } from '../../protocol/streams/index.ts'

/** Below the rate at which libp2p lets one address connect: what waits is counted here, what comes is counted there. */
export const MAX_OF_HOST = 40

/**
 * Connections that were made to this agent and have not said hello, by the address they come from, or its network: a dial that stops half way
 * costs whoever makes it nothing, and holds a place until its time is up. Those of one address may take some of the places,
 * never all.
 */
export class Newcomers {
  readonly #waiting = new Map<string, Set<string>>()
  readonly #refused: (refused: { peer: string; protocol: string; code: string }) => void

  /** @param refused nobody knows yet who it is: named by the address */
  constructor(refused: (refused: { peer: string; protocol: string; code: string }) => void) {
    this.#refused = refused
  }

  get size(): number {
    return [...this.#waiting.values()].reduce((sum, waiting) => sum + waiting.size, 0)
  }

  /** A connection comes in. @returns whether it is turned away, because too many of its address wait already */
  turnsAway(incoming: Pick<MultiaddrConnection, 'remoteAddr' | 'addEventListener'>): boolean {
    const { host, socket } = placeOf(incoming.remoteAddr)
    const waiting = this.#waiting.get(host) ?? new Set()
    if (waiting.size >= MAX_OF_HOST) {
      this.#refused({ peer: host, protocol: HELLO_PROTOCOL, code: 'rate-limited' })
      return true
    }
    this.#waiting.set(host, waiting.add(socket))
    incoming.addEventListener('close', () => this.#forget(host, socket), { once: true })
    return false
  }

  /** It said hello, and is known. */
  introduced({ direction, remoteAddr }: Pick<Connection, 'direction' | 'remoteAddr'>): void {
    const { host, socket } = placeOf(remoteAddr)
    if (direction === 'inbound') this.#forget(host, socket)
  }

  #forget(host: string, socket: string): void {
    const waiting = this.#waiting.get(host)
    waiting?.delete(socket)
    if (waiting?.size === 0) this.#waiting.delete(host)
  }
}

/** `/ip4/192.0.2.7/tcp/1234/…`: where it comes from, and which connection it is there. */
function placeOf(address: Connection['remoteAddr']): { host: string; socket: string } {
  const [, family = '', host = '', transport = '', port = ''] = address.toString().split('/')
  if (family === 'ip6') return { host: `/ip6/${networkOf(host)}`, socket: `${host}/${transport}/${port}` }
  return { host: `/${family}/${host}`, socket: `${transport}/${port}` }
}

/**
 * Whoever has one IPv6 address has 2^64 of them (RFC 4291, 2.5.1): they count as one. Loopback, and IPv4 in another form, has no
 * such network.
 */
function networkOf(address: string): string {
  const [before = '', after] = address.split('::')
  const first = before === '' ? [] : before.split(':')
  const last = after === undefined || after === '' ? [] : after.split(':')
  const between = after === undefined ? 0 : Math.max(0, 8 - first.length - last.length)
  const groups = [...first, ...Array.from({ length: between }, () => '0'), ...last].slice(0, 4)
  return groups.every((group) => group === '0') ? address : `${groups.join(':')}::/64`
}
