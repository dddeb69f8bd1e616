import { open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Failure } from '../failure/index.ts'
import type { SourceTable } from '../job/index.ts'
import { quoteList, quoteText } from '../sql/index.ts'
import { type Census, takeCensus } from './census.ts'
import { sniffDelimiter } from './dialect.ts'
import { decoder, type Encoding, normaliseCsv } from './normalise.ts'
import type { Shape } from './records.ts'

export interface CsvFile {
  /** What the engine reads: the file itself, or a copy with its line ends and encoding put in order. */
  path: string
  shape: Shape
  notes: string[]
  /** Options of `read_csv` that hold for this file, without types. */
  options: string[]
}

/**
 * Finds out how a CSV file is written and, where the engine could not read it, makes a copy that it can. Measured with DuckDB
 * 1.5.6: LF, CRLF and CR files are read as they are; `\r\r\n` and files that mix line ends are refused; latin-1 and UTF-16
 * are read, but hide broken rows.
 *
 * @throws {Failure} dataset-malformed for an empty file
 */
export async function openCsv(table: SourceTable, scratch: string): Promise<CsvFile> {
  const options = table.csv ?? {}
  const census = await takeCensus(table.path)
  const encoding = encodingOf(options.encoding, census)
  const notes: string[] = []
  if (encoding !== 'utf-8' && options.encoding === undefined) {
    notes.push(`not UTF-8: read as ${encoding === 'utf-16be' ? 'utf-16' : encoding}`)
  }
  const head = await readHead(table.path, encoding)
  if (head.toString('utf8').trim() === '') {
    throw new Failure('dataset-malformed', `${table.path} is empty`, {
      hint: `${basename(table.path)} is empty: expected a header line with column names`
    })
  }
  const quote = Buffer.from(options.quote ?? '"')[0] ?? 34
  const delimiter = options.delimiter ?? sniffDelimiter(head, quote)
  const shape: Shape = { delimiter: Buffer.from(delimiter), quote }
  const nulls = options.nulls ?? ['']
  const file: CsvFile = { path: table.path, shape, notes, options: [] }
  if (encoding !== 'utf-8' || mixed(census)) {
    file.path = join(scratch, `${Buffer.from(table.name).toString('hex').slice(0, 120)}.csv`)
    await normaliseCsv(table.path, file.path, shape, encoding)
  }
  const quoteCharacter = options.quote ?? '"'
  file.options = [
    'header = true',
    'skip = 0',
    // a file may hold lines that start with "#": the engine would take them for comments
    "comment = ''",
    `delim = ${quoteText(delimiter)}`,
    `quote = ${quoteText(quoteCharacter)}`,
    `escape = ${quoteText(quoteCharacter)}`,
    `nullstr = ${quoteList(nulls)}`,
    ...(options.decimal === ',' ? ["decimal_separator = ','"] : []),
    'strict_mode = true',
    'null_padding = false',
    'ignore_errors = false'
  ]
  return file
}

function encodingOf(declared: 'utf-8' | 'latin-1' | 'utf-16' | undefined, census: Census): Encoding {
  if (census.mark === 'utf-16be') return 'utf-16be'
  if (declared !== undefined) return declared
  if (census.mark !== undefined) return census.mark
  return census.utf8 ? 'utf-8' : 'latin-1'
}

function mixed(census: Census): boolean {
  const kinds = [census.lf, census.crlf, census.cr, census.crcrlf].filter((count) => count > 0).length
  return kinds > 1 || census.crcrlf > 0
}

async function readHead(path: string, encoding: Encoding): Promise<Buffer> {
  const handle = await open(path, 'r')
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(262_144), 0, 262_144, 0)
    const text = decoder(encoding)(buffer.subarray(0, bytesRead))
    return text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? text.subarray(3) : text
  } finally {
    await handle.close()
  }
}
