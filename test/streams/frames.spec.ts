import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { encode as varint } from 'uint8-varint'
import { z } from 'zod'
import { MalformedDocument } from '../../protocol/documents/index.ts'
import {
  memoryPair,
  plainFrames,
  readFrames,
  StreamEndedEarly,
  StreamIdle,
  writeAll,
  writeFrames
} from '../../protocol/streams/index.ts'
import { Loopback, thrownBy } from './loopback.ts'

const frame = z.union([
  z.strictObject({ part: z.int(), body: z.instanceof(Uint8Array).optional() }),
  z.strictObject({ end: z.int() })
])
type Frame = z.infer<typeof frame>
const codec = plainFrames(frame)
const isEnd = (one: Frame): boolean => 'end' in one
const LIMITS = { maxFrame: 1 << 18, idleMs: 20_000 }

function* parts(count: number, bytes = 0): Generator<Frame> {
  for (let part = 0; part < count; part++)
    yield bytes === 0 ? { part } : { part, body: new Uint8Array(bytes) }
}

async function collect(stream: Stream, limits = LIMITS): Promise<{ parts: number; end: Frame }> {
  const frames = readFrames(stream, codec, isEnd, limits)
  let count = 0
  for (let next = await frames.next(); ; next = await frames.next()) {
    if (next.done === true) return { parts: count, end: next.value }
    count++
  }
}

describe('frames', () => {
  let loopback: Loopback
  before(async () => {
    loopback = await Loopback.start()
  })
  after(async () => {
    await loopback.stop()
  })

  const ways: Record<string, () => Promise<[Stream, Stream]>> = {
    'over the network': async () => await loopback.pair(),
    'from an agent to itself': async () => memoryPair('/test/1')
  }

  for (const [way, pair] of Object.entries(ways)) {
    describe(way, () => {
      it('arrive whole, in order, with their end', async () => {
        const [out, into] = await pair()
        const [read] = await Promise.all([
          collect(into),
          writeFrames(out, codec, parts(500), { end: 500 }, LIMITS)
        ])
        expect(read).to.deep.equal({ parts: 500, end: { end: 500 } })
      })

      it('are refused when the stream ends without its end frame', async () => {
        const [out, into] = await pair()
        const reading = thrownBy(collect(into))
        await writeAll(
          out,
          [codec.encode({ part: 1 })].map((body) => Buffer.concat([varint(body.byteLength), body]))
        )
        expect(await reading).to.be.instanceOf(StreamEndedEarly)
      })

      it('are refused when the writer resets after part of them', async () => {
        const [out, into] = await pair()
        const reading = thrownBy(collect(into))
        async function* breaking(): AsyncGenerator<Frame> {
          yield { part: 1 }
          throw new Error('the disk is gone')
        }
        const writing = thrownBy(writeFrames(out, codec, breaking(), { end: 1 }, LIMITS))
        expect((await writing).message).to.equal('the disk is gone')
        expect(await reading).to.be.instanceOf(StreamEndedEarly)
      })

      it('are refused at the length prefix when it promises 1 GB', async () => {
        const [out, into] = await pair()
        const reading = thrownBy(collect(into))
        out.send(varint(1 << 30))
        expect(await reading).to.be.instanceOf(MalformedDocument)
        expect(into.status).to.equal('aborted')
      })

      it('are refused when they are garbage', async () => {
        const [out, into] = await pair()
        const reading = thrownBy(collect(into))
        out.send(Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\n'.repeat(9)))
        expect(await reading).to.be.instanceOf(MalformedDocument)
      })

      it('are given up after the idle limit when the writer stalls', async () => {
        const [out, into] = await pair()
        const reading = thrownBy(collect(into, { ...LIMITS, idleMs: 30 }))
        expect(await reading).to.be.instanceOf(StreamIdle)
        expect(into.status).to.equal('aborted')
        expect(out).to.have.property('status')
      })

      it('stop when the caller no longer wants them', async () => {
        const [, into] = await pair()
        const controller = new AbortController()
        const frames = readFrames(into, codec, isEnd, { ...LIMITS, signal: controller.signal })
        const reading = thrownBy(frames.next())
        controller.abort(new Error('not wanted'))
        expect((await reading).message).to.equal('not wanted')
      })

      it('hold the writer back while the reader works', async () => {
        const [out, into] = await pair()
        const count = 400
        let written = 0
        function* counted(): Generator<Frame> {
          for (const one of parts(count, 60_000)) {
            written++
            yield one
          }
        }
        const writing = writeFrames(out, codec, counted(), { end: count }, LIMITS)
        let read = 0
        let furthest = 0
        for await (const _ of readFrames(into, codec, isEnd, LIMITS)) {
          read++
          await new Promise((resolve) => setImmediate(resolve))
          furthest = Math.max(furthest, written - read)
        }
        await writing
        expect(read).to.equal(count)
        expect(furthest * 60_000).to.be.below(8 << 20)
      })

      it('reset the writer when the reader leaves early', async () => {
        const [out, into] = await pair()
        const writing = thrownBy(writeFrames(out, codec, parts(2000, 60_000), { end: 2000 }, LIMITS))
        for await (const one of readFrames(into, codec, isEnd, LIMITS)) {
          if ('part' in one && one.part === 3) break
        }
        expect((await writing).name).to.match(/Stream.*Error/)
      })
    })
  }
})
