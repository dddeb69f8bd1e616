import { expect } from 'chai'
import fc from 'fast-check'
import { type JobDone, receiptsOf, twoDigits } from '../../agent/exchange/receipts.ts'
import { agreementIdOf, NOW, RESOURCES } from '../composition/market.ts'

const spent = (cpuSeconds: number, milliseconds: number, bytes: number, at = NOW) => ({
  cpuSeconds,
  milliseconds,
  maxRss: 1,
  wiped: { bytes, at }
})

const done = (overrides: Partial<JobDone> = {}): JobDone => ({
  contract: agreementIdOf('contract'),
  request: agreementIdOf('request'),
  organisation: 'VU',
  steps: [
    { step: 3, service: 'query', rows: 10, milliseconds: 30 },
    { step: 4, service: 'algorithm', rows: 2, milliseconds: 10 }
  ],
  round: 0,
  inputs: ['in'],
  outputs: ['out'],
  bytes: 99,
  spent: [spent(1, 100, 5, NOW - 1), spent(1, 300, 7)],
  protected: false,
  resources: RESOURCES,
  ...overrides
})

describe('the receipts of a share', () => {
  it('tell of protected output no rows, and other counts to two digits', () => {
    const receipts = receiptsOf(
      done({
        protected: true,
        bytes: 12_345,
        spent: [spent(1, 100, 98_765)],
        steps: [{ step: 3, service: 'algorithm', rows: 17, suppressed: 2, milliseconds: 30 }]
      })
    )
    expect(receipts).to.have.length(1)
    expect(receipts[0]).to.include({ rows: null, bytes: 12_000, suppressed: 2 })
    expect(receipts[0]?.wiped?.bytes).to.equal(99_000)
  })

  it('tell two digits of any count, and of less than ten none', () => {
    fc.assert(
      fc.property(fc.nat(), (count) => {
        const told = twoDigits(count)
        expect(String(told)).to.match(/^(0|[1-9]\d?0+)$/)
        expect(Math.abs(told - count)).to.be.at.most(Math.max(9, count / 20))
      })
    )
  })

  it('are one for each step, with what it did', () => {
    const receipts = receiptsOf(done())
    expect(receipts.map(({ step, service, rows }) => [step, service, rows])).to.deep.equal([
      [3, 'query', 10],
      [4, 'algorithm', 2]
    ])
    for (const one of receipts)
      expect(one).to.include({ organisation: 'VU', energy: 'estimated', cache: 'none' })
  })

  it('say about how many rows anonymising left out, where it counted', () => {
    const steps = [
      { step: 0, service: 'query', rows: 1, milliseconds: 1 },
      { step: 1, service: 'anonymize', rows: 1, withheld: 16, milliseconds: 1 }
    ]
    expect(receiptsOf(done({ steps })).map(({ withheld }) => withheld)).to.deep.equal([undefined, 16])
    expect(Object.keys(receiptsOf(done({ steps }))[0] ?? {})).not.to.include('withheld')
  })

  it('share CPU, energy and time out by what each step took', () => {
    const [query, algorithm] = receiptsOf(done())
    // 2 CPU seconds at 15 W a core, three quarters and one quarter
    expect(query).to.include({ cpuMicroseconds: 1_500_000, microjoules: 22_500_000, milliseconds: 300 })
    expect(algorithm).to.include({ cpuMicroseconds: 500_000, microjoules: 7_500_000, milliseconds: 100 })
  })

  it('name what came in at the first step, and what went out and was wiped at the last', () => {
    const [first, last] = receiptsOf(done())
    expect(first).to.deep.include({ inputs: ['in'], outputs: [], bytes: null, wiped: null })
    expect(last).to.deep.include({ inputs: [], outputs: ['out'], bytes: 99, wiped: { bytes: 12, at: NOW } })
  })

  it('claim nothing wiped when no job ran', () => {
    expect(receiptsOf(done({ spent: [] })).map((one) => one.wiped)).to.deep.equal([null, null])
  })

  it('share out evenly when no step took a millisecond', () => {
    const steps = [1, 2].map((step) => ({ step, service: 'query', rows: null, milliseconds: 0 }))
    expect(receiptsOf(done({ steps })).map((one) => one.milliseconds)).to.deep.equal([200, 200])
  })

  it('add up to what was spent, in whole numbers', () => {
    const steps = fc.array(
      fc.record({
        step: fc.nat(9),
        service: fc.constant('query'),
        rows: fc.constant(null),
        milliseconds: fc.nat(5000)
      }),
      { minLength: 1, maxLength: 6 }
    )
    const jobs = fc.array(fc.tuple(fc.nat(1000), fc.nat(10_000)), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(steps, jobs, (taken, ran) => {
        const receipts = receiptsOf(
          done({ steps: taken, spent: ran.map(([cpu, ms]) => spent(cpu / 100, ms, 1)) })
        )
        const sum = (of: (one: (typeof receipts)[number]) => number) =>
          receipts.reduce((so, one) => so + of(one), 0)
        const cpu = ran.reduce((so, [one]) => so + one / 100, 0)
        expect(sum((one) => one.cpuMicroseconds)).to.be.closeTo(cpu * 1e6, receipts.length)
        expect(sum((one) => one.microjoules)).to.be.closeTo(cpu * 15e6, receipts.length)
        for (const one of receipts)
          for (const value of [one.cpuMicroseconds, one.microjoules, one.milliseconds])
            expect(Number.isSafeInteger(value) && value >= 0).to.equal(true)
      })
    )
  })
})
