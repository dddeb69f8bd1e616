import { expect } from 'chai'
import fc from 'fast-check'
import { isAbout, type Outgoing, type Release, resultOf, suffices } from '../../agent/exchange/released.ts'
import type { Body } from '../../agent/negotiation/index.ts'
import { EVE, type Party, RUG, UVA, VU } from '../negotiation/documents.ts'
import { agreed, aRelease, PARTS } from './results-released.ts'

/** What is wrong with a release, in each way there is. */
const WRONG: Record<string, (other: string) => [Partial<Body<'release'>>, Party?]> = {
  'another contract': (other) => [{ contract: other }],
  'another request': (other) => [{ request: other }],
  'another flow': () => [{ flow: 1 }],
  'another recipient': () => [{ to: UVA.peer }],
  'another content': (other) => [{ result: other }],
  'another organisation': () => [{ organisation: 'RUG' }],
  'another signer': () => [{ organisation: VU.organisation }, EVE]
}

describe('Whether releases let a result go', () => {
  let outgoing: Outgoing
  let good: Release
  let refusal: Release
  const wrong: Release[] = []

  before(async () => {
    const one = await agreed()
    const other = await resultOf([...PARTS].reverse())
    outgoing = { contract: one.contract, flow: one.flow, result: await resultOf(PARTS) }
    good = await aRelease(one, outgoing.result)
    refusal = await aRelease(one, outgoing.result, { refused: 'release-refused' })
    for (const change of Object.values(WRONG)) {
      const [changes, by] = change(other)
      wrong.push(await aRelease(one, outgoing.result, changes, by))
    }
  })

  for (const [index, what] of Object.keys(WRONG).entries())
    it(`takes none of ${what}`, () => {
      const given = wrong[index]
      expect(given === undefined ? [] : [given]).to.have.length(1)
      expect(suffices(outgoing, [VU.peer], wrong.slice(index, index + 1))).to.deep.equal({ missing: VU.peer })
    })

  it('takes none whose payload was changed after it was signed', () => {
    const forged: Release = { ...refusal, payload: { ...refusal.payload, refused: null }, signers: [] }
    expect(suffices(outgoing, [VU.peer], [forged])).to.deep.equal({ missing: VU.peer })
  })

  it('takes no refusal for a release', () => {
    expect(suffices(outgoing, [VU.peer], [refusal])).to.deep.equal({ missing: VU.peer })
  })

  it('is so exactly when each that is asked released it and none of them refused it, whatever else there is, in any order', () => {
    const any = fc.shuffledSubarray([good, refusal, ...wrong])
    const asked = fc.shuffledSubarray([VU.peer, RUG.peer])
    fc.assert(
      fc.property(any, asked, (given, peers) => {
        const verdict = suffices(outgoing, peers, given)
        const may = peers.every(
          (peer) => peer === VU.peer && given.includes(good) && !given.includes(refusal)
        )
        expect('releases' in verdict).to.equal(may)
        if ('releases' in verdict) {
          expect(verdict.releases).to.deep.equal(peers.map(() => good))
          expect(verdict.releases.every((one) => isAbout(one, VU.peer, outgoing))).to.equal(true)
        } else expect(peers).to.include(verdict.missing)
      })
    )
  })

  it('depends on every digest and on their order', async () => {
    const digests = fc.array(fc.string({ maxLength: 3 }), { maxLength: 4 })
    const of = async (list: string[]): Promise<string> => await resultOf(list.map((digest) => ({ digest })))
    await fc.assert(
      fc.asyncProperty(digests, digests, async (one, other) => {
        expect((await of(one)) === (await of(other))).to.equal(JSON.stringify(one) === JSON.stringify(other))
      })
    )
  })
})
