/**
 * Finds out what an analyst's statement is, reads and gives, without any data. The statement is parsed, its tree is checked
 * against what is allowed, and only then bound: binding can execute.
 */
export { carryUnits } from './carry-units.ts'
export { checkStatement } from './check.ts'
export type { StatementFacts } from './facts.ts'
export { checkColumns, inspect, type Planner, prepareShadow } from './inspect.ts'
export { protectionProblem } from './protection-problem.ts'
export { sqlFailure } from './sql-failure.ts'
export { namingStatements } from './tables.ts'
export type { Reading } from './unit-lineage.ts'
