import * as dagCbor from '@ipld/dag-cbor'
import { expect } from 'chai'
import fc from 'fast-check'
import { z } from 'zod'
import { decodePlain, encodePlain, MalformedDocument } from '../../protocol/documents/index.ts'

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

/** Bytes that a lax reader takes for a value which has another encoding, or none. */
const LAX: Readonly<Record<string, string>> = {
  'a float that is a whole number': 'fb 3ff0000000000000',
  'minus zero': 'fb 8000000000000000',
  'a half float': 'f9 3c00',
  'undefined in place of null': 'f7',
  'keys out of order': 'a2 6162 01 6161 02',
  'a key twice': 'a2 6161 01 6161 02',
  'text that is not UTF-8': '61 ff',
  'half of a surrogate pair': '63 eda080',
  'text that begins with a byte order mark': '63 efbbbf',
  'an integer in two bytes that needs one': '18 01',
  'an indefinite length': '9f ff',
  'a link': `d82a5825 00 01711220 ${'00'.repeat(32)}`,
  'a key that schemas drop': 'a1 69 5f5f70726f746f5f5f 01',
  'a map that passes for a link': 'a2 612f 6178 656279746573 6178',
  'more bytes after the end': '01 01',
  'a length beyond the end': '9a 7fffffff',
  'an integer beyond 2^53': '1b 0020000000000000'
}

describe('the bytes of a document', () => {
  for (const [what, hex] of Object.entries(LAX)) {
    it(`are refused with ${what}`, () => {
      expect(() => decodePlain(bytesOf(hex), z.unknown())).to.throw(MalformedDocument)
    })
  }

  it('are refused when nested a hundred thousand levels deep', () => {
    expect(() => decodePlain(bytesOf(`${'81'.repeat(100_000)}80`), z.unknown())).to.throw(/nested deeper/)
  })

  it('are refused with more values than memory should hold', () => {
    const many = new Uint8Array(5 + 300_000)
    many.set([0x9a, 0, 0x04, 0x93, 0xe0])
    expect(() => decodePlain(many, z.unknown())).to.throw(/at most 262144 values/)
  })

  it('are not made of a map that passes for a link', () => {
    expect(() => encodePlain({ '/': 'x', bytes: 'x' })).to.throw(MalformedDocument)
  })

  it('are those that the DAG-CBOR library writes, whatever the value', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 80 }),
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.constantFrom('\ud800', 'a\udc00b', '/', 'x'.repeat(70), '€'.repeat(30))
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        text,
        fc.maxSafeInteger(),
        fc.constantFrom(
          0,
          -0,
          -1,
          23,
          24,
          -24,
          -25,
          255,
          256,
          65_535,
          65_536,
          2 ** 32 - 1,
          2 ** 32,
          2 ** 53 - 1
        ),
        fc.boolean(),
        fc.constant(null),
        fc.uint8Array({ maxLength: 300 }),
        fc.array(tie('value'), { maxLength: 30 }),
        fc.dictionary(text, tie('value'), { maxKeys: 30 })
      )
    }))
    fc.assert(
      fc.property(value, (one) => {
        expect(Buffer.from(encodePlain(one))).to.deep.equal(Buffer.from(dagCbor.encode(one)))
      }),
      { numRuns: 500 }
    )
  })

  it('leave out fields that are undefined, and hold the fields of an object of a class', () => {
    class Place {
      readonly b = 1
      readonly a = undefined
    }
    expect(encodePlain(new Place())).to.deep.equal(encodePlain({ b: 1 }))
    for (const none of [[undefined], { a: 1.5 }, { a: () => 1 }, { a: 2 ** 53 }, { a: Symbol('a') }])
      expect(() => encodePlain(none)).to.throw(MalformedDocument)
    const itself: unknown[] = []
    itself.push(itself)
    expect(() => encodePlain(itself)).to.throw(/nested deeper/)
  })
})
