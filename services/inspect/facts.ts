import type { Tree } from './tree.ts'

export type Undistributable = 'group by' | 'aggregate' | 'distinct' | 'window' | 'set operation'

/** What the tree of a statement shows before it is bound. */
export interface StatementFacts {
  /** The statement's own node. */
  statement: Tree
  functions: ReadonlySet<string>
  notDistributable: ReadonlySet<Undistributable>
  perProvider: ReadonlySet<'limit' | 'order by'>
}
