/** How a request is carried out: candidates, the chain that agreements and options require, scores and the choice. Pure. */
export {
  askedServices,
  type Chain,
  composeChain,
  flowsToInfrastructure,
  flowsToRecipient,
  RECIPIENT_SERVICES
} from './chain.ts'
export { compose } from './compose.ts'
export { estimateJob, roundedUp } from './estimate.ts'
export type {
  Answer,
  Candidate,
  Composition,
  CompositionInput,
  HopAnswer,
  HopRefusal,
  Plan,
  Preferences
} from './plan.ts'
export { computesAtData } from './players.ts'
export { columnsOf } from './schemas.ts'
export { OBJECTIVES, type Scores } from './score.ts'
export { runsAgain } from './verifying.ts'
