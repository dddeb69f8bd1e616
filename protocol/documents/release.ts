import { z } from 'zod'
import { refusalCode } from './codes.ts'
import { count, documentId, header, logPosition, organisation, peer } from './fields.ts'

/**
 * A data provider's last word about one result, for whoever would send it on: of this very content, out of this flow of the
 * contract, to this recipient. A provider signs one for each flow.
 */
export const release = z.strictObject({
  ...header('release'),
  contract: documentId,
  request: documentId,
  organisation,
  flow: count,
  to: peer,
  /** The id of the list of the digests of the flow's parts, in their order. */
  result: documentId,
  /** Null: it may go. Else why not; nothing more is told to whoever holds it, who may be no party to the agreement. */
  refused: refusalCode.nullable(),
  log: logPosition
})
