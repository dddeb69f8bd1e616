import { expect } from 'chai'
import { listen, type Operations } from '../../agent/api/index.ts'
import { anAgreement, authorised, fakeApi } from './fake-operations.ts'

const get = (url: string, changes: Partial<Operations> = {}) =>
  fakeApi(changes).inject({ url, headers: authorised })

describe('what the network offers, over HTTP', () => {
  for (const url of ['/api/v1/peers', '/api/v1/members', '/api/v1/datasets', '/api/v1/agreements'])
    it(`lists ${url}`, async () => {
      const answer = await get(url)
      expect(answer.statusCode).to.equal(200)
      expect(answer.json()).to.have.length(1)
    })

  it('gives the own capability, and that of a peer', async () => {
    expect((await get('/api/v1/capabilities')).json()).to.deep.equal({ organisation: 'UVA' })
    expect((await get('/api/v1/capabilities/VU')).json()).to.deep.equal({ organisation: 'VU' })
  })

  it('passes words to look for', async () => {
    const asked: unknown[] = []
    const datasets: Operations['datasets'] = async (find) => {
      asked.push(find)
      return []
    }
    await get('/api/v1/datasets?find=wages%20gap', { datasets })
    expect(asked).to.deep.equal(['wages gap'])
  })

  for (const url of ['/api/v1/capabilities/RUG', '/api/v1/datasets/none', '/api/v1/agreements/none'])
    it(`answers 404 at ${url}`, async () => {
      expect((await get(url)).statusCode).to.equal(404)
    })
})

describe('agreements over HTTP', () => {
  const post = (url: string, payload: string | object, changes: Partial<Operations> = {}, type?: string) =>
    fakeApi(changes).inject({
      method: 'POST',
      url,
      headers: { ...authorised, 'content-type': type ?? 'application/json' },
      payload
    })

  for (const url of ['/api/v1/agreements/check', '/api/v1/agreements/prepare'])
    it(`are taken as YAML and inside JSON at ${url}`, async () => {
      expect((await post(url, 'agreement: a\n', {}, 'application/yaml')).statusCode).to.equal(200)
      expect((await post(url, { text: 'agreement: a\n' })).statusCode).to.equal(200)
    })

  it('are signed from a file or from signed bytes', async () => {
    const seen: unknown[] = []
    const signAgreement: Operations['signAgreement'] = async (input) => {
      seen.push(input)
      return anAgreement()
    }
    const changes = { signAgreement }
    await post('/api/v1/agreements', 'agreement: a\n', changes, 'application/yaml')
    await post('/api/v1/agreements', { text: 'agreement: a\n' }, changes)
    await post('/api/v1/agreements', { signed: 'AAAA' }, changes)
    expect(seen).to.deep.equal([{ text: 'agreement: a\n' }, { text: 'agreement: a\n' }, { signed: 'AAAA' }])
  })

  it('come with the files that they name', async () => {
    const seen: unknown[] = []
    const files = { 'icd.csv': 'E10,diabetes' }
    await post(
      '/api/v1/agreements/check',
      { text: 'agreement: a', files },
      {
        checkAgreement: async (...input) => {
          seen.push(input)
          return { findings: [], view: null }
        }
      }
    )
    expect(seen).to.deep.equal([['agreement: a', files]])
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`${index}.csv`, '']))
    for (const wrong of [{ a: 1 }, { '': 'x' }, many, { a: 'x'.repeat(300_000) }])
      expect((await post('/api/v1/agreements/check', { text: 'a', files: wrong })).statusCode).to.equal(400)
  })

  for (const payload of [{}, { text: 'a', signed: 'AAAA' }, { signed: 'not base64!' }, { text: '' }])
    it(`answer 400 to ${JSON.stringify(payload)}`, async () => {
      expect((await post('/api/v1/agreements', payload)).statusCode).to.equal(400)
    })
})

describe('listening', () => {
  it('says what to do about a port in use', async () => {
    const first = fakeApi()
    const url = await listen(first, { host: '127.0.0.1', port: 0 })
    const second = fakeApi()
    const error = await listen(second, { host: '127.0.0.1', port: Number(new URL(url).port) }).then(
      () => undefined,
      (thrown: unknown) => thrown
    )
    await first.close()
    await second.close()
    expect(error).to.be.instanceOf(Error).with.property('code', 'listen-failed')
    expect(error)
      .property('message')
      .to.match(/another program listens there/)
  })
})
