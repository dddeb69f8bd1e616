import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { checkRecords } from '../../agent/audit/check/index.ts'

const bytesOf = (name: string) => readFileSync(new URL(`../fixtures/audit/${name}.audit`, import.meta.url))
const whole = bytesOf('vu-open')

async function* inPieces(file: Uint8Array, size = 4096) {
  for (let at = 0; at < file.byteLength; at += size) yield file.subarray(at, at + size)
}
const check = async (file: Uint8Array, size?: number) => await checkRecords(inPieces(file, size))

describe('The records of audit exports', () => {
  for (const name of ['uva', 'vu', 'vu-open', 'surf', 'rug', 'joined'])
    it(`are good in what agents wrote: ${name}`, async () => {
      expect((await check(bytesOf(name))).finding).to.equal(null)
    })

  it('are read alike in pieces of any size', async () => {
    expect(await check(whole, 7)).to.deep.equal(await check(whole, whole.byteLength))
  })

  it('show any byte that was flipped, wherever it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: whole.byteLength - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, mask) => {
          const altered = Uint8Array.from(whole)
          altered[at] = (altered[at] ?? 0) ^ mask
          expect((await check(altered)).finding).not.to.equal(null)
        }
      ),
      { numRuns: 60 }
    )
  }).timeout(120_000)

  it('show a file that was cut off, and put it on nobody', async () => {
    const { finding } = await check(whole.subarray(0, whole.byteLength - 1))
    expect(finding?.code).to.equal('export-truncated')
    expect(finding?.signer).to.equal(null)
  })

  it('show an empty file', async () => {
    expect((await check(new Uint8Array())).finding).to.include({ code: 'export-truncated', record: 0 })
  })
})
