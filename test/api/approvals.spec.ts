import { expect } from 'chai'
import type { Operations } from '../../agent/api/index.ts'
import { ApprovalOver, NotAnApprover } from '../../agent/approvals/index.ts'
import { anApproval, authorised, fakeApi, USER } from './fake-operations.ts'

describe('approvals over HTTP', () => {
  const post = (path: string, payload: object = {}, changes: Partial<Operations> = {}) =>
    fakeApi(changes).inject({
      method: 'POST',
      url: `/api/v1/approvals/${path}`,
      headers: authorised,
      payload
    })

  it('lists what waits for the caller', async () => {
    const asked: string[] = []
    const approvals: Operations['approvals'] = async ({ user }) => {
      asked.push(user)
      return [anApproval()]
    }
    const answer = await fakeApi({ approvals }).inject({ url: '/api/v1/approvals', headers: authorised })
    expect(answer.json()).to.deep.equal([anApproval()])
    expect(asked).to.deep.equal([USER])
  })

  it('approves and refuses as the caller', async () => {
    expect((await post('bafyone/approve')).json()).to.include({ request: 'bafyone', state: 'approved' })
    expect((await post('bafyone/refuse', { reason: ' no ' })).json()).to.include({
      state: 'refused',
      reason: 'no'
    })
  })

  for (const [what, payload] of Object.entries({
    none: {},
    blank: { reason: '  ' },
    'a long one': { reason: 'x'.repeat(1001) },
    'no text': { reason: 1 },
    more: { reason: 'no', by: 'me' }
  }))
    it(`refuses nothing with ${what} for a reason`, async () => {
      expect((await post('bafyone/refuse', payload)).statusCode).to.equal(400)
    })

  it('says who may, and what is too late', async () => {
    const denied = await post(
      'bafyone/approve',
      {},
      {
        approve: async () => {
          throw new NotAnApprover(USER, ['steward@vu.nl'])
        }
      }
    )
    expect(denied.statusCode).to.equal(403)
    expect(denied.json()).to.include({ code: 'not-an-approver' })
    expect(denied.json().detail).to.include('steward@vu.nl')
    const late = await post(
      'bafyone/approve',
      {},
      {
        approve: async () => {
          throw new ApprovalOver('ran out of time')
        }
      }
    )
    expect(late.statusCode).to.equal(409)
  })
})
