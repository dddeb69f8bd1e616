import { encode as varint } from 'uint8-varint'
import { z } from 'zod'
import { encodePlain } from '../../../protocol/documents/index.ts'
import {
  Conversation,
  encodeReply,
  memoryPair,
  PeerRefused,
  plainFrames,
  readFrames,
  serveAll,
  serveOnce,
  writeAll
} from '../../../protocol/streams/index.ts'
import { FlowRefused, type PartSink, receiveParts } from '../../../protocol/transfer/index.ts'
import { mutateBytes } from '../mutate-bytes.ts'
import { mutateCbor } from '../mutate-cbor.ts'
import type { Mutator } from '../random.ts'
import { holds, type Target } from '../target.ts'

const LIMITS = { maxFrame: 1 << 16, idleMs: 20_000 }
const DIGEST = 'a'.repeat(64)
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const CONTRACT = `bafyrei${'a'.repeat(52)}`

function framed(...bodies: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(bodies.flatMap((body) => [varint(body.byteLength), body])))
}

/** Frames one by one, with lengths that are true again; or the bytes as they are, lengths included. */
function mutateFrames(inner: Mutator, tagged: boolean): Mutator {
  return (input, random, other) => {
    if (random.chance(3)) return mutateBytes(input, random, other)
    const bodies: Uint8Array[] = []
    for (let at = 0; at < input.byteLength; ) {
      let length = 0
      let factor = 1
      let byte = 0x80
      for (; byte >= 0x80 && factor < 2 ** 28; factor *= 128) {
        byte = input[at++] ?? 0
        length += (byte & 0x7f) * factor
      }
      bodies.push(input.slice(at, at + length))
      at += length
    }
    const at = random.below(bodies.length + 1)
    const body = bodies[at] ?? new Uint8Array()
    const skip = tagged ? 1 : 0
    switch (random.below(5)) {
      case 0:
        bodies.splice(at, 1)
        break
      case 1:
        bodies.splice(at, 0, bodies[random.below(bodies.length)] ?? body)
        break
      case 2:
        bodies.push(...bodies.splice(0, at))
        break
      default:
        bodies[at] = new Uint8Array(
          Buffer.concat([body.subarray(0, skip), inner(body.subarray(skip), random, other)])
        )
    }
    return framed(...bodies)
  }
}

/** Gives the bytes to one end of a stream in pieces, and what the other end made of them. */
async function given(
  bytes: Uint8Array,
  read: (stream: ReturnType<typeof memoryPair>[1]) => Promise<unknown>
): Promise<unknown> {
  const [sender, receiver] = memoryPair('/fuzz/1')
  const reading = read(receiver)
  const half = Math.floor(bytes.byteLength / 2)
  const writing = writeAll(
    sender,
    [bytes.subarray(0, half), bytes.subarray(half)].filter((one) => one.byteLength > 0)
  )
  // The reader may give up first.
  writing.catch(() => {})
  try {
    return await reading
  } finally {
    sender.abort(new Error('the input ended'))
    receiver.abort(new Error('the input ended'))
  }
}

const frame = z.union([
  z.strictObject({ part: z.int(), body: z.instanceof(Uint8Array).optional() }),
  z.strictObject({ end: z.int() })
])
const frames: Target = {
  name: 'stream/frames',
  mutate: mutateFrames(mutateCbor, false),
  seeds: async () => [
    framed(
      encodePlain({ part: 1 }),
      encodePlain({ part: 2, body: new Uint8Array(40) }),
      encodePlain({ end: 2 })
    )
  ],
  read: async (bytes) =>
    await given(bytes, async (stream) => {
      const found = readFrames(stream, plainFrames(frame), (one) => 'end' in one, LIMITS)
      for (let next = await found.next(); next.done !== true; next = await found.next());
    })
}

const question = z.strictObject({ question: z.string().max(64) })
const asked = framed(encodePlain({ question: 'who' }))

const once: Target = {
  name: 'stream/question',
  mutate: mutateFrames(mutateCbor, false),
  seeds: async () => [asked],
  read: async (bytes) =>
    await given(bytes, (stream) =>
      serveOnce(stream, question, async () => ({ answer: 1 }), { maxBytes: 1 << 16 })
    )
}

const many: Target = {
  name: 'stream/questions',
  mutate: mutateFrames(mutateCbor, false),
  seeds: async () => [framed(encodePlain({ question: 'who' }), encodePlain({ question: 'what' }))],
  read: async (bytes) =>
    await given(bytes, (stream) =>
      serveAll(stream, async () => encodeReply({ answer: 1 }), { idleMs: 20_000, maxBytes: 1 << 16 })
    )
}

const answers: Target = {
  name: 'stream/answers',
  mutate: mutateFrames(mutateCbor, false),
  seeds: async () => [framed(encodeReply({ answer: 1 }), encodeReply({ answer: 2 }))],
  read: async (bytes) =>
    await given(bytes, async (stream) => {
      const conversation = new Conversation(stream, 1 << 16)
      try {
        while (conversation.usable)
          await conversation.ask({ question: 'who' }, z.strictObject({ answer: z.int() }))
      } catch (thrown) {
        if (!(thrown instanceof PeerRefused)) throw thrown
      }
    })
}

const control = (value: unknown): Uint8Array =>
  new Uint8Array(Buffer.concat([Uint8Array.of(0), encodePlain(value)]))
const chunk = (bytes: Uint8Array): Uint8Array => new Uint8Array(Buffer.concat([Uint8Array.of(1), bytes]))
const flow = { contract: CONTRACT, flow: 0, epoch: 1, attempt: 1 }

const MAX_PART_BYTES = 1 << 20
function countingSink(): PartSink & { written: number } {
  const sink = {
    written: 0,
    has: async () => false,
    create: async () => ({
      write: async (bytes: Uint8Array) => {
        sink.written += bytes.byteLength
      },
      commit: async () => {},
      abort: async () => {}
    })
  }
  return sink
}

const transfer: Target = {
  name: 'stream/transfer',
  mutate: mutateFrames(mutateCbor, true),
  seeds: async () => [
    framed(
      control({ kind: 'open', flow, parts: [{ index: 0, bytes: 0, digest: EMPTY }] }),
      control({ kind: 'part', part: { index: 0, bytes: 0, digest: EMPTY } }),
      control({ kind: 'part-end', index: 0, digest: EMPTY }),
      control({ kind: 'end', parts: [{ index: 0, bytes: 0, digest: EMPTY }] })
    ),
    framed(
      control({ kind: 'open', flow, parts: [] }),
      control({ kind: 'part', part: { index: 0, bytes: 8, digest: DIGEST } }),
      chunk(new Uint8Array(8)),
      control({ kind: 'part-end', index: 0, digest: DIGEST }),
      control({ kind: 'end', parts: [{ index: 0, bytes: 8, digest: DIGEST }] })
    ),
    framed(control({ kind: 'failed', code: 'storage-full' }))
  ],
  read: async (bytes) =>
    await given(bytes, async (stream) => {
      const sink = countingSink()
      try {
        await receiveParts(stream, async () => ({ sink, maxParts: 4, maxBytes: MAX_PART_BYTES }))
      } catch (thrown) {
        if (!(thrown instanceof FlowRefused)) throw thrown
      } finally {
        holds('no more is written than the receiver takes', sink.written <= MAX_PART_BYTES)
      }
    })
}

export const streamTargets: readonly Target[] = [frames, once, many, answers, transfer].map((target) => ({
  ...target,
  oneIn: 2
}))
