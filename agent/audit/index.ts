/**
 * The agent's log: append-only, hash-chained, written in the transaction of the action it tells of. Signed documents carry its
 * position, so that a log with a past that was changed, or with an end that was cut off, contradicts what others hold.
 */

export { type Apart, checkingApart } from './apart/index.ts'
export { type Basis, filesOf, type PolicyCall, type RuleSource, rulesetOf } from './basis.ts'
export {
  type BrokenChain,
  type ChainLine,
  type ChainVerdict,
  EMPTY_LOG,
  entryDigest,
  headAfter,
  parseEntry,
  verifyChain
} from './chain.ts'
export {
  type AuditReport,
  type CheckedFile,
  type CheckedStep,
  checkExport,
  checkRecords,
  type Finding,
  type FindingCode,
  type OpenedDecision,
  type Replayed,
  type ReplaySources,
  replayDecisions
} from './check/index.ts'
export { assertContinues, ExportContradicts } from './earlier.ts'
export {
  type DecisionFields,
  ENTRY_KINDS,
  type EntryKind,
  type LogEntry,
  logEntry
} from './entry.ts'
export { type ExportComponents, ExportFailed, exportRequest, type Open } from './export.ts'
export {
  append,
  appendAll,
  entriesOfRequest,
  logPosition,
  type Noted,
  type PlacedEntry,
  readLog,
  verifyLog
} from './log.ts'
export { pageOf } from './page/index.ts'
export { ExportMalformed, firstHeader } from './records.ts'
export { CHECKPOINT_EVERY, LogBroken, LogWatch, type LogWatchComponents } from './watch.ts'
