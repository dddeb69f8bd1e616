import type { Signed } from '../../protocol/documents/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import type { WireKind } from '../../protocol/messages/index.ts'
import { type Dossier, UnknownDocument } from './dossier.ts'

/** What is believed for who says it: no signature in it does. A start proves itself, but whom it is for is nobody else's business. */
const OF_PARTIES: readonly WireKind[] = ['start', 'started', 'rejected', 'failure']
const OF_REQUESTER: readonly WireKind[] = ['propose', 'abort', 'cancel']

/** A document of somebody else, shown as if it were one's own. */
export class NotTheirs extends DynamosError {
  static override readonly name = 'NotTheirs'
}

/**
 * A request is answered to whoever signed it: whoever else has got hold of it is told the same, known here or not.
 *
 * @throws {NotTheirs} `bad-signature`
 */
export function assertAskedBy(request: Signed<'request'>, from: string): void {
  const { issuer } = request.payload
  if (issuer !== from)
    throw new NotTheirs('bad-signature', `expected a request of ${from}, found one of ${issuer}`)
}

/**
 * Others' documents, sent again by a member who has no part in them, are as unknown as the request is to that member.
 *
 * @throws {UnknownDocument}
 */
export function assertMaySay(dossier: Dossier, from: string, kind: WireKind): void {
  const { issuer } = dossier.request.payload
  if (from === issuer) return
  const parties = [...dossier.contracts.values()].flatMap(({ contract }) => contract.payload.parties)
  const takesPart = OF_PARTIES.includes(kind) && parties.some(({ peer }) => peer === from)
  if ((OF_PARTIES.includes(kind) && !takesPart) || OF_REQUESTER.includes(kind))
    throw new UnknownDocument('this request is not known here')
}
