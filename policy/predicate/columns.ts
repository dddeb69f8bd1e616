import type { Operand, Predicate } from './tree.ts'

function operandsOf(predicate: Predicate): Operand[] {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      return predicate.terms.flatMap(operandsOf)
    case 'not':
      return operandsOf(predicate.term)
    case 'compare':
      return [predicate.left, predicate.right]
    case 'in':
      return [predicate.operand, ...predicate.list]
    case 'between':
      return [predicate.operand, predicate.low, predicate.high]
    case 'null':
    case 'truth':
      return [predicate.operand]
  }
}

/** The columns a predicate reads, each once, in order of appearance. They need not be columns that the agreement shows. */
export function predicateColumns(predicate: Predicate): string[] {
  const names = operandsOf(predicate).flatMap((operand) => (operand.kind === 'column' ? [operand.name] : []))
  return [...new Set(names)]
}
