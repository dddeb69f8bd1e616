import type { ProfiledTable } from '../../doors.ts'
import { plain } from '../../render/index.ts'
import type { Terminal } from '../../terminal.ts'
import { personalSign } from './personal.ts'

/** A column that may tell who somebody is, and whether the steward calls it sensitive. */
export interface Flagged {
  table: string
  column: string
  looksLike: string
  sensitive: boolean
}

const MOST_TRIES = 3

/**
 * Flags columns that look like persons'. Where a person can be asked, each is asked about; otherwise, and where nothing is
 * answered, it is sensitive: that can be taken back, what was told of it cannot.
 */
export async function flagColumns(
  tables: readonly ProfiledTable[],
  terminal: Pick<Terminal, 'ask' | 'err'> | undefined
): Promise<Flagged[]> {
  const flagged: Flagged[] = []
  let all = false
  for (const table of tables) {
    for (const column of table.columns) {
      const looksLike = personalSign(column)
      if (looksLike === undefined) continue
      const about = { table: table.name, column: column.name, looksLike }
      if (terminal === undefined || all) {
        flagged.push({ ...about, sensitive: true })
        continue
      }
      const answer = await answerTo(terminal, about)
      if (answer === 'all') all = true
      flagged.push({ ...about, sensitive: answer !== 'no' })
    }
  }
  return flagged
}

async function answerTo(
  terminal: Pick<Terminal, 'ask' | 'err'>,
  { table, column, looksLike }: Omit<Flagged, 'sensitive'>
): Promise<'yes' | 'no' | 'all'> {
  const question = `${plain(table)}.${plain(column)} looks like ${looksLike}. Is it sensitive? [Y]es, [n]o, [a]ll that follow: `
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const answer = (await terminal.ask(question)).trim().toLowerCase()
    if (answer === '' || answer === 'y' || answer === 'yes') return 'yes'
    if (answer === 'n' || answer === 'no') return 'no'
    if (answer === 'a' || answer === 'all') return 'all'
    terminal.err('expected y, n or a\n')
  }
  return 'yes'
}
