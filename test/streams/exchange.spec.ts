import { expect } from 'chai'
import { encode as varint } from 'uint8-varint'
import { z } from 'zod'
import { MalformedDocument } from '../../protocol/documents/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import { exchangeOnce, PeerRefused, StreamEndedEarly, serveOnce } from '../../protocol/streams/index.ts'
import { Loopback, thrownBy } from './loopback.ts'

const question = z.strictObject({ question: z.string() })
const answer = z.strictObject({ answer: z.string() })

describe('one message for one reply', () => {
  let loopback: Loopback
  before(async () => {
    loopback = await Loopback.start()
  })
  after(async () => {
    await loopback.stop()
  })

  it('brings the reply and leaves no stream open', async () => {
    const [out, into] = await loopback.pair()
    const serving = serveOnce(into, question, async (message) => ({ answer: `${message.question}!` }))
    expect(await exchangeOnce(out, { question: 'who' }, answer)).to.deep.equal({ answer: 'who!' })
    await serving
    expect(out.status).to.equal('closed')
  })

  it('carries a refusal with its code and words', async () => {
    const [out, into] = await loopback.pair()
    const serving = thrownBy(
      serveOnce(into, question, async () => {
        throw new DynamosError('no-agreement', 'expected an agreement, found none')
      })
    )
    const error = await thrownBy(exchangeOnce(out, { question: 'who' }, answer))
    expect(error).to.be.instanceOf(PeerRefused)
    expect(error.code).to.equal('no-agreement')
    expect((await serving).message).to.equal('expected an agreement, found none')
  })

  it('does not let the words of a bug out', async () => {
    const [out, into] = await loopback.pair()
    const serving = thrownBy(
      serveOnce(into, question, async () => {
        throw new Error("Could not convert string 'Jan Jansen'")
      })
    )
    const error = await thrownBy(exchangeOnce(out, { question: 'who' }, answer))
    expect(error.code).to.equal('internal')
    expect(error.message).not.to.contain('Jansen')
    await serving
  })

  it('refuses a question that breaks its schema, and says so', async () => {
    const [out, into] = await loopback.pair()
    const serving = thrownBy(serveOnce(into, question, async () => ({ answer: '' })))
    const error = await thrownBy(exchangeOnce(out, { question: 1 }, answer))
    expect(error.code).to.equal('malformed-document')
    expect(await serving).to.be.instanceOf(MalformedDocument)
  })

  it('refuses a question longer than allowed before it has arrived', async () => {
    const [out, into] = await loopback.pair()
    const serving = thrownBy(serveOnce(into, question, async () => ({ answer: '' }), { maxBytes: 64 }))
    out.send(varint(1 << 30))
    expect(await serving).to.be.instanceOf(MalformedDocument)
  })

  it('refuses a reply that breaks its schema', async () => {
    const [out, into] = await loopback.pair()
    const serving = serveOnce(into, question, async () => ({ something: 'else' }))
    expect(await thrownBy(exchangeOnce(out, { question: 'who' }, answer))).to.be.instanceOf(MalformedDocument)
    await serving
  })

  it('throws when the peer breaks off before its reply', async () => {
    const [out, into] = await loopback.pair()
    const asking = thrownBy(exchangeOnce(out, { question: 'who' }, answer))
    await into.close()
    expect(await asking).to.be.instanceOf(StreamEndedEarly)
  })

  it('throws when the peer half-closed before the question was sent', async () => {
    const [out, into] = await loopback.pair()
    const closed = new Promise((resolve) => out.addEventListener('remoteCloseWrite', resolve, { once: true }))
    await into.close()
    await closed
    expect(await thrownBy(exchangeOnce(out, { question: 'who' }, answer))).to.be.instanceOf(StreamEndedEarly)
  })

  it('ends at the caller’s deadline and resets the stream', async () => {
    const [out] = await loopback.pair()
    const error = await thrownBy(
      exchangeOnce(out, { question: 'who' }, answer, { signal: AbortSignal.timeout(20) })
    )
    expect(error.name).to.equal('TimeoutError')
    expect(out.status).to.equal('aborted')
  })
})
