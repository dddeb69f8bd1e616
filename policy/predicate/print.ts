import type { Operand, Predicate } from './tree.ts'

/** `"` doubled: nothing inside can end the identifier. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function printOperand(operand: Operand): string {
  switch (operand.kind) {
    case 'column':
      return quoteIdentifier(operand.name)
    case 'number':
      return operand.text
    case 'string':
      return `'${operand.value.replaceAll("'", "''")}'`
    case 'date':
      return `DATE '${operand.value}'`
    case 'boolean':
      return operand.value ? 'TRUE' : 'FALSE'
  }
}

/** `and`, `or` and `not` always in parentheses below another, so that no precedence is relied upon. */
function printInner(predicate: Predicate): string {
  const text = printPredicate(predicate)
  return predicate.kind === 'and' || predicate.kind === 'or' || predicate.kind === 'not' ? `(${text})` : text
}

/**
 * The predicate as DuckDB SQL: identifiers quoted, texts escaped, every nested expression in parentheses. What it prints is
 * again a predicate of the same language, with the same tree.
 */
export function printPredicate(predicate: Predicate): string {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      return predicate.terms.map(printInner).join(predicate.kind === 'and' ? ' AND ' : ' OR ')
    case 'not':
      return `NOT (${printPredicate(predicate.term)})`
    case 'compare':
      return `${printOperand(predicate.left)} ${predicate.op} ${printOperand(predicate.right)}`
    case 'in':
      return `${printOperand(predicate.operand)} ${predicate.negated ? 'NOT ' : ''}IN (${predicate.list.map(printOperand).join(', ')})`
    case 'between':
      return `${printOperand(predicate.operand)} ${predicate.negated ? 'NOT ' : ''}BETWEEN ${printOperand(predicate.low)} AND ${printOperand(predicate.high)}`
    case 'null':
      return `${printOperand(predicate.operand)} IS ${predicate.negated ? 'NOT ' : ''}NULL`
    case 'truth':
      return printOperand(predicate.operand)
  }
}
