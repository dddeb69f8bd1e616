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

  it('are each by another key where several speak', async () => {
    const { charter } = (await TestMarketplace.found(NOW)).marketplace
    const two: Signed<'charter'> = await addSignature(charter, await keyOf('another authority'))
    expect((await openDocument('charter', two.bytes)).signers).to.have.length(2)
    const { payload, signatures } = charter.bytes
    const twice = { payload, signatures: [...signatures, ...signatures] }
    expect(await rejectionOf(openDocument('charter', twice))).to.be.instanceOf(BadSignature)
  })
})
