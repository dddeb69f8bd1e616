/**
 * Checks audit exports offline: first whether each record is what the exporter wrote and its log one chain (docs/audit-format.md
 * §3.1). Pure: no clock, no network, no store.
 */

export { type CheckedFile, checkRecords } from './check-records.ts'
export type { Finding, FindingCode } from './finding.ts'
export { type OpenedDecision, type Replayed, type ReplaySources, replayDecisions } from './replay.ts'
export type {
  AuditReport,
  CheckedDecision,
  CheckedFlow,
  CheckedOutcome,
  CheckedParty,
  CheckedStep
} from './report.ts'
