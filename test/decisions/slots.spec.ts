import { expect } from 'chai'
import { Slots } from '../../agent/decisions/slots.ts'

describe('places for shares', () => {
  const takes = (slots: Slots, count: number, organisation: string): number =>
    Array.from({ length: count }, (_, index) => slots.take(`${organisation}${index}`, organisation)).filter(
      (refusal) => refusal === null
    ).length

  it('are never all taken by one other organisation', () => {
    for (const [most, share] of [
      [2, 1],
      [4, 3],
      [8, 6]
    ] as const) {
      const slots = new Slots(most, 'VU')
      expect(takes(slots, 20, 'Eve')).to.equal(share)
      expect(slots.take('mine', 'UVA')).to.equal(null)
    }
  })

  it('may all be taken by this organisation’s own people', () => {
    const slots = new Slots(4, 'VU')
    expect(takes(slots, 20, 'VU')).to.equal(4)
    expect(slots.load).to.equal(1000)
    expect(slots.take('other', 'UVA')).to.include('runs 4 jobs')
  })

  it('are taken once by a contract, and free again', () => {
    const slots = new Slots(2, 'VU')
    expect([slots.take('a', 'UVA'), slots.take('a', 'UVA')]).to.deep.equal([null, null])
    expect(slots.load).to.equal(500)
    expect(slots.take('b', 'UVA')).to.include('UVA')
    slots.free('a')
    expect(slots.take('b', 'UVA')).to.equal(null)
  })

  it('are kept over a restart, whoever else has come', () => {
    const slots = new Slots(2, 'VU')
    slots.hold('a', 'UVA')
    slots.hold('b', 'RUG')
    slots.hold('c', 'RUG')
    expect(slots.take('d', 'SURF')).to.include('runs 2 jobs')
    expect(slots.load).to.equal(1000)
  })
})
