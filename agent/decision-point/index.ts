/**
 * A second engine by configuration: an HTTP decision point of the organisation's own, asked after the rules here have
 * permitted something, and able only to forbid it. No answer is a no. The contract is in docs/policy.md.
 */
export { type Asking, askedByHttp, type DecisionPoint, noDecisionPoint } from './asking.ts'
export { DecisionPointFailed, HttpPoint, type HttpPointInit } from './http-point.ts'
export { MAX_ANSWER_BYTES, MAX_QUESTION_BYTES } from './wire.ts'
