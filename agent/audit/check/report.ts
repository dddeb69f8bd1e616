import type { Verification } from '../../../protocol/documents/index.ts'
import type { Finding } from './finding.ts'

/** What policy was asked in an exchange, as a checker sees it. */
export interface CheckedDecision {
  organisation: string
  /** Of the entry in that organisation's log. */
  sequence: number
  /** Instant in milliseconds, by that organisation's clock. */
  at: number
  contract: string | null
  question: string
  verdict: 'permit' | 'deny'
  clauses: readonly string[]
  /** replayed: what it rested on is in the file, and the engine came to the same verdict. */
  standing: 'replayed' | 'attested'
  /** Why it is attested alone; null where it was replayed. */
  why: string | null
}

export interface CheckedParty {
  peer: string
  organisation: string
  roles: readonly string[]
  /** Whether its export is in the file. */
  exported: boolean
}

/** A flow of the contract; null where the export of that end is not in the file, or does not tell of it. */
export interface CheckedFlow {
  contract: string
  flow: number
  from: string
  to: string
  parts: number | null
  sent: number | null
  received: number | null
}

export interface CheckedStep {
  contract: string
  step: number
  service: string
  organisation: string
  rows: number | null
  bytes: number | null
  milliseconds: number | null
  /** Of the recipient: who gave the same, by the digests of what they gave. */
  verification?: Verification
}

export interface CheckedOutcome {
  organisation: string
  result: string
  code: string | null
  at: number
  /** Who gave something else. */
  verification?: Verification
}

/** The answer of a check, for people and programs: see docs/audit-format.md, 3.5. */
export interface AuditReport {
  verdict: 'confirmed' | 'broken' | 'unreadable'
  finding: Finding | null
  marketplace: string | null
  request: string | null
  /** Who asked, for what, about which datasets; null where the request is not in the file. */
  asked: {
    organisation: string
    user: string
    purpose: string
    datasets: readonly string[]
    at: number
  } | null
  parties: readonly CheckedParty[]
  steps: readonly CheckedStep[]
  flows: readonly CheckedFlow[]
  decisions: readonly CheckedDecision[]
  outcomes: readonly CheckedOutcome[]
  /** What is not in the file: said, not failed. */
  missing: readonly string[]
}
