import { expect } from 'chai'
import { marketplaceView, type Operations, takenDocuments } from '../../agent/api/index.ts'
import { aMarketplace, fakeApi, TOKEN } from './fake-operations.ts'

describe('the API about the marketplace', () => {
  const headers = { authorization: `Bearer ${TOKEN}` }

  it('shows where the agent stands', async () => {
    const view = aMarketplace()
    const api = fakeApi({ marketplace: async () => view })
    const answer = await api.inject({ url: '/api/v1/marketplace', headers })
    expect(marketplaceView.parse(answer.json())).to.deep.equal(view)
  })

  it('takes signed documents, and nothing that is none', async () => {
    const taken: unknown[] = []
    const takeDocuments: Operations['takeDocuments'] = async (documents) => {
      taken.push(documents)
      return { status: { number: 2, taken: true }, membership: null }
    }
    const api = fakeApi({ takeDocuments })
    const post = async (payload: object) =>
      await api.inject({ method: 'POST', url: '/api/v1/marketplace', headers, payload })
    expect(takenDocuments.parse((await post({ status: 'AAAA' })).json()).status?.taken).to.equal(true)
    for (const wrong of [{ status: '!' }, { status: 1 }, { charter: 'AAAA' }])
      expect((await post(wrong)).statusCode, JSON.stringify(wrong)).to.equal(400)
    expect((await post({ status: 'A'.repeat(1 << 20) })).statusCode).to.equal(413)
    expect(taken).to.deep.equal([{ status: 'AAAA' }])
  })

  it('asks who it is that asks', async () => {
    for (const method of ['GET', 'POST'] as const)
      expect((await fakeApi({}).inject({ method, url: '/api/v1/marketplace' })).statusCode).to.equal(401)
  })
})
