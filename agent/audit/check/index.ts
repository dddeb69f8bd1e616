/**
 * Checks audit exports offline (docs/audit-format.md §3): whether each record is what the exporter wrote and its log one chain,
 * whether logs, documents and acts agree, and what cannot be said. Pure: no clock, no network, no store.
 */

export { checkExport } from './check-export.ts'
export { type CheckedFile, checkRecords } from './check-records.ts'
export { FINDING_CODES, type Finding, type FindingCode } from './finding.ts'
export { AuditTooLarge } from './limits.ts'
export { type OpenedDecision, type Replayed, type ReplaySources, replayDecisions } from './replay.ts'
export type {
  AuditReport,
  CheckedDecision,
  CheckedFlow,
  CheckedOutcome,
  CheckedParty,
  CheckedStep
} from './report.ts'
