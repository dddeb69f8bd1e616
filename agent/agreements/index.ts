/** Agreements of this organisation: drafted, signed by all parties, in force, superseded. */
export {
  type Agreement,
  type AgreementReply,
  Agreements,
  type AgreementsComponents
} from './agreements.ts'
export { isConsumer } from './consumers.ts'
export { AgreementNotSignable } from './errors.ts'
export { viewAgreement } from './view.ts'
