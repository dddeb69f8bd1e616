/** Agreements of this organisation: drafted, signed by all parties, in force, superseded. */
export {
  type Agreement,
  type AgreementReply,
  Agreements,
  type AgreementsComponents,
  isConsumer
} from './agreements.ts'
export { AgreementNotSignable } from './errors.ts'
export { viewAgreement } from './view.ts'
