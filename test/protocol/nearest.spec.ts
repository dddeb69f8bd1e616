import { expect } from 'chai'
import fc from 'fast-check'
import { nearest } from '../../protocol/errors/index.ts'

const word = fc.string({ unit: fc.constantFrom(...'abcdeXY_'), minLength: 1, maxLength: 12 })

describe('the name that was probably meant', () => {
  it('is found through swapped, missing, further and changed letters, whatever their case', () => {
    for (const [written, meant] of [
      ['orgnaisation', 'organisation'],
      ['purpsoes', 'purposes'],
      ['Roles', 'roles'],
      ['salschaal', 'Salschal'],
      ['sxe', 'sex'],
      ['computetodata', 'computeToData'],
      ['SURFsara', 'SURF-SARA'],
      ['BIGINTT', 'BIGINT'],
      ['tabel', 'table']
    ] as const)
      expect(nearest(written, ['other', 'roles of', meant, 'quite another'])).to.equal(meant)
  })

  it('is none where hardly a letter is shared', () => {
    for (const [written, known] of [
      ['banana', 'organisation'],
      ['max', 'min'],
      ['name', 'wage'],
      ['x', 'yz'],
      ['', 'ab'],
      ['marketing', 'research']
    ] as const)
      expect(nearest(written, [known]), written).to.equal(undefined)
  })

  it('is the nearest, and of several the first', () => {
    expect(nearest('averagee', ['overages', 'average', 'averages'])).to.equal('average')
    expect(nearest('column', ['columna', 'columnb'])).to.equal('columna')
  })

  it('is one of those that are known, and itself when it is known', () => {
    fc.assert(
      fc.property(word, fc.array(word), (written, known) => {
        const found = nearest(written, known)
        if (found !== undefined) expect(known).to.include(found)
        expect(nearest(written, [...known, written])?.toLowerCase()).to.equal(written.toLowerCase())
      })
    )
  })

  it('survives one change at any place', () => {
    fc.assert(
      fc.property(
        word,
        fc.nat(),
        fc.constantFrom('drop', 'swap', 'add', 'change'),
        (meant, place, change) => {
          const letters = [...meant]
          const at = place % letters.length
          if (change === 'drop') letters.splice(at, 1)
          else if (change === 'add') letters.splice(at, 0, 'q')
          else if (change === 'change') letters[at] = 'q'
          else letters.splice(at, 2, ...letters.slice(at, at + 2).reverse())
          expect(nearest(letters.join(''), [meant])).to.equal(meant)
        }
      )
    )
  })

  it('is looked for in a thousand long names within a moment', () => {
    const known = Array.from({ length: 1000 }, (_, index) => `${'a'.repeat(120)}${index}`)
    expect(nearest('b'.repeat(128), known)).to.equal(undefined)
    expect(nearest('a'.repeat(129), known)).to.equal(undefined)
  })
})
