import { createHash } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { asFlowFailed, FlowFailed, FlowRefused } from './errors.ts'
import { CHUNK_BYTES, FlowEnd, type Frame } from './frames.ts'
import {
  DEFAULT_IDLE_MS,
  type FlowId,
  type PartInfo,
  type PartSource,
  type SourcePart,
  type TransferOptions,
  type Transferred,
  totalBytes
} from './parts.ts'

/** Chunks of one size, whatever sizes the source yields; those that fit already are not copied. */
async function* rechunk(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pending = new Uint8ArrayList()
  for await (const bytes of source) {
    if (pending.byteLength === 0 && bytes.byteLength === CHUNK_BYTES) {
      yield bytes
      continue
    }
    // A source may reuse its buffer once it is asked for more.
    pending.append(bytes.slice())
    while (pending.byteLength >= CHUNK_BYTES) {
      yield pending.subarray(0, CHUNK_BYTES)
      pending.consume(CHUNK_BYTES)
    }
  }
  if (pending.byteLength > 0) yield pending.subarray()
}

class Sending {
  readonly #end: FlowEnd
  readonly #options: TransferOptions
  readonly #sent: PartInfo[] = []
  #total = 0
  #bytes = 0
  #moved = 0

  constructor(end: FlowEnd, options: TransferOptions) {
    this.#end = end
    this.#options = options
  }

  async run(flow: FlowId, source: PartSource): Promise<Transferred> {
    const known = source.known()
    this.#total = totalBytes(known)
    await this.#end.send({ kind: 'open', flow, parts: [...known] })
    const have = await this.#accepted(known)
    const answer = this.#hear()
    answer.catch(() => {}) // it interrupts; nobody may be waiting for it any more
    for await (const part of this.#end.pull(source.parts())) {
      const { index, bytes, digest } = part
      this.#total = Math.max(this.#total, totalBytes(this.#sent) + bytes)
      if (have.has(index)) this.#progress(bytes)
      else await this.#part(part)
      this.#sent.push({ index, bytes, digest })
    }
    await this.#end.send({ kind: 'end', parts: this.#sent })
    this.#confirm(await this.#end.soon(answer, 'expected the receiver to confirm'))
    await this.#end.close()
    return { parts: this.#sent, bytes: totalBytes(this.#sent), moved: this.#moved }
  }

  async #accepted(known: readonly PartInfo[]): Promise<Set<number>> {
    const frame = await this.#end.next()
    if (frame.kind === 'refuse') throw new FlowRefused(frame.code, true)
    const indexes = new Set(known.map((part) => part.index))
    if (frame.kind !== 'accept' || frame.have.some((index) => !indexes.has(index)))
      throw new FlowFailed('flow-altered', `expected the receiver to accept or refuse, found ${frame.kind}`)
    return new Set(frame.have)
  }

  /** The receiver speaks once more: at the end, or when it fails, which must end our waiting for it. */
  async #hear(): Promise<Frame> {
    try {
      return await this.#end.nextWhenever()
    } catch (thrown) {
      const failure = asFlowFailed(thrown, this.#options.signal)
      this.#end.interrupt(failure)
      throw failure
    }
  }

  async #part(part: SourcePart): Promise<void> {
    const { index, bytes, digest } = part
    await this.#end.send({ kind: 'part', part: { index, bytes, digest } })
    const hash = createHash('sha256')
    let sent = 0
    for await (const chunk of rechunk(this.#end.pull(part.open()))) {
      sent += chunk.byteLength
      hash.update(chunk)
      await this.#end.sendChunk(chunk)
      this.#moved += chunk.byteLength
      this.#progress(chunk.byteLength)
    }
    const found = hash.digest('hex')
    if (sent < bytes)
      throw new FlowFailed('flow-short', `part ${index}: expected ${bytes} bytes, found ${sent}`)
    if (sent > bytes || found !== digest)
      throw new FlowFailed(
        'flow-altered',
        `part ${index}: expected the bytes that were announced, found others`
      )
    await this.#end.send({ kind: 'part-end', index, digest: found })
  }

  #progress(bytes: number): void {
    this.#bytes += bytes
    this.#options.onProgress?.(this.#bytes, this.#total)
  }

  /** The transfer is a success when the receiver holds exactly what was sent, and says so. */
  #confirm(frame: Frame): void {
    const expected = new Map(this.#sent.map((part) => [part.index, part.digest]))
    if (
      frame.kind !== 'done' ||
      frame.parts.length !== expected.size ||
      frame.parts.some((part) => expected.get(part.index) !== part.digest)
    )
      throw new FlowFailed('flow-altered', 'expected the receiver to confirm the parts that were sent')
  }
}

/**
 * Sends all parts of a flow over a stream of its own (`/dynamos/flow/1`) and resolves when the receiver has confirmed every
 * digest. Parts that the receiver has already are not sent again, so a broken transfer is resumed by calling this again.
 *
 * @throws {FlowRefused} with the receiver's reason
 * @throws {FlowFailed} for everything else; the receiver's code when it failed there
 */
export async function sendParts(
  stream: Stream,
  flow: FlowId,
  source: PartSource,
  options: TransferOptions = {}
): Promise<Transferred> {
  const end = new FlowEnd(stream, { idleMs: options.idleMs ?? DEFAULT_IDLE_MS, signal: options.signal })
  try {
    return await new Sending(end, options).run(flow, source)
  } catch (thrown) {
    const failure = asFlowFailed(thrown, options.signal)
    await end.fail(failure)
    throw failure
  }
}
