import { z } from 'zod'
import { decodePlain, fields } from '../../../protocol/documents/index.ts'

const { documentId, name } = fields

/** What a checker reads of the section of one party of a contract; the rest is the business of agents. */
const parts = z
  .array(
    z.discriminatedUnion('as', [
      z.looseObject({
        as: z.literal('data'),
        agreements: z
          .array(z.looseObject({ dataset: name, agreement: documentId }))
          .min(1)
          .max(8)
      }),
      z.looseObject({ as: z.literal('infrastructure') }),
      z.looseObject({ as: z.literal('recipient') })
    ])
  )
  .min(1)
  .max(3)

/** @throws {MalformedDocument} for what is not of the form of docs/audit-format.md §1 */
export function parseParts(content: Uint8Array): z.infer<typeof parts> {
  return decodePlain(content, parts)
}
