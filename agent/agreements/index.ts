/**
 * Agreements of this organisation: drafted, proposed, countered, refused, signed by all parties, in force, superseded, revoked;
 * and what the other parties have still to hear of it.
 */

export type { Agreement, AgreementReply } from './agreement.ts'
export { Agreements, type AgreementsComponents } from './agreements.ts'
export type { Pending } from './delivery.ts'
export type { Ending } from './ending.ts'
export { AgreementNotSignable } from './errors.ts'
export { problemsHere } from './objection.ts'
export { type AgreementRecords, Proposals } from './proposals.ts'
export { isConsumer } from './shelf.ts'
export type { OwnOffer, StandingOffer } from './standing-offers.ts'
export { type Known, viewAgreement } from './view.ts'
