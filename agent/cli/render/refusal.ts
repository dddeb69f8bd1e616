import type { RefusalView } from '../../api/index.ts'
import { caret } from './caret.ts'
import { clauseInWords } from './clauses.ts'
import type { Style } from './style.ts'
import { plain } from './text.ts'
import { wrapped } from './wrap.ts'

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

/** Where a code is explained: the page lies in the project, and this program shows it. */
export function whereExplained(code: string): string {
  return `see docs/errors/${plain(code)}.md`
}

export interface RefusalRendering {
  style: Style
  columns?: number
  /** The analyst's own text, for the place in it. */
  sql?: string
  /** Under which a table refers to it. */
  number?: number
}

/** Who refused, at which question, why, under which clause, what would be acceptable, and where the code is explained. */
export function renderRefusal(refusal: RefusalView, rendering: RefusalRendering): string {
  const { style, sql, columns, number } = rendering
  const line = (text: string, indent: string) =>
    columns === undefined
      ? indent + text
      : wrapped(text, { columns: columns - indent.length, indent: 2 }).replaceAll(/^/gm, indent)
  const lines = [
    `${style.bad(`✗${number ?? ''}`)} ${style.bold(plain(refusal.hop))} refused at ${plain(refusal.question)}: ${style.bold(plain(refusal.code))}`,
    line(plain(refusal.reason), '  ')
  ]
  if (sql !== undefined && refusal.position !== undefined)
    lines.push(caret(sql, refusal.position).replaceAll(/^/gm, '  '))
  if (refusal.clause !== null) {
    const words = clauseInWords(refusal.clause)
    lines.push(line(`clause ${plain(refusal.clause)}${words === undefined ? '' : `: ${words}`}`, '  '))
  }
  for (const [what, value] of Object.entries(refusal.acceptable ?? {}))
    lines.push(line(`acceptable ${plain(what)}: ${valueInWords(value)}`, '  '))
  lines.push(style.dim(line(whereExplained(refusal.code), '  ')))
  return lines.join('\n')
}
