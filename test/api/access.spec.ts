import { expect } from 'chai'
import { problem } from '../../agent/api/index.ts'
import { authorised, fakeApi } from './fake-operations.ts'

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
