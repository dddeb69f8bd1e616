import { expect } from 'chai'
import fc from 'fast-check'
import { RateLimiter } from '../../agent/network/index.ts'

describe('a rate limit', () => {
  it('lets a burst through, then the sustained rate, for each key alone', () => {
    const limiter = new RateLimiter({ perSecond: 10, burst: 3 })
    const allowed = (key: string, now: number) => limiter.allows(key, now)
    expect([0, 0, 0, 0].map((now) => allowed('a', now))).to.deep.equal([true, true, true, false])
    expect(allowed('b', 0)).to.equal(true)
    expect(allowed('a', 99)).to.equal(false)
    expect(allowed('a', 100)).to.equal(true)
    expect(allowed('a', 100)).to.equal(false)
    expect([10_000, 10_000, 10_000, 10_000].map((now) => allowed('a', now))).to.deep.equal([
      true,
      true,
      true,
      false
    ])
  })

  it('never lets more through than burst and rate permit, whatever the arrivals', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 20 }),
        (gaps, perSecond, burst) => {
          const limiter = new RateLimiter({ perSecond, burst })
          let now = 0
          let allowed = 0
          for (const gap of gaps) {
            now += gap
            if (limiter.allows('peer', now)) allowed++
          }
          return allowed <= burst + (now * perSecond) / 1000 + 1e-6
        }
      )
    )
  })
})
