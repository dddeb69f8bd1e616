/**
 * What an agreement shows of a dataset, and the terms that travel with what is made of it.
 */
export { type AcceptedTerms, acceptedTermsProblem, type TermsProblem } from './accepted.ts'
export { CLOSED, combineTerms } from './combine.ts'
export { type Excess, excessOver } from './excess.ts'
export {
  assertColumnsExist,
  DatasetChanged,
  type GrantedTable,
  grantedSchema,
  type SchemaTable
} from './granted-schema.ts'
export { resultTermsOf } from './result-terms.ts'
export { type BrokenTerm, type Use, withinTerms } from './within.ts'
