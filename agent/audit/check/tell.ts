import type { DocumentType } from '../../../protocol/documents/index.ts'
import type { Kept } from './case-file.ts'
import type { FindingCode } from './finding.ts'

/** Takes a finding about documents: the last of them is where it is, and who has signed that one saw the others. */
export type Tell = (
  code: FindingCode,
  kept: Kept<DocumentType>,
  reason: string,
  others?: readonly Kept<DocumentType>[],
  /** Who broke the rule, where that is not who signed last. */
  signer?: string
) => void
