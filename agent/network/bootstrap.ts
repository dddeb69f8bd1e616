import type { PeerId } from '@libp2p/interface'
import { CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { codeOf } from '../../protocol/errors/index.ts'
import type { Clock, Log } from './clock.ts'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

interface BootstrapComponents {
  clock: Clock
  log: Log
  /** Resolves once the peer there is a member that said hello. */
  dial(address: Multiaddr): Promise<PeerId>
  connected(peer: string): boolean
}

interface Entry {
  readonly address: Multiaddr
  peer: string | undefined
  failures: number
  dialling: boolean
  cancel: () => void
}

/**
 * Keeps the agent connected to the addresses it was given: dials at once, again with growing pauses while that fails, and
 * again when a connection is lost. (libp2p's own bootstrap dials once, after a second.)
 */
export class Bootstrap {
  readonly #components: BootstrapComponents
  readonly #entries: Entry[]
  #running = false

  constructor(addresses: readonly string[], self: string, components: BootstrapComponents) {
    this.#components = components
    this.#entries = addresses
      .map((text) => multiaddr(text))
      .map((address) => ({
        address,
        peer: address.getComponents().findLast(({ code }) => code === CODE_P2P)?.value,
        failures: 0,
        dialling: false,
        cancel: () => {}
      }))
      .filter(({ peer }) => peer !== self)
  }

  get size(): number {
    return this.#entries.length
  }

  start(): void {
    this.#running = true
    for (const entry of this.#entries) this.#dial(entry)
  }

  stop(): void {
    this.#running = false
    for (const entry of this.#entries) entry.cancel()
  }

  /** A peer is gone: if it was one of ours, try to get it back. */
  lost(peer: string): void {
    for (const entry of this.#entries) {
      if (entry.peer === peer && !entry.dialling) this.#later(entry)
    }
  }

  #later(entry: Entry): void {
    if (!this.#running) return
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** entry.failures, LONGEST_PAUSE_MS)
    entry.cancel()
    entry.cancel = this.#components.clock.after(pause, () => this.#dial(entry))
  }

  #dial(entry: Entry): void {
    const { dial, connected, log } = this.#components
    if (!this.#running || entry.dialling) return
    if (entry.peer !== undefined && connected(entry.peer)) return
    entry.dialling = true
    dial(entry.address).then(
      (peer) => {
        entry.dialling = false
        entry.failures = 0
        entry.peer = peer.toString()
        if (!connected(entry.peer)) this.#later(entry)
      },
      (thrown: unknown) => {
        entry.dialling = false
        log.warn(
          { address: entry.address.toString(), code: codeOf(thrown), failures: entry.failures },
          'bootstrap address not reached'
        )
        this.#later(entry)
        entry.failures++
      }
    )
  }
}
