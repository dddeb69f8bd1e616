import { createHash } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { asFlowFailed, FlowFailed, FlowRefused } from './errors.ts'
import { FlowEnd } from './frames.ts'
import {
  type Admission,
  DEFAULT_IDLE_MS,
  type FlowId,
  type PartInfo,
  type PartSink,
  type PartWriter,
  type ReceiveOptions,
  type Transferred,
  totalBytes
} from './parts.ts'

/** What a sender asks before it sends: from whom it comes is known from the stream. */
export interface FlowOpening {
  readonly flow: FlowId
  /** The parts known so far. */
  readonly parts: readonly PartInfo[]
}

/** A part of which nothing is kept: the receiver has it already. */
const NOWHERE: PartWriter = {
  write: async () => {},
  commit: async () => {},
  abort: async () => {}
}

type Admitted = Exclude<Admission, { refuse: unknown }>

class Receiving {
  readonly #end: FlowEnd
  readonly #options: ReceiveOptions
  readonly #flow: FlowId
  readonly #sink: PartSink
  readonly #limits: Admitted
  /** What the opening announced, by index: the sender may add to it but not change it. */
  readonly #announced = new Map<number, PartInfo>()
  readonly #held = new Map<number, PartInfo>()
  #announcedBytes = 0
  #heldBytes = 0
  #moved = 0

  constructor(end: FlowEnd, flow: FlowId, admitted: Admitted, options: ReceiveOptions) {
    this.#flow = flow
    this.#end = end
    this.#sink = admitted.sink
    this.#limits = admitted
    this.#options = options
  }

  async run(parts: readonly PartInfo[]): Promise<Transferred> {
    for (const part of parts) this.#announce(part)
    for (const part of parts) if (await this.#sink.has(part)) this.#hold(part)
    await this.#end.send({ kind: 'accept', have: [...this.#held.keys()] })
    this.#progress(0)
    for (;;) {
      const frame = await this.#end.next()
      if (frame.kind === 'part') await this.#part(frame.part)
      else if (frame.kind === 'end') return await this.#finish(frame.parts)
      else throw new FlowFailed('flow-altered', `expected a part or the end, found ${frame.kind}`)
    }
  }

  /** Counts a part against the limits, once. */
  #announce(part: PartInfo): void {
    const known = this.#announced.get(part.index)
    if (known !== undefined) {
      if (known.digest === part.digest && known.bytes === part.bytes) return
      throw new FlowFailed('flow-altered', `part ${part.index}: expected what was announced before`)
    }
    this.#announced.set(part.index, part)
    this.#announcedBytes += part.bytes
    const bytes = this.#announcedBytes
    const { maxParts, maxBytes } = this.#limits
    if (this.#announced.size > maxParts || bytes > maxBytes)
      throw new FlowFailed(
        'output-too-large',
        `expected at most ${maxParts} parts of ${maxBytes} bytes together, found ${this.#announced.size} of ${bytes}`
      )
  }

  async #part(part: PartInfo): Promise<void> {
    const { index, digest } = part
    this.#announce(part)
    if (this.#held.has(index)) throw new FlowFailed('flow-altered', `part ${index}: expected it once`)
    const writer = (await this.#sink.has(part)) ? NOWHERE : await this.#sink.create(index)
    try {
      const found = await this.#chunks(part, writer)
      if (found !== digest)
        throw new FlowFailed('flow-altered', `part ${index}: expected digest ${digest}, found ${found}`)
      await writer.commit(part)
    } catch (thrown) {
      await writer.abort()
      throw thrown
    }
    this.#hold(part)
  }

  #hold(part: PartInfo): void {
    this.#held.set(part.index, part)
    this.#heldBytes += part.bytes
  }

  async #chunks({ index, bytes, digest }: PartInfo, writer: PartWriter): Promise<string> {
    const hash = createHash('sha256')
    let received = 0
    for (;;) {
      const frame = await this.#end.next()
      if (frame.kind === 'part-end') {
        if (received < bytes)
          throw new FlowFailed('flow-short', `part ${index}: expected ${bytes} bytes, found ${received}`)
        if (frame.index !== index || frame.digest !== digest)
          throw new FlowFailed('flow-altered', `part ${index}: expected its end, found another's`)
        return hash.digest('hex')
      }
      if (frame.kind !== 'chunk')
        throw new FlowFailed('flow-altered', `part ${index}: expected its bytes, found ${frame.kind}`)
      received += frame.bytes.byteLength
      if (received > bytes)
        throw new FlowFailed('flow-altered', `part ${index}: expected ${bytes} bytes, found more`)
      for (const piece of frame.bytes) {
        hash.update(piece)
        await writer.write(piece)
      }
      this.#progress(frame.bytes.byteLength, received)
    }
  }

  #progress(moved: number, ofCurrent = 0): void {
    this.#moved += moved
    this.#options.onProgress?.(this.#heldBytes + ofCurrent, this.#announcedBytes)
  }

  async #finish(manifest: readonly PartInfo[]): Promise<Transferred> {
    const listed = new Set(manifest.map((part) => part.index))
    for (const part of manifest) {
      this.#announce(part)
      if (!this.#held.has(part.index))
        throw new FlowFailed('flow-short', `expected part ${part.index}, which was never sent`)
    }
    const extra = [...this.#announced.keys()].filter((index) => !listed.has(index))
    if (listed.size !== manifest.length || extra.length > 0)
      throw new FlowFailed('flow-altered', 'expected the final list to name exactly the parts of the flow')
    const parts = [...manifest]
    await this.#end.unlessEnded(this.#options.onVerified?.(this.#flow, parts) ?? Promise.resolve())
    await this.#end.send({ kind: 'done', parts })
    await this.#end.close()
    return { parts, bytes: totalBytes(parts), moved: this.#moved }
  }
}

/**
 * Receives the parts of one flow from a stream. A part counts when its bytes matched its digest and the sink committed it;
 * the flow counts when the final list names exactly those parts. What broke off is forgotten, what was committed stays, so
 * that the sender's next try sends only the rest.
 *
 * Call it before the first `await` of a stream handler: the stream is paused at once.
 *
 * @param admit decides on the opening, by contract and policy, and says where the parts go
 * @throws {FlowRefused} when `admit` refused
 * @throws {FlowFailed} for everything else; the sender's code when it failed there
 */
export async function receiveParts(
  stream: Stream,
  admit: (opening: FlowOpening) => Promise<Admission>,
  options: ReceiveOptions = {}
): Promise<Transferred & { flow: FlowId }> {
  const { signal } = options
  const end = new FlowEnd(stream, { idleMs: options.idleMs ?? DEFAULT_IDLE_MS, signal })
  try {
    const opening = await end.next()
    if (opening.kind !== 'open')
      throw new FlowFailed('flow-altered', `expected a flow to be opened, found ${opening.kind}`)
    const { flow, parts } = opening
    const admission = await end.unlessEnded(admit({ flow, parts }))
    if ('refuse' in admission) throw new FlowRefused(admission.refuse, false)
    return { flow, ...(await new Receiving(end, flow, admission, options).run(parts)) }
  } catch (thrown) {
    const failure = asFlowFailed(thrown, signal)
    await end.fail(failure)
    throw failure
  }
}
