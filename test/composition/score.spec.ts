import { expect } from 'chai'
import fc from 'fast-check'
import { estimateTransfer } from '../../agent/composition/estimate.ts'
import { estimateJob, OBJECTIVES, roundedUp, type Scores } from '../../agent/composition/index.ts'
import { scoreCandidates } from '../../agent/composition/score.ts'
import { RESOURCES } from './market.ts'

const NOTHING: Scores = { energy: 0, carbon: 0, time: 0, cost: 0, load: 0 }
const measures = (changes: Partial<Scores>): Scores => ({ ...NOTHING, ...changes })
const SCORES: fc.Arbitrary<Scores> = fc.record({
  energy: fc.nat(1e9),
  carbon: fc.nat(1e6),
  time: fc.nat(1e6),
  cost: fc.nat(1e6),
  load: fc.nat(1000)
})
const WEIGHTS: fc.Arbitrary<Scores> = fc.record({
  energy: fc.nat(5),
  carbon: fc.nat(5),
  time: fc.nat(5),
  cost: fc.nat(5),
  load: fc.nat(5)
})

describe('the scores of candidates', () => {
  it('divide each objective by its largest value, so that units do not matter', () => {
    const scored = scoreCandidates(
      [measures({ energy: 500, time: 10 }), measures({ energy: 1000, time: 2 })],
      measures({ energy: 1, time: 1 })
    )
    expect(scored.map((one) => [one.scores.energy, one.scores.time, one.total])).to.deep.equal([
      [0.5, 1, 1.5],
      [1, 0.2, 1.2]
    ])
  })

  it('weigh: what has no weight does not count', () => {
    const scored = scoreCandidates(
      [measures({ energy: 1, time: 9 }), measures({ energy: 9, time: 1 })],
      measures({ time: 2 })
    )
    expect(scored.map((one) => one.total)).to.deep.equal([2, 2 / 9])
  })

  it('are nothing where nothing was measured, and never NaN', () => {
    expect(scoreCandidates([NOTHING, NOTHING], measures({ time: 1 }))).to.deep.equal([
      { scores: NOTHING, total: 0 },
      { scores: NOTHING, total: 0 }
    ])
    expect(scoreCandidates([], NOTHING)).to.deep.equal([])
  })

  it('are the same for candidates that measure the same', () => {
    const [one, other] = scoreCandidates(
      [measures({ time: 4 }), measures({ time: 4 })],
      measures({ time: 3 })
    )
    expect(one).to.deep.equal(other)
  })

  it('lie between 0 and 1, the largest at 1; the total is their weighted sum', () => {
    fc.assert(
      fc.property(fc.array(SCORES, { minLength: 1, maxLength: 8 }), WEIGHTS, (all, weights) => {
        const scored = scoreCandidates(all, weights)
        for (const objective of OBJECTIVES) {
          const found = scored.map((one) => one.scores[objective])
          expect(Math.min(...found)).to.be.at.least(0)
          expect(Math.max(...found)).to.equal(all.some((one) => one[objective] > 0) ? 1 : 0)
        }
        for (const { scores, total } of scored) {
          const sum = OBJECTIVES.reduce((so, objective) => so + weights[objective] * scores[objective], 0)
          expect(total).to.be.closeTo(sum, 1e-9)
        }
      })
    )
  })

  it('rank alike in any unit', () => {
    fc.assert(
      fc.property(
        fc.array(SCORES, { minLength: 2, maxLength: 6 }),
        WEIGHTS,
        fc.integer({ min: 2, max: 1000 }),
        (all, weights, unit) => {
          const other = all.map((one) => ({ ...one, time: one.time * unit }))
          const [first, second] = [all, other].map((list) =>
            scoreCandidates(list, weights).map((one) => one.total)
          )
          for (const [index, total] of (first ?? []).entries())
            expect(second?.[index]).to.be.closeTo(total, 1e-9)
        }
      )
    )
  })

  it('never rank a candidate behind one that is worse in everything', () => {
    fc.assert(
      fc.property(SCORES, SCORES, WEIGHTS, (one, more, weights) => {
        const worse = { ...one }
        for (const objective of OBJECTIVES) worse[objective] += more[objective]
        const [better, other] = scoreCandidates([one, worse], weights)
        expect(better?.total).to.be.at.most(other?.total ?? 0)
      })
    )
  })
})

describe('estimates', () => {
  it('grow with the rows, and are what one core draws between idle and full', () => {
    const none = estimateJob(0, RESOURCES)
    const many = estimateJob(1_000_000, RESOURCES)
    expect(many.milliseconds - none.milliseconds).to.equal(1000)
    // (180 − 60) W over 8 cores for a second more
    expect(many.millijoules - none.millijoules).to.be.closeTo(15_000, 1e-6)
    // 15 J at 268 mg/kWh
    expect(many.carbon - none.carbon).to.be.closeTo((15_000 / 3.6e9) * 268, 1e-12)
    // a second of an hour at 0.05 EUR, in millionths
    expect(many.cost - none.cost).to.be.closeTo(50_000 / 3600, 1e-9)
  })

  it('cost nothing where no price is declared', () => {
    const { price: _, ...free } = RESOURCES
    expect(estimateJob(10, free).cost).to.equal(0)
  })

  it('of a transfer grow with the bytes alone', () => {
    expect(estimateTransfer(0)).to.equal(0)
    expect(estimateTransfer(2_000_000)).to.equal(2 * estimateTransfer(1_000_000))
  })

  it('are told as the next power of two: how large, not how many', () => {
    expect([0, 0.2, 1, 1.5, 2, 3, 1000, 1024, 1025].map(roundedUp)).to.deep.equal([
      0, 1, 1, 2, 2, 4, 1024, 1024, 2048
    ])
    fc.assert(
      fc.property(fc.nat(2 ** 40), (value) => {
        const told = roundedUp(value)
        expect(told).to.be.at.least(value)
        expect(told).to.be.at.most(Math.max(1, 2 * value))
        expect(Number.isSafeInteger(told) && (told === 0 || Number.isInteger(Math.log2(told)))).to.equal(true)
      })
    )
  })
})
