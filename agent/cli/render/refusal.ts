import type { RefusalView } from '../../api/index.ts'
import { caret } from './caret.ts'
import { clauseInWords } from './clauses.ts'
import type { Style } from './style.ts'
import { plain } from './text.ts'

function valueInWords(value: unknown): string {
  if (value === '*') return 'any'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueInWords).join(', ')
  if (typeof value === 'string') return plain(value)
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([key, item]) => `${plain(key)}: ${valueInWords(item)}`)
      .join('; ')
  return String(value)
}

const indent = (text: string) => text.replaceAll(/^/gm, '  ')

/**
 * Who refused, at which question, why, under which clause, and what would be acceptable.
 *
 * @param sql the analyst's own text, for the place in it
 */
export function renderRefusal(refusal: RefusalView, options: { style: Style; sql?: string }): string {
  const { style, sql } = options
  const lines = [
    `${style.bad('✗')} ${style.bold(plain(refusal.hop))} refused at ${plain(refusal.question)}: ${style.bold(plain(refusal.code))}`,
    indent(plain(refusal.reason))
  ]
  if (sql !== undefined && refusal.position !== undefined) lines.push(indent(caret(sql, refusal.position)))
  if (refusal.clause !== null) {
    const words = clauseInWords(refusal.clause)
    lines.push(indent(`clause ${plain(refusal.clause)}${words === undefined ? '' : `: ${words}`}`))
  }
  if (refusal.acceptable !== null)
    for (const [what, value] of Object.entries(refusal.acceptable))
      lines.push(indent(`acceptable ${plain(what)}: ${valueInWords(value)}`))
  return lines.join('\n')
}
