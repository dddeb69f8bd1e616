/**
 * Groups of too few people stay: the part of a provider's own job that lets nothing but aggregates of enough units leave, and
 * none that could be subtracted from an earlier one.
 */
export { type Cells, planCells, RELEASED, type UnitRows } from './cells.ts'
export { AGGREGATES, type AggregateRoles, aggregateRoles } from './roles.ts'
export { keptCells, planWithholding, rememberedGroups, SALT, type Withholding } from './withhold.ts'
