import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { conflict, type Operations, problem } from '../../agent/api/index.ts'
import type { Submission } from '../../agent/config/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import { aRequest, authorised, fakeApi, USER } from './fake-operations.ts'

const BODY = { purpose: 'research', datasets: ['wageGap'], query: 'SELECT 1' }
const JSON_BODY = { ...authorised, 'content-type': 'application/json' }
const YAML_BODY = { ...authorised, 'content-type': 'application/yaml' }
const post = { method: 'POST', url: '/api/v1/requests' } as const

function recorder() {
  const seen: { submission: Submission; user: string; key: string | undefined }[] = []
  const submit: Operations['submit'] = async (submission, caller, options) => {
    seen.push({ submission, user: caller.user, key: options.idempotencyKey })
    return { request: 'bafyrequest', created: true }
  }
  return { seen, submit }
}

describe('submitting a request over HTTP', () => {
  it('answers 202 with the id and where to look', async () => {
    const answer = await fakeApi().inject({ ...post, headers: JSON_BODY, payload: BODY })
    expect(answer.statusCode).to.equal(202)
    expect(answer.json().request).to.equal('bafyrequest')
    expect(answer.headers.location).to.equal('/api/v1/requests/bafyrequest')
  })

  it('submits for the user of the token, with the idempotency key', async () => {
    const { seen, submit } = recorder()
    await fakeApi({ submit }).inject({
      ...post,
      headers: { ...JSON_BODY, 'idempotency-key': 'monday-1' },
      payload: BODY
    })
    expect(seen).to.have.length(1)
    expect(seen[0]).to.include({ user: USER, key: 'monday-1' })
    expect(seen[0]?.submission.datasets).to.deep.equal(['wageGap'])
  })

  it('takes YAML', async () => {
    const { seen, submit } = recorder()
    const payload = 'purpose: research\ndatasets: [wageGap]\nquery: SELECT 1\n'
    const answer = await fakeApi({ submit }).inject({ ...post, headers: YAML_BODY, payload })
    expect(answer.statusCode).to.equal(202)
    expect(seen[0]?.submission.query).to.equal('SELECT 1')
  })

  it('names line and key of a mistake in YAML', async () => {
    const payload = 'purpose: research\ndatasets: [wageGap]\nqeury: SELECT 1\n'
    const answer = await fakeApi().inject({ ...post, headers: YAML_BODY, payload })
    expect(answer.statusCode).to.equal(400)
    const body = problem.parse(answer.json())
    expect(body.code).to.equal('config-invalid')
    expect(body.problems?.some(({ line }) => line === 3)).to.equal(true)
  })

  it('answers 400 to broken JSON', async () => {
    const answer = await fakeApi().inject({ ...post, headers: JSON_BODY, payload: '{"purpose": ' })
    expect(answer.statusCode).to.equal(400)
    expect(problem.parse(answer.json()).code).to.equal('bad-request')
  })

  it('answers 400 to JSON that reaches for prototypes', async () => {
    const answer = await fakeApi().inject({ ...post, headers: JSON_BODY, payload: '{"__proto__": {"a": 1}}' })
    expect(answer.statusCode).to.equal(400)
  })

  it('answers 400 to an empty body', async () => {
    const answer = await fakeApi().inject({ ...post, headers: authorised })
    expect(answer.statusCode).to.equal(400)
  })

  it('answers 413 to a body of 10 MB', async () => {
    const payload = JSON.stringify({ ...BODY, query: 'x'.repeat(10_000_000) })
    const answer = await fakeApi().inject({ ...post, headers: JSON_BODY, payload })
    expect(answer.statusCode).to.equal(413)
    expect(problem.parse(answer.json()).code).to.equal('body-too-large')
  })

  it('answers 415 to another media type', async () => {
    const answer = await fakeApi().inject({
      ...post,
      headers: { ...authorised, 'content-type': 'image/png' },
      payload: 'x'
    })
    expect(answer.statusCode).to.equal(415)
    expect(problem.parse(answer.json()).code).to.equal('media-type-not-supported')
  })

  it('answers 400 to an idempotency key that could not be stored', async () => {
    const answer = await fakeApi().inject({
      ...post,
      headers: { ...JSON_BODY, 'idempotency-key': 'k'.repeat(300) },
      payload: BODY
    })
    expect(answer.statusCode).to.equal(400)
  })

  it('answers 409 when the key belongs to another request', async () => {
    const submit = () => Promise.reject(conflict('idempotency-conflict', 'expected the same request again'))
    const answer = await fakeApi({ submit }).inject({ ...post, headers: JSON_BODY, payload: BODY })
    expect(answer.statusCode).to.equal(409)
    expect(answer.json().code).to.equal('idempotency-conflict')
  })

  for (const [code, status] of [
    ['rate-limited', 429],
    ['busy', 503],
    ['shutting-down', 503],
    ['storage-full', 507],
    ['request-type-not-supported', 422]
  ] as const) {
    it(`answers ${status} to ${code}`, async () => {
      const submit = () => Promise.reject(new DynamosError(code, 'not now'))
      const answer = await fakeApi({ submit }).inject({ ...post, headers: JSON_BODY, payload: BODY })
      expect(answer.statusCode).to.equal(status)
      expect(answer.json().code).to.equal(code)
      expect('retry-after' in answer.headers).to.equal(status === 429 || status === 503)
    })
  }

  it('keeps what went wrong inside to its log', async () => {
    const submit = () => Promise.reject(new Error('Could not convert string Jan Jansen'))
    const answer = await fakeApi({ submit }).inject({ ...post, headers: JSON_BODY, payload: BODY })
    expect(answer.statusCode).to.equal(500)
    expect(answer.body).not.to.include('Jansen')
  })

  for (const url of ['/api/v1/requests?explain=true', '/api/v1/explain'])
    it(`explains at ${url} and submits nothing`, async () => {
      const { seen, submit } = recorder()
      const answer = await fakeApi({ submit }).inject({
        method: 'POST',
        url,
        headers: JSON_BODY,
        payload: BODY
      })
      expect(answer.statusCode).to.equal(200)
      expect(answer.json().status).to.equal('queued')
      expect(seen).to.deep.equal([])
    })
})

describe('a request over HTTP', () => {
  it('is listed', async () => {
    const answer = await fakeApi().inject({ url: '/api/v1/requests', headers: authorised })
    expect(answer.json()).to.have.length(1)
  })

  it('is shown', async () => {
    const answer = await fakeApi().inject({ url: '/api/v1/requests/bafyrequest', headers: authorised })
    expect(answer.json()).to.deep.equal(aRequest())
  })

  it('is run again, by whoever asks, once for each key', async () => {
    const asked: unknown[] = []
    const rerun: Operations['rerun'] = async (...args) => {
      asked.push(args)
      return { request: 'bafyagain', created: true }
    }
    const answer = await fakeApi({ rerun }).inject({
      method: 'POST',
      url: '/api/v1/requests/bafyrequest/rerun',
      headers: { ...authorised, 'idempotency-key': 'k1' }
    })
    expect(answer.statusCode).to.equal(202)
    expect(answer.headers.location).to.equal('/api/v1/requests/bafyagain')
    expect(asked).to.deep.equal([['bafyrequest', { user: USER }, { idempotencyKey: 'k1' }]])
  })

  it('is given as it was written, and with its contract', async () => {
    const get = async (what: string) =>
      (await fakeApi().inject({ url: `/api/v1/requests/bafyrequest/${what}`, headers: authorised })).json()
    expect(await get('submission')).to.deep.include({ purpose: 'research', query: 'SELECT a FROM b' })
    expect(await get('contract')).to.have.property('contract', 'bafycontract')
  })

  it('is cancelled by DELETE', async () => {
    const answer = await fakeApi().inject({
      method: 'DELETE',
      url: '/api/v1/requests/bafyrequest',
      headers: authorised
    })
    expect(answer.json().status).to.equal('cancelled')
  })

  for (const [method, url] of [
    ['GET', '/api/v1/requests/bafyother'],
    ['DELETE', '/api/v1/requests/bafyother'],
    ['GET', '/api/v1/requests/bafyother/events'],
    ['GET', '/api/v1/requests/bafyother/contract'],
    ['GET', '/api/v1/requests/bafyother/submission'],
    ['POST', '/api/v1/requests/bafyother/rerun'],
    ['GET', '/api/v1/requests/bafyother/result']
  ] as const)
    it(`answers 404 at ${method} ${url}`, async () => {
      const answer = await fakeApi().inject({ method, url, headers: authorised })
      expect(answer.statusCode).to.equal(404)
    })
})

describe('the result of a request over HTTP', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dynamos-api-'))
    await writeFile(join(folder, 'result-0.csv'), 'Geslacht,average\nM,11.287\n')
  })
  after(() => rm(folder, { recursive: true }))

  const url = '/api/v1/requests/bafyrequest/result'

  it('comes in the format that was asked for', async () => {
    const asked: unknown[] = []
    const result: Operations['result'] = async (id, options) => {
      asked.push([id, options])
      return { path: join(folder, 'result-0.csv'), mediaType: 'text/csv' }
    }
    const answer = await fakeApi({ result }).inject({
      url: `${url}?from=VU`,
      headers: { ...authorised, accept: 'text/csv' }
    })
    expect(asked).to.deep.equal([['bafyrequest', { from: 'VU', format: 'csv' }]])
    expect(answer.headers['content-type']).to.equal('text/csv')
    expect(answer.body).to.equal('Geslacht,average\nM,11.287\n')
  })

  for (const [accept, format] of [
    [undefined, 'json'],
    ['*/*', 'json'],
    ['text/*', 'csv'],
    ['application/vnd.apache.parquet', 'parquet'],
    ['application/json;q=0.1, text/csv;q=0.9', 'csv'],
    ['application/json;q=0, */*', 'csv']
  ] as const)
    it(`is ${format} for Accept: ${accept}`, async () => {
      const formats: string[] = []
      const result: Operations['result'] = async (_id, options) => {
        formats.push(options.format)
        return undefined
      }
      const headers = accept === undefined ? authorised : { ...authorised, accept }
      await fakeApi({ result }).inject({ url, headers })
      expect(formats).to.deep.equal([format])
    })

  it('comes in pages, and links to the next one', async () => {
    const asked: unknown[] = []
    const result: Operations['result'] = async (_id, { page }) => {
      asked.push(page)
      return { mediaType: 'application/json', before: '{"rows":[]}', next: 20 }
    }
    const answer = await fakeApi({ result }).inject({
      url: `${url}?from=VU&offset=10&limit=10`,
      headers: authorised
    })
    expect(answer.headers.link).to.equal(`<${url}?from=VU&offset=20&limit=10>; rel="next"`)
    expect(answer.headers['content-length']).to.equal('11')
    await fakeApi({ result }).inject({ url: `${url}?offset=7`, headers: authorised })
    expect(asked).to.deep.equal([
      { offset: 10, limit: 10 },
      { offset: 7, limit: 1000 }
    ])
  })

  for (const page of ['limit=10001', 'limit=0', 'offset=-1', 'offset=1.5', 'limit=1e3', 'offset='])
    it(`answers 400 to ?${page}`, async () => {
      const answer = await fakeApi().inject({ url: `${url}?${page}`, headers: authorised })
      expect(answer.statusCode).to.equal(400)
    })

  it('is put together of a file and what stands around it, and released when it was sent', async () => {
    const released = Promise.withResolvers<void>()
    const result: Operations['result'] = async () => ({
      mediaType: 'text/csv',
      before: '<é ',
      path: join(folder, 'result-0.csv'),
      after: '>',
      release: async () => released.resolve()
    })
    const answer = await fakeApi({ result }).inject({ url, headers: authorised })
    expect(answer.body).to.equal('<é Geslacht,average\nM,11.287\n>')
    expect(answer.headers['content-length']).to.equal(String(Buffer.byteLength(answer.body)))
    await released.promise
  })

  it('stops what makes it when whoever asked hangs up', async () => {
    const [begun, stopped] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const result: Operations['result'] = async (_id, _options, signal) => {
      begun.resolve()
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      return undefined
    }
    const api = fakeApi({
      result: async (...args) => await result(...args).finally(() => stopped.resolve())
    })
    const base = await api.listen({ host: '127.0.0.1', port: 0 })
    const leaving = new AbortController()
    const { authorization } = authorised
    const asked = fetch(`${base}${url}`, { headers: { authorization }, signal: leaving.signal }).catch(
      () => 'gone'
    )
    await begun.promise
    leaving.abort()
    expect(await asked).to.equal('gone')
    await stopped.promise
    await api.close()
  })

  it('answers 406 to a format it does not have', async () => {
    const answer = await fakeApi().inject({ url, headers: { ...authorised, accept: 'image/png' } })
    expect(answer.statusCode).to.equal(406)
  })

  it('answers 404 for a provider that has none', async () => {
    const answer = await fakeApi().inject({ url: `${url}?from=RUG`, headers: authorised })
    expect(answer.statusCode).to.equal(404)
    expect(answer.json().detail).to.include('VU')
  })

  for (const [status, code] of [
    ['running', 'not-finished'],
    ['refused', 'no-result']
  ] as const)
    it(`answers 409 while the request is ${status}`, async () => {
      const request = async () => aRequest({ status })
      const answer = await fakeApi({ request }).inject({ url, headers: authorised })
      expect(answer.statusCode).to.equal(409)
      expect(answer.json().code).to.equal(code)
    })
})
