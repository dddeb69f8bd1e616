/** A literal. Numbers keep their text, so that no digit is lost on the way to the engine. */
export type Literal =
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'date'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean }

export type ColumnRef = { readonly kind: 'column'; readonly name: string }
export type Operand = Literal | ColumnRef

export const COMPARISONS = ['=', '<>', '<', '<=', '>', '>='] as const
export type Comparison = (typeof COMPARISONS)[number]

/** The whole language of `where:`. `and`/`or` hold at least two terms; nested ones were written in parentheses. */
export type Predicate =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Predicate[] }
  | { readonly kind: 'not'; readonly term: Predicate }
  | { readonly kind: 'compare'; readonly op: Comparison; readonly left: Operand; readonly right: Operand }
  | {
      readonly kind: 'in'
      readonly operand: Operand
      readonly list: readonly Operand[]
      readonly negated: boolean
    }
  | {
      readonly kind: 'between'
      readonly operand: Operand
      readonly low: Operand
      readonly high: Operand
      readonly negated: boolean
    }
  | { readonly kind: 'null'; readonly operand: Operand; readonly negated: boolean }
  | { readonly kind: 'truth'; readonly operand: Operand }
