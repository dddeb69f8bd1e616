import type { Holder, Worker } from './sample.ts'

/** How an organisation happens to write its CSV files. */
interface Dialect {
  delimiter: string
  newline: string
  decimal: '.' | ','
  mark: '' | '\uFEFF'
  quoted: boolean
  gender: Readonly<Record<Worker['gender'], string>>
}

const DIALECTS: Readonly<Record<Holder, Dialect>> = {
  VU: {
    delimiter: ';',
    newline: '\r\n',
    decimal: ',',
    mark: '',
    quoted: false,
    gender: { male: '1', female: '2' }
  },
  UVA: {
    delimiter: ',',
    newline: '\n',
    decimal: '.',
    mark: '\uFEFF',
    quoted: true,
    gender: { male: 'M', female: 'F' }
  },
  RUG: {
    delimiter: '\t',
    newline: '\r',
    decimal: '.',
    mark: '',
    quoted: false,
    gender: { male: 'man', female: 'vrouw' }
  }
}

type Cell = string | number

function csv(header: readonly string[], rows: readonly (readonly Cell[])[], dialect: Dialect): string {
  const write = (cell: Cell) => {
    if (typeof cell === 'number') return String(cell).replace('.', dialect.decimal)
    return dialect.quoted ? `"${cell.replaceAll('"', '""')}"` : cell
  }
  const lines = [header, ...rows].map((row) => row.map(write).join(dialect.delimiter))
  return `${dialect.mark}${lines.join(dialect.newline)}${dialect.newline}`
}

/** The files of one organisation, by name: who somebody is, and what their job pays. */
export function tablesOf(
  holder: Holder,
  workers: readonly Worker[]
): Record<'person.csv' | 'job.csv', string> {
  const dialect = DIALECTS[holder]
  return {
    'person.csv': csv(
      ['id', 'sex', 'age', 'education', 'experience', 'race', 'south', 'married'],
      workers.map((one) => [
        one.id,
        dialect.gender[one.gender],
        one.age,
        one.education,
        one.experience,
        one.race,
        one.south,
        one.married
      ]),
      dialect
    ),
    'job.csv': csv(
      ['id', 'wage', 'occupation', 'sector', 'union'],
      workers.map((one) => [one.id, one.wage, one.occupation, one.sector, one.union]),
      dialect
    )
  }
}
