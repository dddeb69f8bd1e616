/**
 * Drives negotiations: messages of peers in, state machine, policy, signatures, store, messages out. One exchange per request.
 */
export { changedDurably } from './commit.ts'
export {
  Dossier,
  type HeldContract,
  type HeldOffer,
  openRequest,
  RESULT_SERVICE,
  UnknownDocument
} from './dossier.ts'
export type { Exchange } from './exchange.ts'
export { Exchanges, type ExchangesInit, type RequestGuard, RequestNotTaken } from './exchanges.ts'
export { ATTEMPT, ownJobs } from './noting.ts'
export type {
  AwaitedOffer,
  Clock,
  Composed,
  Coordination,
  ExchangePorts,
  HopDecisions,
  Logger,
  MadeOffer,
  Objection,
  ShareFailure,
  ShareGate,
  ShareRunner
} from './ports.ts'
export { openDossier } from './replay.ts'
export { ShareFailed, StoppedByPolicy } from './share-failed.ts'
export { type Body, createSpeaker, type Speaker } from './speaker.ts'
export { machineOf } from './stored.ts'
