import { expect } from 'chai'
import fc from 'fast-check'
import { type Players, playersProblem } from '../../agent/composition/players.ts'
import { computeToData, dataThroughTtp } from './market.ts'

const players: Players = { data: ['VU', 'RUG'], infrastructure: ['SURF'], recipient: ['UVA'] }
const under = (where: string[], who: Partial<Players> = {}, archetype = dataThroughTtp) =>
  playersProblem({ ...archetype, where }, { ...players, ...who })

describe('The parties of a chain', () => {
  it('are those of the built-in archetypes', () => {
    expect(playersProblem(dataThroughTtp, players)).to.equal(undefined)
    expect(playersProblem(computeToData, { ...players, infrastructure: [] })).to.equal(undefined)
  })

  it('are not a third party that holds data itself', () => {
    expect(playersProblem(dataThroughTtp, { ...players, infrastructure: ['RUG'] })).to.equal(
      'dataThroughTtp wants infrastructure != data, and these parties are not so'
    )
  })

  it('may be kept from receiving what they held or computed', () => {
    expect(under(['recipient != data'])).to.equal(undefined)
    expect(under(['recipient != data'], { recipient: ['VU'] })).to.match(/wants recipient != data/)
    expect(under(['recipient != infrastructure'], { recipient: ['SURF'] })).to.match(/wants recipient !=/)
    expect(under(['recipient == infrastructure'])).to.match(/wants recipient == infrastructure/)
    expect(under(['recipient == infrastructure'], { recipient: ['SURF'] })).to.equal(undefined)
  })

  it('are one where the archetype takes one', () => {
    const alone = { ...dataThroughTtp, roles: { ...dataThroughTtp.roles, data: 'one' as const } }
    expect(under([], {}, alone)).to.equal('dataThroughTtp takes one party as data, here are 2')
    expect(under([], { data: ['VU'] }, alone)).to.equal(undefined)
  })

  it('do not meet a condition that cannot be checked', () => {
    expect(under(['algorithm == recipient'])).to.match(
      /^"algorithm == recipient" of dataThroughTtp cannot be/
    )
    expect(under(['data <> recipient'])).to.match(/wants data <> recipient/)
    expect(under([''])).to.match(/cannot be checked/)
  })

  it('meet a condition alike from either side', () => {
    const role = fc.constantFrom('data', 'infrastructure', 'recipient')
    const peers = fc.uniqueArray(fc.constantFrom('VU', 'UVA', 'RUG', 'SURF'), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(
        role,
        role,
        fc.constantFrom('==', '!='),
        fc.record({ data: peers, recipient: peers }),
        (left, right, operator, who) => {
          fc.pre(operator === '!=' || [left, right].sort().join() !== 'data,infrastructure')
          const many = { ...dataThroughTtp.roles, recipient: 'many' as const }
          const archetype = { ...dataThroughTtp, roles: many }
          const one = under([`${left} ${operator} ${right}`], who, archetype)
          const other = under([`${right} ${operator} ${left}`], who, archetype)
          expect(one === undefined).to.equal(other === undefined)
        }
      )
    )
  })
})
