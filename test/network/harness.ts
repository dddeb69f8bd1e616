import type { PrivateKey } from '@libp2p/interface'
import type { Admission, Members, MembershipPackage } from '../../agent/membership/index.ts'
import {
  type Clock,
  createNetwork,
  type Log,
  type Network,
  silentLog,
  systemClock
} from '../../agent/network/index.ts'
import { keyOf, peerOf, TestMarketplace } from '../membership/builders.ts'

export interface Party {
  readonly name: string
  readonly key: PrivateKey
  readonly peer: string
  readonly members: Members
  readonly network: Network
  readonly package: MembershipPackage
}

export interface PartyInit {
  admission?: Partial<Admission>
  bootstrap?: readonly string[]
  directory?: string
  clock?: Clock
  log?: Log
  listen?: readonly string[]
  /** Another marketplace than the lab's: a stranger. */
  marketplace?: TestMarketplace
  /** Before the start: handlers. */
  prepare?: (network: Network) => void
}

export const LISTEN = ['/ip4/127.0.0.1/tcp/0']

/** The system's clock, wrong by so much. */
export function clockOff(milliseconds: number): Clock {
  return { ...systemClock, now: () => Date.now() + milliseconds }
}

/** Several agents' networks in one process, on loopback. */
export class Lab {
  readonly marketplace: TestMarketplace
  readonly parties: Party[] = []

  private constructor(marketplace: TestMarketplace) {
    this.marketplace = marketplace
  }

  static async open(): Promise<Lab> {
    return new Lab(await TestMarketplace.found(Date.now() - 1_000))
  }

  async start(name: string, init: PartyInit = {}): Promise<Party> {
    const { clock = systemClock, log = silentLog, listen = LISTEN, bootstrap = [], directory } = init
    const marketplace = init.marketplace ?? this.marketplace
    const key = await keyOf(name)
    const contents = await marketplace.admit(name, key, init.admission)
    const members = await marketplace.members(contents, key, () => clock.now())
    const network = createNetwork(
      { key, listen, bootstrap, ...(directory !== undefined && { directory }) },
      { members, clock, log }
    )
    init.prepare?.(network)
    await network.start()
    const party = { name, key, peer: peerOf(key), members, network, package: contents }
    this.parties.push(party)
    return party
  }

  async stop(): Promise<void> {
    await Promise.all(this.parties.splice(0).map(async ({ network }) => await network.stop()))
  }
}

/** Resolves at the next event that fits. */
export async function event<T>(
  emitter: {
    on(name: string, listener: (value: T) => void): unknown
    off(name: string, listener: (value: T) => void): unknown
  },
  name: string,
  fits: (value: T) => boolean = () => true
): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>()
  const listener = (value: T): void => {
    if (fits(value)) resolve(value)
  }
  emitter.on(name, listener)
  try {
    return await promise
  } finally {
    emitter.off(name, listener)
  }
}
