import type { PrivateKey } from '@libp2p/interface'
import type { Flow, Payload, Refusal, Resources } from '../../protocol/documents/index.ts'
import type { JobLimits } from '../../services/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type { Datasets } from '../datasets/index.ts'
import type { Launcher } from '../jobs/index.ts'
import type { Dossier, Logger, ShareGate } from '../negotiation/index.ts'
import type { GroupHistory } from './group-history.ts'
import type { HeldPart } from './held-part.ts'
import type { Releases } from './releases.ts'

export type FlowQuestion = 'send' | 'receive' | 'release'

export interface FlowProgress {
  contract: string
  flow: number
  peer: string
  direction: 'out' | 'in'
  bytes: number
  of: number | null
}

/** Moves parts between this agent and others; a short, altered or late transfer is an error at both ends. */
export interface Flows {
  /** Resolves when the receiver acknowledged every part. */
  send(
    dossier: Dossier,
    contract: string,
    flow: Flow,
    parts: readonly HeldPart[],
    signal: AbortSignal,
    /** Asked before each part after the first. @throws what ends the sending */
    mayContinue?: ShareGate['mayContinue']
  ): Promise<void>
  /** Resolves with every part of a flow once all have arrived and were verified. */
  receive(dossier: Dossier, contract: string, flow: Flow, signal: AbortSignal): Promise<HeldPart[]>
  /** Removes what is kept of any contract. */
  clear(): Promise<void>
  /** Removes what is kept of a contract; in parts and out. */
  forget(contract: string): Promise<void>
}

/** What policy says of a flow, at either end of it; the decision is logged. */
export interface FlowDecisions {
  flow(
    question: FlowQuestion,
    dossier: Dossier,
    contract: string,
    flow: Flow,
    rows?: number
  ): Promise<Refusal | null>
}

export interface StoredResult {
  from: string[]
  columns: string[]
  types: string[]
  rows: unknown[][]
  rowCount: number
  truncated: boolean
  /** Of the columns whose unit is known. */
  units?: Record<string, string>
  parquet: string
  csv: string | null
  /** Files beside the result that were made of it, and what is to be said of them. */
  artifacts?: StoredArtifact[] | undefined
  notes?: string[] | undefined
  /** Who gave the same: digests of both canonical forms, and what they are salted with. */
  verified?: { of: string; at: string; digest: string; again: string; salt: string }
}

/** A picture of a result, in the folder of its request. */
export interface StoredArtifact {
  name: string
  mediaType: string
  /** Of its bytes: CIDv1, raw. */
  digest: string
}

/** Results of this agent's own people. */
export interface Results {
  /** A fresh folder for the files of a request's results. */
  folder(request: string): Promise<string>
  store(request: string, results: readonly StoredResult[]): Promise<void>
  /** Removes that folder: the share failed. */
  discard(request: string): Promise<void>
}

export interface ShareComponents {
  self: { peer: string; organisation: string; key: PrivateKey }
  launcher: Launcher
  datasets: Datasets
  agreements: Agreements
  flows: Flows
  decisions: FlowDecisions
  results: Results
  /** Last words of data providers about results. */
  releases: Pick<Releases, 'obtain' | 'verify'>
  resources: Resources
  limits: JobLimits
  /** Finished parts, outside of any job. */
  outbox: string
  clock: { now(): number }
  log: Logger
  /** Units of the columns that a contract's results may have, as the data providers described them. */
  units?: (dossier: Dossier, contract: string) => Record<string, string>
  /** What left before, of the groups that agreements protect. */
  history: GroupHistory
  /** Tells the asker's people how far it is. */
  progress(request: string, phase: string, message: string): void
}

export type Contract = Payload<'contract'>
