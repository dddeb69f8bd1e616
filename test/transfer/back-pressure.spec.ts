import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { memoryPair } from '../../protocol/streams/index.ts'
import { type PartSink, type PartSource, receiveParts, sendParts } from '../../protocol/transfer/index.ts'
import { Loopback } from '../streams/loopback.ts'
import { FLOW, GENEROUS } from './parts.ts'

const MEGABYTES = 64
const BLOCK = new Uint8Array(1 << 20).fill(7)
/** Windows and buffers of both ends (1 MiB of yamux, what was read and not yet written), generously. */
const IN_FLIGHT = 8 << 20

describe('a transfer of 64 MB to a slow reader', () => {
  let loopback: Loopback
  before(async () => {
    loopback = await Loopback.start()
  })
  after(async () => {
    await loopback.stop()
  })

  async function mostInFlight([out, into]: [Stream, Stream]): Promise<{ most: number; written: number }> {
    const hash = createHash('sha256')
    for (let n = 0; n < MEGABYTES; n++) hash.update(BLOCK)
    const part = { index: 0, bytes: MEGABYTES << 20, digest: hash.digest('hex') }
    let read = 0
    let written = 0
    let most = 0
    const source: PartSource = {
      known: () => [part],
      async *parts() {
        yield {
          ...part,
          async *open() {
            for (let n = 0; n < MEGABYTES; n++) {
              read += BLOCK.byteLength
              most = Math.max(most, read - written)
              yield BLOCK
            }
          }
        }
      }
    }
    const sink: PartSink = {
      has: async () => false,
      create: async () => ({
        write: async (bytes) => {
          for (let turn = 0; turn < 4; turn++) await setImmediate()
          written += bytes.byteLength
        },
        commit: async () => {},
        abort: async () => {}
      })
    }
    await Promise.all([sendParts(out, FLOW, source), receiveParts(into, async () => ({ sink, ...GENEROUS }))])
    return { most, written }
  }

  it('holds the source back, over the network', async () => {
    const { most, written } = await mostInFlight(await loopback.pair())
    expect(written).to.equal(MEGABYTES << 20)
    expect(most).to.be.below(IN_FLIGHT)
  })

  it('holds the source back, from an agent to itself', async () => {
    const { most, written } = await mostInFlight(memoryPair('/dynamos/flow/1'))
    expect(written).to.equal(MEGABYTES << 20)
    expect(most).to.be.below(IN_FLIGHT)
  })
})
