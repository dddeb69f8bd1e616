import { expect } from 'chai'
import type { Operations } from '../../agent/api/index.ts'
import { anEvent, aRequest, authorised, fakeApi } from './fake-operations.ts'

const url = '/api/v1/requests/bafyrequest/events'
const idsIn = (body: string) => [...body.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))

describe('events of a request over HTTP', () => {
  it('end after the final status', async () => {
    const answer = await fakeApi().inject({ url, headers: authorised })
    expect(answer.headers['content-type']).to.equal('text/event-stream; charset=utf-8')
    expect(idsIn(answer.body)).to.deep.equal([1, 2, 3])
    expect(answer.body).to.include('event: progress\ndata: {"sequence":1,')
  })

  it('go on after the last one that was seen', async () => {
    const request = async () => aRequest({ status: 'running' })
    const answer = await fakeApi({ request }).inject({
      url,
      headers: { ...authorised, 'last-event-id': '2' }
    })
    expect(idsIn(answer.body)).to.deep.equal([3])
  })

  it('answer 204 when all were seen of a request that ended', async () => {
    const answer = await fakeApi().inject({ url, headers: { ...authorised, 'last-event-id': '3' } })
    expect(answer.statusCode).to.equal(204)
  })

  it('start from the beginning for a Last-Event-ID that is none', async () => {
    const answer = await fakeApi().inject({ url, headers: { ...authorised, 'last-event-id': 'x' } })
    expect(idsIn(answer.body)).to.deep.equal([1, 2, 3])
  })

  it('keep a message with line ends in one event', async () => {
    const events: Operations['events'] = async function* () {
      yield anEvent(1, { message: 'a\n\nid: 9' })
    }
    const answer = await fakeApi({ events }).inject({ url, headers: authorised })
    expect(idsIn(answer.body)).to.deep.equal([1])
  })

  it('stop the agent from working for a client that left', async () => {
    const left = Promise.withResolvers<void>()
    const events: Operations['events'] = async function* (_id, signal) {
      yield anEvent(1)
      signal.addEventListener('abort', () => left.resolve(), { once: true })
      await left.promise
    }
    const api = fakeApi({ events })
    const address = await api.listen({ host: '127.0.0.1', port: 0 })
    const client = new AbortController()
    const response = await fetch(`${address}${url}`, {
      headers: { authorization: authorised.authorization },
      signal: client.signal
    })
    await response.body?.getReader().read()
    client.abort()
    await left.promise
    await api.close()
  })
})
