import { expect } from 'chai'
import { fittingOffer } from '../../agent/decisions/offer-size.ts'
import { type RowAnswer, rowAnswer } from '../../protocol/documents/index.ts'
import { MESSAGE_LIMITS } from '../../protocol/messages/index.ts'
import { aRequest, VU } from '../negotiation/documents.ts'

function refused(row: number, names: number): RowAnswer {
  const columns = Array.from({ length: names }, (_, index) => `person.${'column'.repeat(15)}${index}`)
  return {
    row,
    verdict: 'refuse',
    refusal: {
      code: 'sql-column-unknown',
      clause: null,
      reason: 'there is no column "x" here',
      acceptable: { columns },
      position: 7
    }
  }
}

describe('the size of an offer', () => {
  it('is what a message may have, however many names would be acceptable in however many rows', async () => {
    const rows = fittingOffer(Array.from({ length: 64 }, (_, row) => refused(row, 256)))
    const { request } = await aRequest()
    const body = {
      request: request.id,
      organisation: 'VU',
      as: ['data' as const],
      rows,
      sandbox: 'none' as const,
      policy: 'p',
      details: request.payload.query
    }
    const offer = await VU.speaker.sign('offer', body, 1000)
    expect(offer.bytes.payload.length).to.be.below(MESSAGE_LIMITS.offer.maxBytes / 2)
    for (const row of rows) expect(rowAnswer.safeParse(row).success).to.equal(true)
    const [first] = rows
    expect(first).to.deep.equal(refused(0, 256))
  })

  it('leaves answers that fit as they are', () => {
    const rows = Array.from({ length: 64 }, (_, row) => refused(row, 8))
    expect(fittingOffer(rows)).to.deep.equal(rows)
  })
})
