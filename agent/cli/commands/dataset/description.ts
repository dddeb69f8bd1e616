import type { DatasetTable } from '../../../config/index.ts'
import type { ProfiledTable } from '../../doors.ts'
import { personalSign } from './personal.ts'

export interface Description {
  id: string
  title: string
  contact: string | undefined
  visibility: string
  tables: { source: DatasetTable; path: string; found: ProfiledTable }[]
}

const quoted = (text: string) => (/^[A-Za-z_][\w-]*$/.test(text) ? text : JSON.stringify(text))

function columnLine({ name, type, nulls }: ProfiledTable['columns'][number], rows: number): string {
  const sign = personalSign(name)
  const about = [
    ...(nulls > 0 ? [nulls === rows ? 'always empty' : `${nulls} empty`] : []),
    ...(sign === undefined ? [] : [`looks like ${sign}`])
  ]
  const sensitive = sign === undefined ? '' : ', sensitive: true'
  const comment = about.length === 0 ? '' : `  # ${about.join('; ')}`
  return `      ${quoted(name)}: {type: ${quoted(type)}${sensitive}}${comment}`
}

function tableLines({ source, path, found }: Description['tables'][number]): string {
  const csv = source.csv
  return [
    `  # ${found.rows} rows`,
    ...found.notes.map((note) => `  # ${note.replaceAll(/\s+/g, ' ')}`),
    `  ${quoted(found.name)}:`,
    `    path: ${JSON.stringify(path)}`,
    `    format: ${source.format}`,
    ...(csv?.delimiter === undefined ? [] : [`    delimiter: ${JSON.stringify(csv.delimiter)}`]),
    '    # subject: the column that tells whom a row is about',
    '    columns:',
    ...found.columns.map((column) => columnLine(column, found.rows))
  ].join('\n')
}

/** The file that describes a dataset, for its steward to go on with. */
export function describeDataset(description: Description): string {
  const { id, title, contact, visibility, tables } = description
  return `# What others are told of this dataset: names, types and descriptions, never values.
# A column may also have: from (its name in the file), values (a code table), unit, description, sensitive.

id: ${quoted(id)}
title: ${JSON.stringify(title)}
# members: every member may know of it. parties: only those with an agreement.
visibility: ${visibility}
${contact === undefined ? '# contact: data steward’s address' : `contact: ${JSON.stringify(contact)}`}
tables:
${tables.map(tableLines).join('\n')}
`
}
