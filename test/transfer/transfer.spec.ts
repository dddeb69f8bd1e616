import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { encodePlain } from '../../protocol/documents/index.ts'
import { frameOf, memoryPair } from '../../protocol/streams/index.ts'
import {
  type Admission,
  CHUNK_BYTES,
  FlowFailed,
  FlowRefused,
  type PartSource,
  receiveParts,
  sendParts,
  type TransferOptions
} from '../../protocol/transfer/index.ts'
import { Loopback } from '../streams/loopback.ts'
import { aPart, FLOW, GENEROUS, infoOf, MemorySink, memorySource, partOf } from './parts.ts'

const QUICK = { idleMs: 2_000 }
const STALL = { idleMs: 150 }

interface Sides {
  sent: PromiseSettledResult<Awaited<ReturnType<typeof sendParts>>>
  received: PromiseSettledResult<Awaited<ReturnType<typeof receiveParts>>>
}

function codes({ sent, received }: Sides): (string | undefined)[] {
  return [sent, received].map((side) => {
    if (side.status === 'fulfilled') return undefined
    expect(side.reason).to.be.instanceOf(FlowFailed)
    return side.reason.code
  })
}

function raw(stream: Stream, frame: unknown): void {
  stream.send(frameOf(Uint8Array.of(0, ...encodePlain(frame))))
}

function rawChunk(stream: Stream, bytes: Uint8Array): void {
  stream.send(frameOf(Uint8Array.of(1, ...bytes)))
}

describe('a transfer of parts', () => {
  let loopback: Loopback
  before(async () => {
    loopback = await Loopback.start()
  })
  after(async () => {
    await loopback.stop()
  })

  const networks: Record<string, () => Promise<[Stream, Stream]>> = {
    'over the network': async () => await loopback.pair(),
    'from an agent to itself': async () => memoryPair('/dynamos/flow/1')
  }
  for (const [where, pair] of Object.entries(networks)) {
    async function transfer(
      source: PartSource,
      sink: MemorySink,
      options: { send?: TransferOptions; receive?: TransferOptions; admission?: Partial<Admission> } = {}
    ): Promise<Sides> {
      const [out, into] = await pair()
      const admission = { sink, ...GENEROUS, ...options.admission }
      const [sent, received] = await Promise.allSettled([
        sendParts(out, FLOW, source, { ...QUICK, ...options.send }),
        receiveParts(into, async () => admission, { ...QUICK, ...options.receive })
      ])
      expect(sink.pending, 'writers left open').to.equal(0)
      return { sent, received }
    }

    /** A sender that says exactly these frames. */
    async function hostile(sink: MemorySink, say: (stream: Stream) => void): Promise<FlowFailed> {
      const [out, into] = await pair()
      const receiving = receiveParts(into, async () => ({ sink, ...GENEROUS }), STALL)
      say(out)
      const [received] = await Promise.allSettled([receiving])
      out.abort(new Error('done'))
      if (received.status === 'fulfilled') throw new Error('expected a failure, found success')
      expect(received.reason).to.be.instanceOf(FlowFailed)
      expect(sink.pending, 'writers left open').to.equal(0)
      return received.reason
    }

    describe(where, () => {
      it('brings every part, verified, and the sender knows', async () => {
        const parts = [aPart(0, 700_001), aPart(1, 0), aPart(2, CHUNK_BYTES), aPart(3, 5)]
        const sink = new MemorySink()
        const { sent, received } = await transfer(memorySource(parts), sink)
        if (sent.status === 'rejected') throw sent.reason
        if (received.status === 'rejected') throw received.reason
        expect(sent.value.parts).to.deep.equal(parts.map(infoOf))
        expect(received.value.parts).to.deep.equal(parts.map(infoOf))
        expect(received.value.flow).to.deep.equal(FLOW)
        for (const part of parts)
          expect(sink.committed.get(part.digest)).to.deep.equal(Buffer.from(part.content))
      })

      it('brings a flow without parts', async () => {
        expect(codes(await transfer(memorySource([]), new MemorySink()))).to.deep.equal([
          undefined,
          undefined
        ])
      })

      it('brings parts that were not known when it was opened', async () => {
        const parts = [aPart(0, 1_000), aPart(1, 2_000)]
        const sink = new MemorySink()
        expect(codes(await transfer(memorySource(parts, { known: [] }), sink))).to.deep.equal([
          undefined,
          undefined
        ])
        expect(sink.committed.size).to.equal(2)
      })

      it('tells its progress at both ends, up to the whole', async () => {
        const sending: [number, number][] = []
        const receiving: [number, number][] = []
        await transfer(memorySource([aPart(0, 600_000), aPart(1, 400_000)]), new MemorySink(), {
          send: { onProgress: (bytes, of) => sending.push([bytes, of]) },
          receive: { onProgress: (bytes, of) => receiving.push([bytes, of]) }
        })
        expect(sending.at(-1)).to.deep.equal([1_000_000, 1_000_000])
        expect(receiving.at(-1)).to.deep.equal([1_000_000, 1_000_000])
        expect(receiving.map(([bytes]) => bytes)).to.deep.equal(
          receiving.map(([bytes]) => bytes).toSorted((a, b) => a - b)
        )
      })

      it('sends only what is missing after the connection was cut in the middle of a part', async () => {
        const parts = [aPart(0, 500_000), aPart(1, 900_000), aPart(2, 300_000)]
        const sink = new MemorySink()
        const [out, into] = await pair()
        sink.beforeWrite = async () => {
          if (sink.committed.size === 1 && sink.written > 700_000) into.abort(new Error('the cable was cut'))
        }
        const first = await Promise.allSettled([
          sendParts(out, FLOW, memorySource(parts), QUICK),
          receiveParts(into, async () => ({ sink, ...GENEROUS }), QUICK)
        ])
        expect(first.map((side) => side.status === 'rejected' && side.reason.code)).to.deep.equal([
          'flow-short',
          'flow-short'
        ])
        expect([...sink.committed.keys()]).to.deep.equal([parts[0]?.digest])
        sink.beforeWrite = async () => {}
        const source = memorySource(parts)
        const { sent } = await transfer(source, sink)
        if (sent.status === 'rejected') throw sent.reason
        expect(source.opened).to.deep.equal([1, 2])
        expect(sent.value.moved).to.equal(1_200_000)
        expect(sent.value.bytes).to.equal(1_700_000)
      })

      it('fails at both ends when a byte is not what was announced', async () => {
        const good = aPart(0, 300_000)
        const flipped = Uint8Array.from(good.content)
        flipped[150_000] = (flipped[150_000] ?? 0) ^ 1
        const sink = new MemorySink()
        const source = memorySource([good], {
          open: async function* () {
            yield flipped
          }
        })
        expect(codes(await transfer(source, sink))).to.deep.equal(['flow-altered', 'flow-altered'])
        expect(sink.committed.size).to.equal(0)
      })

      it('fails at both ends when the source has less or more than it announced', async () => {
        const part = aPart(0, 300_000)
        for (const [content, code] of [
          [part.content.subarray(1), 'flow-short'],
          [Buffer.concat([part.content, Uint8Array.of(1)]), 'flow-altered']
        ] as const) {
          const source = memorySource([part], {
            open: async function* () {
              yield content
            }
          })
          expect(codes(await transfer(source, new MemorySink()))).to.deep.equal([code, code])
        }
      })

      it('fails when a liar flips a byte and announces the digest it promised', async () => {
        const part = aPart(0, 1_000)
        const error = await hostile(new MemorySink(), (stream) => {
          raw(stream, { kind: 'open', flow: FLOW, parts: [infoOf(part)] })
          raw(stream, { kind: 'part', part: infoOf(part) })
          rawChunk(stream, new Uint8Array(1_000))
          raw(stream, { kind: 'part-end', index: 0, digest: part.digest })
        })
        expect(error.code).to.equal('flow-altered')
      })

      it('fails when the final list names a part that never came', async () => {
        const error = await hostile(new MemorySink(), (stream) => {
          raw(stream, { kind: 'open', flow: FLOW, parts: [] })
          raw(stream, { kind: 'end', parts: [infoOf(aPart(0, 10))] })
        })
        expect(error.code).to.equal('flow-short')
      })

      it('fails when a part came that the final list does not name', async () => {
        const part = aPart(0, 4)
        const error = await hostile(new MemorySink(), (stream) => {
          raw(stream, { kind: 'open', flow: FLOW, parts: [] })
          raw(stream, { kind: 'part', part: infoOf(part) })
          rawChunk(stream, part.content)
          raw(stream, { kind: 'part-end', index: 0, digest: part.digest })
          raw(stream, { kind: 'end', parts: [] })
        })
        expect(error.code).to.equal('flow-altered')
      })

      it('fails when a part comes twice, or as another than announced', async () => {
        const part = aPart(0, 4)
        const twice = await hostile(new MemorySink(), (stream) => {
          raw(stream, { kind: 'open', flow: FLOW, parts: [] })
          for (let n = 0; n < 2; n++) {
            raw(stream, { kind: 'part', part: infoOf(part) })
            rawChunk(stream, part.content)
            raw(stream, { kind: 'part-end', index: 0, digest: part.digest })
          }
        })
        const other = await hostile(new MemorySink(), (stream) => {
          raw(stream, { kind: 'open', flow: FLOW, parts: [infoOf(part)] })
          raw(stream, { kind: 'part', part: infoOf(partOf(0, Uint8Array.of(1))) })
        })
        expect([twice.code, other.code]).to.deep.equal(['flow-altered', 'flow-altered'])
      })

      it('fails when a part goes on after its announced size', async () => {
        const sink = new MemorySink()
        const error = await hostile(sink, (stream) => {
          raw(stream, { kind: 'open', flow: FLOW, parts: [] })
          raw(stream, { kind: 'part', part: infoOf(aPart(0, 4)) })
          rawChunk(stream, new Uint8Array(5))
        })
        expect(error.code).to.equal('flow-altered')
        expect(sink.written).to.equal(0)
      })

      it('fails on garbage, and on a frame longer than allowed before it has come', async () => {
        const garbage = await hostile(new MemorySink(), (stream) => stream.send(frameOf(Uint8Array.of(7, 7))))
        const broken = await hostile(new MemorySink(), (stream) =>
          stream.send(frameOf(Uint8Array.of(0, 255)))
        )
        const long = await hostile(new MemorySink(), (stream) =>
          stream.send(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 4))
        )
        expect([garbage.code, broken.code, long.code]).to.deep.equal([
          'flow-altered',
          'flow-altered',
          'flow-altered'
        ])
      })

      it('fails when the stream ends politely before the final list', async () => {
        const error = await hostile(new MemorySink(), (stream) => {
          raw(stream, { kind: 'open', flow: FLOW, parts: [] })
          void stream.close()
        })
        expect(error.code).to.equal('flow-short')
      })

      it('is refused with the receiver’s own reason when the contract is another', async () => {
        const { sent, received } = await transfer(memorySource([aPart(0, 10)]), new MemorySink(), {
          admission: { refuse: 'flow-not-in-contract' }
        })
        for (const side of [sent, received]) {
          if (side.status === 'fulfilled') throw new Error('expected a refusal')
          expect(side.reason).to.be.instanceOf(FlowRefused)
          expect(side.reason.code).to.equal('flow-refused')
          expect(side.reason.reason).to.equal('flow-not-in-contract')
        }
      })

      it('is given up at both ends when the receiver’s limits are passed', async () => {
        const parts = [aPart(0, 600), aPart(1, 600)]
        for (const known of [parts.map(infoOf), []]) {
          for (const limits of [{ maxBytes: 1_000 }, { maxParts: 1 }]) {
            const sides = await transfer(memorySource(parts, { known }), new MemorySink(), {
              admission: limits
            })
            expect(codes(sides)).to.deep.equal(['output-too-large', 'output-too-large'])
          }
        }
      })

      it('times out at both ends when the source stalls', async () => {
        const sink = new MemorySink()
        const source = memorySource([aPart(0, 300_000)], {
          open: async function* (part) {
            yield part.content.subarray(0, CHUNK_BYTES)
            await new Promise(() => {})
          }
        })
        expect(codes(await transfer(source, sink, { receive: STALL }))).to.deep.equal(['timeout', 'timeout'])
        expect(sink.committed.size).to.equal(0)
      })

      it('times out at both ends when the receiver stalls', async () => {
        const sink = new MemorySink()
        const stuck = Promise.withResolvers<void>()
        sink.beforeWrite = async () => await stuck.promise
        const [out, into] = await pair()
        const receiving = receiveParts(into, async () => ({ sink, ...GENEROUS }), QUICK)
        const [sent] = await Promise.allSettled([
          sendParts(out, FLOW, memorySource([aPart(0, 8 << 20)]), STALL)
        ])
        stuck.resolve()
        const [received] = await Promise.allSettled([receiving])
        expect(codes({ sent, received })[0]).to.equal('timeout')
        expect(codes({ sent, received })[1]).to.be.oneOf(['timeout', 'flow-short'])
      })

      it('times out at both ends when either deadline passes', async () => {
        for (const side of ['send', 'receive'] as const) {
          const late = new AbortController()
          const sink = new MemorySink()
          sink.beforeWrite = async () => late.abort(new DOMException('late', 'TimeoutError'))
          const sides = await transfer(
            memorySource([aPart(0, 600_000)], {
              open: async function* (part) {
                yield part.content.subarray(0, CHUNK_BYTES)
                await new Promise(() => {})
              }
            }),
            sink,
            { [side]: { signal: late.signal } }
          )
          expect(codes(sides)).to.deep.equal(['timeout', 'timeout'])
        }
      })

      it('resets when it is cancelled, and the other end does not take it for the end', async () => {
        const cancel = new AbortController()
        const sink = new MemorySink()
        sink.beforeWrite = async () => cancel.abort()
        const sides = await transfer(memorySource([aPart(0, 8 << 20)]), sink, {
          send: { signal: cancel.signal }
        })
        expect(codes(sides)).to.deep.equal(['cancelled', 'flow-short'])
        expect(sink.committed.size).to.equal(0)
      })

      it('says at both ends that the receiver’s disk is full', async () => {
        const sink = new MemorySink()
        sink.beforeWrite = async () => {
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
        }
        expect(codes(await transfer(memorySource([aPart(0, 8 << 20)]), sink))).to.deep.equal([
          'storage-full',
          'storage-full'
        ])
      })

      it('is no success for a sender whose receiver confirms other parts', async () => {
        const [out, into] = await pair()
        const sending = sendParts(out, FLOW, memorySource([aPart(0, 10)]), STALL)
        raw(into, { kind: 'accept', have: [] })
        raw(into, { kind: 'done', parts: [infoOf(aPart(1, 10))] })
        const [sent] = await Promise.allSettled([sending])
        into.abort(new Error('done'))
        expect(sent.status === 'rejected' && sent.reason.code).to.equal('flow-altered')
      })

      it('is no success for a sender that hears nothing after its last byte', async () => {
        const [out, into] = await pair()
        const sending = sendParts(out, FLOW, memorySource([aPart(0, 10)]), STALL)
        raw(into, { kind: 'accept', have: [] })
        const [sent] = await Promise.allSettled([sending])
        into.abort(new Error('done'))
        expect(sent.status === 'rejected' && sent.reason.code).to.equal('timeout')
      })

      it('leaves no stream open, however it ended', async () => {
        for (const admission of [{}, { refuse: 'start-incomplete' as const }]) {
          const [out, into] = await pair()
          await Promise.allSettled([
            sendParts(out, FLOW, memorySource([aPart(0, 10)]), QUICK),
            receiveParts(into, async () => ({ sink: new MemorySink(), ...GENEROUS, ...admission }), QUICK)
          ])
          for (const stream of [out, into]) expect(stream.status).not.to.equal('open')
        }
      })
    })
  }
})
