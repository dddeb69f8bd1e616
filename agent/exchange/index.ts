/** This agent's shares of contracts: extracts, queries and results as single-use jobs, and the flows between parties. */
export { type BeforePart, FlowStreams, type FlowStreamsComponents } from './flow-streams.ts'
export { GROUPS_KEPT_MS, GroupHistory } from './group-history.ts'
export type { HeldPart } from './held-part.ts'
export type {
  Contract,
  FlowDecisions,
  FlowProgress,
  FlowQuestion,
  Flows,
  Results,
  ShareComponents,
  StoredArtifact,
  StoredResult
} from './ports.ts'
export { pseudonymKey, sealShares } from './pseudonym-key.ts'
export { ReleaseNotGiven, Releases, type ReleasesComponents } from './releases.ts'
export { Shares } from './shares.ts'
