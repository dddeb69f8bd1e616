import { openDocument, type Signed } from '../../protocol/documents/index.ts'
import { AgreementNotSignable } from './errors.ts'

type Agreement = Signed<'agreement'>

/** Signatures of both copies; they stand under the same id. @throws {AgreementNotSignable} when they are not copies */
export async function mergeSignatures(one: Agreement, other: Agreement): Promise<Agreement> {
  if (one.id !== other.id)
    throw new AgreementNotSignable('agreement-malformed', 'expected the same agreement back')
  const known = new Set(one.bytes.signatures.map((signature) => Buffer.from(signature).toString('base64')))
  const added = other.bytes.signatures.filter(
    (signature) => !known.has(Buffer.from(signature).toString('base64'))
  )
  return await openDocument('agreement', {
    payload: one.bytes.payload,
    signatures: [...one.bytes.signatures, ...added]
  })
}
