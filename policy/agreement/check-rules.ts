import type { AgreementDraft } from './draft.ts'
import type { Finding } from './finding.ts'

/** What somebody who can read rules says of a text; lines and columns count from 1. */
export interface RuleRemark {
  level: 'error' | 'warning'
  line: number
  column: number
  message: string
  source?: string
}

/** The agreement's own rules, with the places in its file where they can be told. */
export function checkRules(
  { terms: { cedar }, lines, cedarAt }: AgreementDraft,
  read: (text: string) => readonly RuleRemark[]
): Finding[] {
  if (cedar === undefined || cedar.trim() === '') return []
  return read(cedar).map(({ level, line, column, message, source }) => {
    const shown = source === undefined ? {} : { source }
    if (cedarAt === undefined) {
      const known = lines.cedar === undefined ? {} : { line: lines.cedar }
      return {
        level,
        clause: 'cedar',
        message: `line ${line}, column ${column}: ${message}`,
        ...known,
        ...shown
      }
    }
    return {
      level,
      clause: 'cedar',
      message,
      line: cedarAt.line + line - 1,
      column: cedarAt.column + column - 1,
      ...shown
    }
  })
}
