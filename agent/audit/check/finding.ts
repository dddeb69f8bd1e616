/** The first thing in a file that breaks the rules, see docs/audit-format.md §3. */
export interface Finding {
  code: FindingCode
  /** Of the export in which it is. */
  organisation: string | null
  /** Its number in the file, from 0. */
  record: number
  /** Of the log entry, where there is one. */
  sequence: number | null
  /** Under whose signature it stands, where that is known. */
  signer: string | null
  reason: string
}

/** What is found about documents, in the order in which it is told. */
export const DOCUMENT_CODES = [
  'not-a-member',
  'expelled',
  'agreement-unsigned',
  'contract-mismatch',
  'acceptance-twice',
  'outcome-twice',
  'outcome-contradicted',
  'terms-wider',
  'agreement-basis',
  'receipt-mismatch'
] as const

/** What is found about entries of logs, likewise. */
export const ACT_CODES = [
  'decision-missing',
  'decision-denied',
  'set-incomplete',
  'started-late',
  'ran-before-start',
  'ran-twice',
  'not-released',
  'flow-mismatch',
  'flow-unpaired',
  'decision-differs'
] as const

/** See docs/audit-format.md §3, which says what each means. */
export const FINDING_CODES = [
  'export-malformed',
  'document-malformed',
  'bad-signature',
  'marketplace-differs',
  'request-differs',
  'section-unknown',
  'section-malformed',
  'chain-broken',
  'entry-malformed',
  'opening-mismatch',
  'opening-malformed',
  'policy-mismatch',
  'export-altered',
  'export-truncated',
  'position-contradicted',
  'equivocation',
  'end-cut-off',
  ...DOCUMENT_CODES,
  ...ACT_CODES
] as const
export type FindingCode = (typeof FINDING_CODES)[number]

/** Ends a check: what comes after the first finding proves nothing. */
export class Found extends Error {
  readonly finding: Finding

  constructor(finding: Finding) {
    super(finding.reason)
    this.finding = finding
  }
}
