/**
 * The language of `where:` in an agreement. Text becomes a tree and the tree is printed by us: what a steward wrote is never
 * pasted into SQL.
 *
 * @example
 * printPredicate(parsePredicate("Peildat >= 20170101 and Functcat in ('HGL', 'UD')"))
 * // "Peildat" >= 20170101 AND "Functcat" IN ('HGL', 'UD')
 */
export { predicateColumns } from './columns.ts'
export { PredicateInvalid } from './error.ts'
export { neverHolds } from './never.ts'
export { MAX_PREDICATE_LENGTH, parsePredicate } from './parse.ts'
export { printPredicate, quoteIdentifier } from './print.ts'
export type { Comparison, Literal, Operand, Predicate } from './tree.ts'
