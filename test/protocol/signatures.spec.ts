import { expect } from 'chai'
import { addSignature, BadSignature, openDocument, type Signed } from '../../protocol/documents/index.ts'
import { keyOf, NOW, TestMarketplace } from '../membership/builders.ts'
import { aRequest } from '../negotiation/documents.ts'
import { rejectionOf } from '../store/folder.ts'

describe('The signatures of a document', () => {
  it('are one where one agent speaks', async () => {
    const { request } = await aRequest()
    const two = await addSignature(request, await keyOf('Eve'))
    expect(await rejectionOf(openDocument('request', two.bytes))).to.be.instanceOf(BadSignature)
    const [once] = request.bytes.signatures
    if (once === undefined) throw new Error('expected a signature')
    const copies = { payload: request.bytes.payload, signatures: Array.from({ length: 32 }, () => once) }
    expect(await rejectionOf(openDocument('request', copies))).to.be.instanceOf(BadSignature)
  })

  it('have one form: what no signature covers is an error', async () => {
    const { request } = await aRequest()
    const [whole] = request.bytes.signatures
    if (whole === undefined) throw new Error('expected a signature')
    const opens = async (signature: Uint8Array) =>
      await openDocument('request', { payload: request.bytes.payload, signatures: [signature] })
    expect((await opens(whole)).id).to.equal(request.id)
    // Tags of the fields and of those of the key: the reader of envelopes takes any wire type for the right one.
    for (const at of [0, 2, 4, 38, 62, 123]) {
      const altered = Uint8Array.from(whole)
      altered[at] = (altered[at] ?? 0) ^ 1
      const error = await rejectionOf(opens(altered))
      expect(error).to.be.instanceOf(BadSignature)
      expect(error.message, `byte ${at}`).to.include('canonical')
    }
    const longer = Uint8Array.from([...whole, 0x30, 0x01])
    expect(await rejectionOf(opens(longer))).to.be.instanceOf(BadSignature)
    for (let at = 0; at < whole.byteLength; at += 1) {
      const flipped = Uint8Array.from(whole)
      flipped[at] = (flipped[at] ?? 0) ^ 0x10
      expect(await rejectionOf(opens(flipped)), `byte ${at}`).to.be.instanceOf(BadSignature)
    }
  })

  it('are each by another key where several speak', async () => {
    const { charter } = (await TestMarketplace.found(NOW)).marketplace
    const two: Signed<'charter'> = await addSignature(charter, await keyOf('another authority'))
    expect((await openDocument('charter', two.bytes)).signers).to.have.length(2)
    const { payload, signatures } = charter.bytes
    const twice = { payload, signatures: [...signatures, ...signatures] }
    expect(await rejectionOf(openDocument('charter', twice))).to.be.instanceOf(BadSignature)
  })
})
