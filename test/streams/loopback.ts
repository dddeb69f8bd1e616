import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'

const PROTOCOL = '/test/streams/1'

async function aNode(listen: string[]): Promise<Libp2p> {
  return await createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: 1 << 20 } })],
    connectionMonitor: { enabled: false }
  })
}

/** Two real nodes on loopback, and streams between them. */
export class Loopback {
  readonly #dialler: Libp2p
  readonly #listener: Libp2p

  private constructor(dialler: Libp2p, listener: Libp2p) {
    this.#dialler = dialler
    this.#listener = listener
  }

  static async start(): Promise<Loopback> {
    const [dialler, listener] = await Promise.all([aNode([]), aNode(['/ip4/127.0.0.1/tcp/0'])])
    return new Loopback(dialler, listener)
  }

  async stop(): Promise<void> {
    await Promise.all([this.#dialler.stop(), this.#listener.stop()])
  }

  /** One stream, both its ends. */
  async pair(): Promise<[Stream, Stream]> {
    const inbound = Promise.withResolvers<Stream>()
    await this.#listener.unhandle(PROTOCOL)
    await this.#listener.handle(PROTOCOL, (stream) => inbound.resolve(stream))
    const outbound = await this.#dialler.dialProtocol(this.#listener.getMultiaddrs(), PROTOCOL)
    return [outbound, await inbound.promise]
  }
}

export async function thrownBy(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  return await promise.then(
    () => {
      throw new Error('expected an error, found success')
    },
    (error: Error) => error
  )
}
