import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { encode as varint } from 'uint8-varint'
import { z } from 'zod'
import { decodePlain, MalformedDocument } from '../../protocol/documents/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import {
  Conversation,
  encodeRefusal,
  encodeReply,
  exchangeOnce,
  PeerRefused,
  StreamEndedEarly,
  serveAll
} from '../../protocol/streams/index.ts'
import { Loopback, thrownBy } from './loopback.ts'

const number = z.strictObject({ n: z.int() })

/** Answers n with n + 1, and refuses 13. */
async function serve(stream: Stream, idleMs = 20_000): Promise<void> {
  await serveAll(
    stream,
    async (question) => {
      const { n } = decodePlain(question, number)
      return n === 13 ? encodeRefusal(new DynamosError('busy', 'not 13')) : encodeReply({ n: n + 1 })
    },
    { idleMs, maxBytes: 1 << 16 }
  )
}

describe('a conversation', () => {
  let loopback: Loopback
  before(async () => {
    loopback = await Loopback.start()
  })
  after(async () => {
    await loopback.stop()
  })

  it('answers one question after the other, refusals among them, until it is closed', async () => {
    const [out, into] = await loopback.pair()
    const serving = serve(into)
    const conversation = new Conversation(out)
    for (const n of [1, 2, 3]) expect(await conversation.ask({ n }, number)).to.deep.equal({ n: n + 1 })
    expect(await thrownBy(conversation.ask({ n: 13 }, number))).to.be.instanceOf(PeerRefused)
    expect(conversation.usable).to.equal(true)
    expect(await conversation.ask({ n: 4 }, number)).to.deep.equal({ n: 5 })
    conversation.close()
    await serving
  })

  it('also answers an end that asks once and closes', async () => {
    const [out, into] = await loopback.pair()
    const serving = serve(into)
    expect(await exchangeOnce(out, { n: 1 }, number)).to.deep.equal({ n: 2 })
    await serving
  })

  it('is over when a question is given up', async () => {
    const [out, into] = await loopback.pair()
    const serving = thrownBy(
      serveAll(into, async () => await new Promise<Uint8Array>(() => {}), { idleMs: 20_000 })
    )
    void serving
    const conversation = new Conversation(out)
    const controller = new AbortController()
    const asking = thrownBy(conversation.ask({ n: 1 }, number, { signal: controller.signal }))
    controller.abort(new Error('not wanted'))
    expect((await asking).message).to.equal('not wanted')
    expect(conversation.usable).to.equal(false)
  })

  it('is over when the other end is silent for too long between questions', async () => {
    const [out, into] = await loopback.pair()
    const serving = thrownBy(serve(into, 20))
    expect(await serving).to.be.instanceOf(StreamEndedEarly)
    expect(into.status).to.equal('aborted')
    expect(out).to.have.property('status')
  })

  it('is over with a refusal at a question that is too long', async () => {
    const [out, into] = await loopback.pair()
    const serving = thrownBy(serve(into))
    out.send(varint(1 << 30))
    expect(await serving).to.be.instanceOf(MalformedDocument)
  })

  it('breaks off with an error when the other end goes', async () => {
    const [out, into] = await loopback.pair()
    const conversation = new Conversation(out)
    const asking = thrownBy(conversation.ask({ n: 1 }, number))
    into.abort(new Error('gone'))
    expect(await asking).to.be.instanceOf(StreamEndedEarly)
    expect(conversation.usable).to.equal(false)
  })
})
