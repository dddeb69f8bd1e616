import { type DatasetTable, declaredType } from '../../../config/index.ts'
import type { ProfiledTable } from '../../doors.ts'
import { yamlCodes, yamlComment, yamlQuoted, yamlText } from '../../yaml-text.ts'
import { proposedSubject } from './personal.ts'
import type { Flagged } from './sensitivity.ts'

export interface DescribedTable {
  source: DatasetTable
  /** As it is written into the file. */
  path: string
  found: ProfiledTable
  flagged: readonly Flagged[]
}

export interface Description {
  id: string
  title: string | undefined
  contact: string | undefined
  visibility: string
  tables: readonly DescribedTable[]
}

type ProfiledColumn = ProfiledTable['columns'][number]

function columnLines(
  column: ProfiledColumn,
  rows: number,
  flag: Flagged | undefined,
  indent: string
): string {
  const { name, type, nulls, codes } = column
  const declared = declaredType(type)
  const about = [
    ...(declared === undefined ? [`${yamlComment(type)}, as the file says`] : []),
    ...(nulls > 0 ? [nulls === rows ? 'always empty' : `${nulls} empty`] : []),
    ...(flag === undefined ? [] : [`looks like ${flag.looksLike}`])
  ]
  const known = [
    ...(declared === undefined ? [] : [`type: ${yamlText(declared)}`]),
    ...(flag?.sensitive === true ? ['sensitive: true'] : [])
  ]
  const comment = about.length === 0 ? '' : `  # ${about.join('; ')}`
  const line = `${indent}${yamlText(name)}: {${known.join(', ')}}${comment}`
  if (codes === undefined) return line
  // values are told to nobody unless the steward moves them out of the comment; meanings are texts, whatever codes are
  const decoded = [
    'type: VARCHAR',
    ...known.slice(declared === undefined ? 0 : 1),
    `values: ${yamlCodes(codes)}`
  ]
  return `${line}\n${indent}#   it holds codes; to say what they mean: {${decoded.join(', ')}}`
}

/** One table, at its place under `tables`. */
export function tableLines({ source, path, found, flagged }: DescribedTable, indent = '  '): string {
  const csv = source.csv
  const inner = indent + indent
  const subject = proposedSubject(found.columns)
  return [
    `${indent}# ${found.rows} rows`,
    ...found.notes.map((note) => `${indent}# ${yamlComment(note)}`),
    `${indent}${yamlText(found.name)}:`,
    `${inner}path: ${yamlQuoted(path)}`,
    `${inner}format: ${source.format}`,
    ...(source.table === undefined ? [] : [`${inner}table: ${yamlQuoted(source.table)}`]),
    ...(csv?.delimiter === undefined ? [] : [`${inner}delimiter: ${yamlQuoted(csv.delimiter)}`]),
    subject?.sure === true
      ? `${inner}subject: ${yamlText(subject.column)}  # proposed: the column that tells whom a row is about`
      : `${inner}# subject: ${subject === undefined ? 'COLUMN' : yamlText(subject.column)}  # the column that tells whom a row is about`,
    ...(found.columns.length === 0
      ? []
      : [
          `${inner}columns:`,
          ...found.columns.map((column) =>
            columnLines(
              column,
              found.rows,
              flagged.find((one) => one.column === column.name),
              inner + indent
            )
          )
        ])
  ].join('\n')
}

/** The file that describes a dataset, for its steward to go on with. The same data gives the same bytes. */
export function describeDataset(description: Description): string {
  const { id, title, contact, visibility, tables } = description
  return `# What others are told of this dataset: names, types and what you write here, never values of the data.
# A column may also have, for example:
#   wage: {type: DOUBLE, from: SALARIS, unit: EUR/hour, description: "gross, without allowances"}
#   gender: {type: VARCHAR, values: {"1": M, "2": V}, sensitive: true}
# from: its name in the file. values: what its codes mean; analysts meet the meanings, and may be told of them.
# unit: shown with results. sensitive: to be handled with care. min, max: between what its values lie.

id: ${yamlText(id)}
${title === undefined ? '# title: what it is, in words' : `title: ${yamlQuoted(title)}`}
# members: every member may know of it. parties: only those with an agreement.
visibility: ${visibility}
${contact === undefined ? '# contact: data steward’s address' : `contact: ${yamlQuoted(contact)}`}
tables:
${tables.map((table) => tableLines(table)).join('\n')}
`
}
