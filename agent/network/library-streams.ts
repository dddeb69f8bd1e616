import type { Connection, Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { MalformedDocument } from '../../protocol/documents/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import { RateLimited } from './errors.ts'
import { RateLimiter } from './rate.ts'

/** The largest that is honest, a page of eight providers and eight closer peers with all their addresses, is a tenth of this. */
export const MAX_LIBRARY_BYTES = 1 << 16
/** What a message costs beside its bytes. */
const BYTES_PER_UNIT = 64
/** An agent that joins with 256 datasets asks for the closest peers of each key, and leaves a record of each. */
const PER_PEER = { perSecond: 200, burst: 4096 }
/** A line that broke, or somebody who fell silent, is nobody's refusal. */
const BROKE =
  /^(Timeout|Abort|UnexpectedEOF|ConnectionClos|ConnectionFailed|Stream(Reset|Closed|Aborted|State)|MuxerClosed)/

type Refused = (refused: { peer: string; protocol: string; code: string }) => void

/**
 * Bounds what the protocols that libp2p brings along read, and tells why a stream of theirs was reset: they have no limits of
 * their own but 4 MiB for each message, and tell nobody.
 */
export class LibraryStreams {
  readonly #rate = new RateLimiter(PER_PEER)
  readonly #refused: Refused

  constructor(refused: Refused) {
    this.#refused = refused
  }

  /** A member opened it. */
  inbound(stream: Stream, connection: Connection): void {
    const peer = connection.remotePeer.toString()
    this.#capped(stream, peer, connection, (bytes) =>
      this.#rate.allows(peer, performance.now(), 1 + Math.floor(bytes / BYTES_PER_UNIT))
    )
  }

  /** We opened it, to ask a member. */
  outbound(stream: Stream, connection: Connection): void {
    this.#capped(stream, connection.remotePeer.toString(), connection, () => true)
  }

  #capped(
    stream: Stream,
    peer: string,
    connection: Connection,
    affordable: (bytes: number) => boolean
  ): void {
    const { protocol } = stream
    let read = 0
    const onMessage = ({ data }: StreamMessageEvent): void => {
      read += data.byteLength
      if (read > MAX_LIBRARY_BYTES)
        stream.abort(new MalformedDocument(`expected at most ${MAX_LIBRARY_BYTES} bytes, found more`))
      else if (!affordable(data.byteLength))
        stream.abort(new RateLimited(`expected at most the permitted rate of ${protocol}, found more`))
    }
    const onClose = ({ local, error }: StreamCloseEvent): void => {
      stream.removeEventListener('message', onMessage)
      if (local !== true || error === undefined || connection.status !== 'open' || BROKE.test(error.name))
        return
      // Whatever else stopped a library's own handler is what it could not read.
      const code = error instanceof DynamosError ? error.code : 'malformed-document'
      this.#refused({ peer, protocol, code })
    }
    stream.addEventListener('message', onMessage)
    stream.addEventListener('close', onClose, { once: true })
  }
}
