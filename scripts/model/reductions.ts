/** Which states count as one. Each keeps every law that some state would break; tests compare them with a search without. */
export interface Reductions {
  /** Sets in one order, and nothing that is never read again; see `forms.ts`. */
  readonly forms: boolean
  /** No disk once the crashes are used up, nor who confirmed once nothing asks for it; not where the end of all is looked at. */
  readonly budgets: boolean
  /** The two data providers may change places. */
  readonly mirror: boolean
  /** The same agents with more under way and more of each budget left can do all that they can with less; see `states.ts`. */
  readonly covers: boolean
}

export const NONE: Reductions = { forms: false, budgets: false, mirror: false, covers: false }
/** For laws about each state and step. */
export const ALL: Reductions = { forms: true, budgets: true, mirror: true, covers: true }
/** Where the end of all is looked at, from each state: less under way may mean that nobody is told. */
export const EACH_STATE: Reductions = { forms: true, budgets: false, mirror: true, covers: false }
