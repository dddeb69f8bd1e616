import { expect } from 'chai'
import { durationInMilliseconds, sizeInBytes } from '../../agent/config/index.ts'

describe('quantities that users write', () => {
  it('reads sizes with binary and decimal units', () => {
    expect(['4GiB', '500MB', '1.5 KiB', '12', '0B', '1kB'].map(sizeInBytes)).to.deep.equal([
      4 * 2 ** 30,
      500e6,
      1536,
      12,
      0,
      1000
    ])
  })

  it('reads no size from anything else', () => {
    for (const text of ['', '4 gigs', '-1GiB', '4GIB', '1e9', '9999999TiB'])
      expect(sizeInBytes(text)).to.equal(undefined)
  })

  it('reads ISO 8601 durations of fixed length', () => {
    expect(
      ['PT5M', 'P1D', 'P2W', 'PT1H30M', 'PT0.25S', 'PT0S', 'P1DT1S'].map(durationInMilliseconds)
    ).to.deep.equal([300_000, 86_400_000, 1_209_600_000, 5_400_000, 250, 0, 86_401_000])
  })

  it('reads no duration from years, months, negative or empty ones', () => {
    for (const text of ['P1Y', 'P1M', '-P1D', 'P', 'PT', '5m', 'P1DT', 'PT1.5H', 'P99999999D'])
      expect(durationInMilliseconds(text)).to.equal(undefined)
  })
})
