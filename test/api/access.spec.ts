import { expect } from 'chai'
import { problem } from '../../agent/api/index.ts'
import { ANALYST, ANALYST_TOKEN, authorised, fakeApi, TOKEN } from './fake-operations.ts'

const ROUTES = [
  ['POST', '/api/v1/requests'],
  ['POST', '/api/v1/explain'],
  ['GET', '/api/v1/requests'],
  ['GET', '/api/v1/requests/bafyrequest'],
  ['GET', '/api/v1/requests/bafyrequest/events'],
  ['GET', '/api/v1/requests/bafyrequest/result'],
  ['DELETE', '/api/v1/requests/bafyrequest'],
  ['GET', '/api/v1/capabilities'],
  ['GET', '/api/v1/capabilities/VU'],
  ['GET', '/api/v1/peers'],
  ['GET', '/api/v1/members'],
  ['GET', '/api/v1/datasets'],
  ['GET', '/api/v1/datasets/wageGap'],
  ['GET', '/api/v1/agreements'],
  ['GET', '/api/v1/agreements/wage-gap-2026'],
  ['POST', '/api/v1/agreements'],
  ['POST', '/api/v1/agreements/check'],
  ['POST', '/api/v1/agreements/prepare'],
  ['GET', '/api/v1/standing-offers'],
  ['POST', '/api/v1/standing-offers'],
  ['POST', '/api/v1/standing-offers/prepare'],
  ['POST', '/api/v1/standing-offers/take'],
  ['POST', '/api/v1/standing-offers/wages/withdraw'],
  ['GET', '/nowhere']
] as const

describe('access to the API', () => {
  for (const [method, url] of ROUTES) {
    it(`asks for a token at ${method} ${url}`, async () => {
      const answer = await fakeApi().inject({ method, url, headers: { host: 'localhost:7700' } })
      expect(answer.statusCode).to.equal(401)
      expect(answer.headers['content-type']).to.match(/^application\/problem\+json/)
      expect(answer.headers['www-authenticate']).to.equal('Bearer realm="dynamos"')
      expect(problem.parse(answer.json()).code).to.equal('token-missing')
    })
  }

  const leading = [
    ['/api/v1/agreements', { text: 'a' }],
    ['/api/v1/agreements/propose', { text: 'a' }],
    ['/api/v1/agreements/wages/refuse', { reason: 'no' }],
    ['/api/v1/agreements/wages/revoke', { reason: 'no' }],
    ['/api/v1/standing-offers', { text: 'a' }],
    ['/api/v1/standing-offers/wages/withdraw', {}],
    ['/api/v1/standing-offers/take', { name: 'wages', from: 'VU' }],
    ['/api/v1/policy/reload', {}],
    ['/api/v1/audit/accept-break', { reason: 'the disk was restored' }]
  ] as const
  for (const [url, payload] of leading)
    it(`lets people with the role for it POST ${url}, and tells others which it is`, async () => {
      const ask = async (token: string) =>
        await fakeApi().inject({
          method: 'POST',
          url,
          payload,
          headers: { ...authorised, authorization: `Bearer ${token}` }
        })
      expect((await ask(TOKEN)).statusCode).to.equal(200)
      const refused = await ask(ANALYST_TOKEN)
      expect(refused.statusCode).to.equal(403)
      expect(refused.headers['content-type']).to.match(/^application\/problem\+json/)
      const { code, detail } = problem.parse(refused.json())
      expect(code).to.equal('role-required')
      expect(detail).to.include('steward').and.to.include(`have ${ANALYST} listed under stewards`)
    })

  it('lets everybody with a token read, check and prepare', async () => {
    for (const [method, url] of [
      ['GET', '/api/v1/agreements'],
      ['GET', '/api/v1/standing-offers?from=VU'],
      ['GET', '/api/v1/standing-offers/wages'],
      ['GET', '/api/v1/agreements/wages/to-sign'],
      ['POST', '/api/v1/agreements/check'],
      ['POST', '/api/v1/standing-offers/prepare'],
      ['GET', '/api/v1/policy']
    ] as const) {
      const answer = await fakeApi().inject({
        method,
        url,
        ...(method === 'POST' ? { payload: { text: 'a' } } : {}),
        headers: { ...authorised, authorization: `Bearer ${ANALYST_TOKEN}` }
      })
      expect(answer.statusCode, url).to.equal(200)
    }
  })

  it('refuses the token of somebody else', async () => {
    const answer = await fakeApi().inject({
      url: '/api/v1/peers',
      headers: { ...authorised, authorization: 'Bearer another-token' }
    })
    expect(answer.statusCode).to.equal(401)
    expect(answer.json().code).to.equal('token-wrong')
  })

  it('tells its health to anybody', async () => {
    const answer = await fakeApi().inject({ url: '/health', headers: { host: 'localhost' } })
    expect(answer.statusCode).to.equal(200)
    expect(answer.json().organisation).to.equal('UVA')
  })

  for (const host of ['evil.example', 'evil.example:7700', '127.0.0.1.evil.example', '10.0.0.1:7700']) {
    it(`refuses the host name ${host} when it listens on loopback`, async () => {
      const answer = await fakeApi().inject({ url: '/health', headers: { host } })
      expect(answer.statusCode).to.equal(421)
    })
  }

  for (const host of ['127.0.0.1:7700', 'localhost', 'LOCALHOST:1', '[::1]:7700', '127.1.2.3']) {
    it(`takes the host name ${host} when it listens on loopback`, async () => {
      const answer = await fakeApi().inject({ url: '/health', headers: { host } })
      expect(answer.statusCode).to.equal(200)
    })
  }

  it('takes any host name when it listens on an outer address', async () => {
    const answer = await fakeApi({}, '0.0.0.0').inject({ url: '/health', headers: { host: 'agent.uva.nl' } })
    expect(answer.statusCode).to.equal(200)
  })

  it('allows no other origin', async () => {
    const answer = await fakeApi().inject({
      url: '/api/v1/peers',
      headers: { ...authorised, origin: 'https://evil.example' }
    })
    expect(answer.headers).not.to.have.property('access-control-allow-origin')
  })

  it('answers an unknown page with problem+json', async () => {
    const answer = await fakeApi().inject({ url: '/nowhere', headers: authorised })
    expect(answer.statusCode).to.equal(404)
    expect(problem.parse(answer.json()).code).to.equal('not-found')
  })
})
