import type { SourceTable } from '../job/index.ts'
import { quoteName, quoteText } from '../sql/index.ts'

/**
 * A scan of what a connector copied from a server: every value in quotes but NULL, so that an empty text is one.
 */
export function openCopied({ path, copied = [] }: SourceTable): { scan: string; types: Map<string, string> } {
  const read = copied.map(({ name, type }) => `${quoteText(name)}: ${quoteText(readAs(type))}`)
  const options = [
    `columns = {${read.join(', ')}}`,
    'header = false',
    'auto_detect = false',
    "delim = ','",
    `quote = '"'`,
    `escape = '"'`,
    "comment = ''",
    "nullstr = ''",
    'allow_quoted_nulls = false',
    "new_line = '\\n'",
    'strict_mode = true',
    'null_padding = false'
  ]
  const list = copied.map(({ name, type }) => {
    const column = quoteName(name)
    // the server writes bytes as \\x and hexadecimal digits
    if (type === 'BLOB') return `from_hex(substr(${column}, 3)) AS ${column}`
    // the engine would take no notice of BC, unless it is written its own way
    if (type === 'DATE') return `CAST(replace(${column}, ' BC', ' (BC)') AS DATE) AS ${column}`
    return column
  })
  const scan = `(SELECT ${list.join(', ')} FROM read_csv(${quoteText(path)}, ${options.join(', ')}))`
  return { scan, types: new Map() }
}

function readAs(type: string): string {
  return type === 'BLOB' || type === 'DATE' ? 'VARCHAR' : type
}
