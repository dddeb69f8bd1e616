/** Agreements of this organisation: drafted, signed by all parties, in force, superseded. */
export { type AgreementReply, Agreements, type AgreementsComponents } from './agreements.ts'
export type { Ending } from './ending.ts'
export { AgreementNotSignable } from './errors.ts'
export { type Agreement, isConsumer } from './shelf.ts'
export { viewAgreement } from './view.ts'
