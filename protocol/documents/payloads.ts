import type { z } from 'zod'
import { agreement, agreementRefusal, agreementReplaced, revocation, standingOffer } from './agreement.ts'
import { capability } from './capability.ts'
import { checkpoint } from './checkpoint.ts'
import { outcome, receipt } from './ending.ts'
import { charter, membership, statusList } from './membership.ts'
import { acceptance, contract, decline, offer, request } from './negotiation.ts'
import { release } from './release.ts'

/** Every signed document: its type, to the schema of its payload. */
export const DOCUMENTS = {
  charter,
  membership,
  status: statusList,
  capability,
  agreement,
  'agreement-refusal': agreementRefusal,
  'agreement-replaced': agreementReplaced,
  'standing-offer': standingOffer,
  revocation,
  request,
  offer,
  contract,
  acceptance,
  decline,
  release,
  receipt,
  outcome,
  checkpoint
} as const

export type DocumentType = keyof typeof DOCUMENTS
export type Payload<T extends DocumentType> = z.infer<(typeof DOCUMENTS)[T]>

type Schemas = { readonly [T in DocumentType]: z.ZodType<Payload<T>> }
const SCHEMAS: Schemas = DOCUMENTS

/** The schema of a document type, typed so that generic code keeps the link between type and payload. */
export function schemaOf<T extends DocumentType>(type: T): z.ZodType<Payload<T>> {
  return SCHEMAS[type]
}
