import { expect } from 'chai'
import * as fc from 'fast-check'
import { Pace } from '../../agent/requests/pace.ts'

describe('the pace of a flow', () => {
  it('is told now and then, and its last step always', () => {
    const pace = new Pace()
    const told = Array.from({ length: 1001 }, (_, at) => pace.step('in 0', at, 1000, at)).filter(
      (one) => one !== null
    )
    expect(told).to.have.length(6)
    expect(pace.step('in 0', 1000, 1000, 1000)).to.deep.equal({})
  })

  it('tells how long the rest takes, once the rate says something', () => {
    const pace = new Pace()
    expect(pace.step('in 0', 0, 4000, 0)).to.deep.equal({})
    expect(pace.step('in 0', 1000, 4000, 500)).to.deep.equal({ etaMilliseconds: 1500 })
    expect(pace.step('in 0', 3000, 4000, 1500)).to.deep.equal({ etaMilliseconds: 500 })
    expect(pace.step('in 0', 4000, 4000, 2000)).to.deep.equal({})
  })

  it('counts from where a flow that is resumed goes on', () => {
    const pace = new Pace()
    pace.step('in 0', 9000, 10_000, 0)
    expect(pace.step('in 0', 9500, 10_000, 1000)).to.deep.equal({ etaMilliseconds: 1000 })
  })

  it('knows nothing of the rest when nobody said how much there is', () => {
    const pace = new Pace()
    pace.step('out 1', 0, null, 0)
    expect(pace.step('out 1', 10, null, 1000)).to.deep.equal({})
  })

  it('is of each flow', () => {
    const pace = new Pace()
    expect(pace.step('in 0', 1, 9, 0)).not.to.equal(null)
    expect(pace.step('in 1', 1, 9, 1)).not.to.equal(null)
    expect(pace.step('in 0', 2, 9, 2)).to.equal(null)
  })

  it('never floods, and never expects less than no time', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1e6), fc.nat(300)), { maxLength: 400 }), (steps) => {
        const pace = new Pace()
        let [now, bytes, told] = [0, 0, 0]
        for (const [more, later] of steps) {
          now += later
          bytes += more
          const step = pace.step('in 0', bytes, 1e12, now)
          if (step === null) continue
          told++
          expect(step.etaMilliseconds ?? 0).to.be.at.least(0)
        }
        expect(told).to.be.at.most(1 + now / 200)
      })
    )
  })
})
