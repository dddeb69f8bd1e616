import type { TableSchema } from '../job/index.ts'
import type { Tree } from './tree.ts'

export type Undistributable = 'group by' | 'aggregate' | 'distinct' | 'window' | 'set operation'

/** What the tree of a statement shows before it is bound. */
export interface StatementFacts {
  /** The statement's own node. */
  statement: Tree
  /** Of the tables that it may name, those that it does. */
  reads: ReadonlySet<TableSchema>
  functions: ReadonlySet<string>
  notDistributable: ReadonlySet<Undistributable>
  perProvider: ReadonlySet<'limit' | 'order by'>
}
