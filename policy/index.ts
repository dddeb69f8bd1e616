/**
 * What is allowed. Pure: the same inputs give the same answer; time, counters and lineage are facts it is given.
 */
export * from './agreement/index.ts'
export * from './engine/index.ts'
export * from './predicate/index.ts'
export * from './terms/index.ts'
export * from './views/index.ts'
