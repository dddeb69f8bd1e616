/**
 * Agreements before and after they are signed: read from a steward's file, checked, put into plain words.
 *
 * @example
 * const draft = parseAgreement(text, 'wage-gap.yaml', (address) => users.get(address))
 * const findings = checkAgreement(draft, { archetypes: ['computeToData', 'dataThroughTtp'] })
 * const parties = agreementParties(draft)
 */
export { anonymisationInWords } from './anonymize-words.ts'
export { byDomain } from './by-domain.ts'
export { type ChangedClause, type Changes, changesBetween } from './changes.ts'
export { checkAgreement, type KnownFacts } from './check.ts'
export { describeAgreement } from './describe.ts'
export { type Agreed, type AgreementDraft, REQUESTER } from './draft.ts'
export { type Unenforceable, unenforceableClauses, unenforceableRelease } from './enforceable.ts'
export { AgreementMalformed } from './errors.ts'
export type { Finding } from './finding.ts'
export type { Attached } from './generalise.ts'
export { MAX_HIERARCHY_LENGTH } from './hierarchy.ts'
export { lineNestedTooDeep } from './nesting.ts'
export { filesNamedBy, parseAgreement, type ResolveUser } from './parse.ts'
export { agreementParties } from './parties.ts'
export { namesToPin, type Pin, type PinnedKind, pinKey } from './pins.ts'
export { type Protection, protectionOf } from './protection.ts'
export { formatDuration, formatInstant, hourAt } from './quantities.ts'
export { quasiIdentifiers } from './quasi.ts'
export { requiredServices } from './required-services.ts'
export { parseSigningRule, type SigningRule } from './signing-rule.ts'
export { MAX_AGREEMENT_LENGTH } from './source.ts'
export {
  describeDraft,
  describeOffer,
  mayTake,
  type Offered,
  takenName,
  takenTerms,
  writeOffer
} from './standing.ts'
export { didYouMean } from './suggestion.ts'
export {
  type DescribedTable,
  type DraftAnswers,
  draftFromTemplate,
  TEMPLATES,
  type Template
} from './templates.ts'
export { widerThan } from './wider.ts'
export { writeAgreement } from './write.ts'
