/** How a request is carried out: candidates, the chain that agreements and options require, scores and the choice. Pure. */
export { type Chain, composeChain, computesAtData } from './chain.ts'
export {
  type Answer,
  type Candidate,
  type Composition,
  type CompositionInput,
  compose,
  type HopRefusal,
  type Plan,
  type Preferences
} from './compose.ts'
export { estimateJob, roundedUp } from './estimate.ts'
export { columnsOf } from './schemas.ts'
export { OBJECTIVES, type Scores } from './score.ts'
