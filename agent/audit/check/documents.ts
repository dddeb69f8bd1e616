import { checkAgreements } from './agreements.ts'
import { type CaseFile, Findings } from './case-file.ts'
import { checkContracts } from './contracts.ts'
import { checkEndings } from './endings.ts'
import { DOCUMENT_CODES, type Finding } from './finding.ts'
import { Members, strangerIn } from './members.ts'
import type { Tell } from './tell.ts'
import { checkTerms } from './terms.ts'

/** Stage 3.3: who signed might, and what was signed fits together. */
export function checkDocuments(file: CaseFile): Finding | null {
  const findings = new Findings(DOCUMENT_CODES)
  const tell: Tell = (code, kept, reason, others = [], signer) => {
    const last = others.reduce((one, other) => (other.record > one.record ? other : one), kept)
    findings.add({
      code,
      organisation: last.from.header.organisation,
      record: last.record,
      sequence: null,
      signer: signer ?? last.document.payload.issuer,
      reason
    })
  }
  const members = new Members(file)
  for (const kept of file.documents) {
    const stranger = strangerIn(kept, members)
    if (stranger === null) continue
    const { record, from } = kept
    findings.add({ ...stranger, organisation: from.header.organisation, record, sequence: null })
  }
  checkAgreements(file, members, tell)
  checkContracts(file, tell)
  checkEndings(file, tell)
  checkTerms(file, tell)
  return findings.first
}
