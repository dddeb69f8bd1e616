import type { AbortOptions, Logger, Stream } from '@libp2p/interface'
import { AbstractStream, type SendResult } from '@libp2p/utils'
import type { Uint8ArrayList } from 'uint8arraylist'

const WINDOW_BYTES = 1 << 20

const silent: Logger = Object.assign((): void => {}, {
  error: (): void => {},
  trace: (): void => {},
  enabled: false,
  newScope: (): Logger => silent
})

/** One end of a stream inside one process, with the same window and half-close rules as a stream over the network. */
class MemoryStream extends AbstractStream {
  #other: MemoryStream | undefined
  #inFlight = 0

  join(other: MemoryStream): void {
    this.#other = other
  }

  override sendData(data: Uint8ArrayList): SendResult {
    const other = this.#other
    const sentBytes = data.byteLength
    this.#inFlight += sentBytes
    setImmediate(() => other?.take(data))
    return { sentBytes, canSendMore: this.#inFlight < WINDOW_BYTES }
  }

  private take(data: Uint8ArrayList): void {
    const bytes = data.byteLength
    this.onData(data)
    if (this.readBufferLength === 0) this.#other?.credit(bytes)
    else this.#owed += bytes
  }

  #owed = 0

  private credit(bytes: number): void {
    this.#inFlight -= bytes
    if (this.#inFlight < WINDOW_BYTES && this.writableNeedsDrain) this.safeDispatchEvent('drain')
  }

  override sendReset(): void {
    const other = this.#other
    setImmediate(() => {
      if (other?.status === 'open') other.onRemoteReset()
    })
  }

  override sendPause(): void {}

  override sendResume(): void {
    const owed = this.#owed
    this.#owed = 0
    const other = this.#other
    if (owed > 0) setImmediate(() => other?.credit(owed))
  }

  override async sendCloseWrite(_options?: AbortOptions): Promise<void> {
    const other = this.#other
    setImmediate(() => other?.onRemoteCloseWrite())
  }

  override async sendCloseRead(_options?: AbortOptions): Promise<void> {
    const other = this.#other
    setImmediate(() => other?.onRemoteCloseRead())
  }
}

/** Two ends of a stream from an agent to itself: a party that is both provider and recipient sends to itself as to others. */
export function memoryPair(protocol: string): [Stream, Stream] {
  const end = (direction: 'inbound' | 'outbound'): MemoryStream =>
    new MemoryStream({ id: `memory-${direction}`, direction, protocol, log: silent })
  const outbound = end('outbound')
  const inbound = end('inbound')
  outbound.join(inbound)
  inbound.join(outbound)
  return [outbound, inbound]
}
