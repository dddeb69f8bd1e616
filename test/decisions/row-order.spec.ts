import { expect } from 'chai'
import fc from 'fast-check'
import { widestFirst } from '../../agent/decisions/row-order.ts'

const rowsOf = (archetypes: number, hosts: number) =>
  Array.from({ length: archetypes * hosts }, (_, index) => ({
    archetype: `a${Math.floor(index / hosts)}`,
    infrastructure: `h${index % hosts}`
  }))

describe('the order in which the rows of a request are decided about', () => {
  it('meets every archetype and every compute provider before any of them twice', () => {
    const rows = rowsOf(8, 8)
    const first = widestFirst(rows).slice(0, 8)
    expect(new Set(first.map((index) => rows[index]?.archetype)).size).to.equal(8)
    expect(new Set(first.map((index) => rows[index]?.infrastructure)).size).to.equal(8)
  })

  it('has each row once', () => {
    fc.assert(
      fc.property(fc.nat(8), fc.nat(8), (archetypes, hosts) => {
        const rows = rowsOf(archetypes, hosts)
        expect(widestFirst(rows).sort((one, other) => one - other)).to.deep.equal([...rows.keys()])
      })
    )
  })

  it('takes rows without a compute provider as of one more', () => {
    expect(
      widestFirst([
        { archetype: 'a', infrastructure: null },
        { archetype: 'b', infrastructure: null }
      ])
    ).to.deep.equal([0, 1])
  })
})
