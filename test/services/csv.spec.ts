import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { Engine } from '../../services/engine/index.ts'
import { Failure } from '../../services/failure/index.ts'
import type { SourceTable } from '../../services/index.ts'
import { jobPlace } from '../../services/runner/place.ts'
import { runProfile } from '../../services/runner/profile.ts'
import { openSource } from '../../services/source/index.ts'
import { scratchFolder } from './scratch.ts'

type Csv = NonNullable<SourceTable['csv']>

describe('a CSV file as found in the wild', () => {
  let engine: Engine
  let folder: string
  before(async () => {
    engine = await Engine.open()
    folder = await scratchFolder()
    await mkdir(jobPlace(folder).scratch)
  })

  const table = async (
    content: string | Buffer,
    csv?: Csv,
    columns: SourceTable['columns'] = []
  ): Promise<SourceTable> => {
    const path = join(folder, 'file.csv')
    await writeFile(path, content)
    return { name: 't', path, format: 'csv', columns, ...(csv === undefined ? {} : { csv }) }
  }
  const rows = async (
    content: string | Buffer,
    csv?: Csv,
    columns?: SourceTable['columns']
  ): Promise<unknown[][]> => {
    const source = await openSource(await table(content, csv, columns), jobPlace(folder).scratch, engine)
    const names = source.columns.map(({ name }) => `CAST("${name.replaceAll('"', '""')}" AS VARCHAR)`)
    return [
      source.columns.map(({ name }) => name),
      ...(await engine.rows(`SELECT ${names.join(', ')} FROM (${source.sql})`))
    ]
  }
  const profile = async (content: string | Buffer, csv?: Csv, columns?: SourceTable['columns']) => {
    const { tables } = await runProfile(
      engine,
      { kind: 'profile', tables: [await table(content, csv, columns)] },
      jobPlace(folder)
    )
    return tables[0]
  }
  const failure = async (
    content: string | Buffer,
    csv?: Csv,
    columns?: SourceTable['columns']
  ): Promise<Failure> => {
    try {
      await profile(content, csv, columns)
    } catch (error) {
      if (error instanceof Failure) return error
      throw error
    }
    throw new Error('read without complaint')
  }

  const WANTED = [
    ['id', 'name'],
    ['1', 'x'],
    ['2', 'y']
  ]
  const ends = { LF: '\n', CRLF: '\r\n', CR: '\r', 'CR CR LF': '\r\r\n' }
  for (const [name, end] of Object.entries(ends)) {
    it(`has ${name} line ends`, async () => {
      expect(await rows(`id,name${end}1,x${end}2,y${end}`)).to.deep.equal(WANTED)
    })
    it(`has ${name} line ends and none at its end`, async () => {
      expect(await rows(`id,name${end}1,x${end}2,y`)).to.deep.equal(WANTED)
    })
    it(`has ${name} line ends, quotes, and a line end within quotes`, async () => {
      const found = await rows(`id,name${end}1,"x${end}""x"", ${end}"${end}2,"y"${end}`)
      expect(found).to.deep.equal([
        ['id', 'name'],
        ['1', `x${end}"x", ${end}`],
        ['2', 'y']
      ])
    })
    it(`has ${name} line ends and a byte-order mark`, async () => {
      expect(await rows(`\ufeffid,name${end}1,x${end}2,y${end}`)).to.deep.equal(WANTED)
    })
  }

  it('mixes line ends', async () => {
    expect(await rows('id,name\n1,x\r\n2,y\r')).to.deep.equal(WANTED)
  })

  for (const delimiter of [',', ';', '\t', '|', ':', '^', '~', '#', '!', '\u0001', '$']) {
    it(`is cut by ${JSON.stringify(delimiter)}, found by itself`, async () => {
      expect(await rows(['id,name', '1,x', '2,y'].join('\n').replaceAll(',', delimiter))).to.deep.equal(
        WANTED
      )
    })
  }

  it('is cut by a declared letter', async () => {
    expect(await rows('idXname\n1Xx\n2Xy\n', { delimiter: 'X' })).to.deep.equal(WANTED)
  })

  it('is cut by a declared character beyond ASCII, with odd line ends', async () => {
    expect(await rows('id§name\r\r\n1§x\r\r\n2§y\r\r\n', { delimiter: '§' })).to.deep.equal(WANTED)
  })

  it('has a decimal comma', async () => {
    const found = await profile('a;b\n1,5;x\n2,25;y\n', { decimal: ',' })
    expect(found?.columns.map(({ type }) => type)).to.deep.equal(['DOUBLE', 'VARCHAR'])
  })

  it('has empty cells, which are NULL', async () => {
    const found = await profile('a,b\n,x\n2,\n,""\n')
    expect(found?.columns).to.deep.equal([
      { name: 'a', type: 'BIGINT', nulls: 2 },
      { name: 'b', type: 'VARCHAR', nulls: 2 }
    ])
  })

  it('has its own words for NULL', async () => {
    const found = await profile('a,b\n1,x\nNA,-\n', { nulls: ['NA', '-', ''] })
    expect(found?.columns).to.deep.equal([
      { name: 'a', type: 'BIGINT', nulls: 1 },
      { name: 'b', type: 'VARCHAR', nulls: 1 }
    ])
  })

  it('is latin-1 without saying so', async () => {
    const bytes = Buffer.from('id,naam\r\n1,café\r\n', 'latin1')
    expect(await rows(bytes)).to.deep.equal([
      ['id', 'naam'],
      ['1', 'café']
    ])
    expect((await profile(bytes))?.notes).to.deep.equal(['not UTF-8: read as latin-1'])
  })

  it('is UTF-16', async () => {
    expect(await rows(Buffer.from('\ufeffid,name\r\n1,é\r\n', 'utf16le'))).to.deep.equal([
      ['id', 'name'],
      ['1', 'é']
    ])
  })

  it('has lines that start with # and a letter that is more than one byte at every place', async () => {
    expect(await rows('naam,x\n#é,1\n𝄞,2\n')).to.deep.equal([
      ['naam', 'x'],
      ['#é', '1'],
      ['𝄞', '2']
    ])
  })

  it('changes its type after a hundred thousand lines', async () => {
    const lines = Array.from({ length: 120_000 }, (_, i) => `${i},${i}`)
    const found = await profile(`a,b\n${lines.join('\n')}\nlast,7.5\n`)
    expect(found?.columns.map(({ type }) => type)).to.deep.equal(['VARCHAR', 'DOUBLE'])
    expect(found?.rows).to.equal(120_001)
  })

  it('has a column that is empty for a hundred thousand lines, and is a number then', async () => {
    const found = await profile(`a,b\n${'x,\n'.repeat(100_000)}y,5\n`)
    expect(found?.columns[1]).to.deep.equal({ name: 'b', type: 'BIGINT', nulls: 100_000 })
  })

  const types: [cells: string[], type: string][] = [
    [['1', '-2', '0'], 'BIGINT'],
    [['1', '2.5', '-3e4', '.5'], 'DOUBLE'],
    [['9223372036854775807'], 'BIGINT'],
    [['9223372036854775808'], 'VARCHAR'],
    [['12345678901234567890', '1'], 'VARCHAR'],
    [['1', '007'], 'VARCHAR'],
    [['0.5', '00.5'], 'VARCHAR'],
    [['true', 'FALSE'], 'BOOLEAN'],
    [['true', '1'], 'VARCHAR'],
    [['2020-01-02', '1999-12-31'], 'DATE'],
    [['2020-01-02', '2020-02-30'], 'VARCHAR'],
    [['2020-01-02', '2020-01-02 10:00:00'], 'TIMESTAMP'],
    [['2020-01-02T10:00', '2020-01-02 10:00:00.123'], 'TIMESTAMP'],
    [['2020-01-02T10:00:00Z', '2020-01-02 10:00:00+02:00'], 'TIMESTAMP WITH TIME ZONE'],
    [['10:11', '10:11:12.5'], 'TIME'],
    [['02/03/2020'], 'VARCHAR'],
    [['nan', '1'], 'VARCHAR'],
    [['', ''], 'VARCHAR']
  ]
  for (const [cells, type] of types) {
    it(`has a column of ${cells.join(' and ')}: ${type}`, async () => {
      expect(
        (await profile(`a,b\n${cells.map((cell) => `${cell},x\n`).join('')}`))?.columns[0]?.type
      ).to.equal(type)
    })
  }

  it('would have two columns of one name after renaming', async () => {
    expect((await failure('a,b\n1,2\n', undefined, [{ name: 'B', from: 'a' }])).hint).to.equal(
      'file.csv: two columns would be called "b"'
    )
  })

  it('keeps leading zeros', async () => {
    expect(await rows('a\n007\n012\n')).to.deep.equal([['a'], ['007'], ['012']])
  })

  it('is renamed, typed and decoded as declared', async () => {
    const columns = [
      { name: 'Geslacht', from: 'sex', type: 'VARCHAR', values: { '1': 'M', '2': 'V' } },
      { name: 'Nummer', from: 'ID', type: 'VARCHAR' }
    ]
    expect(await rows('id,sex,x\n1,2,a\n2,1,b\n3,9,c\n4,,d\n', undefined, columns)).to.deep.equal([
      ['Nummer', 'Geslacht', 'x'],
      ['1', 'V', 'a'],
      ['2', 'M', 'b'],
      ['3', '9', 'c'],
      ['4', null, 'd']
    ])
    expect((await profile('id,sex,x\n1,2,a\n3,9,c\n', undefined, columns))?.notes).to.deep.equal([
      'column "Geslacht": 1 rows hold a code outside its table'
    ])
  })

  it('warns when its first line looks like data', async () => {
    expect((await profile('1,Jansen\n2,Bakker\n'))?.notes[0]).to.match(/looks like data/)
  })

  it('has a header only', async () => {
    const found = await profile('a,b\n')
    expect(found?.rows).to.equal(0)
    expect(found?.notes[0]).to.match(/no rows/)
  })

  for (const [name, content] of Object.entries({
    nothing: '',
    'a mark': '\ufeff',
    'blank lines': '\r\n\r\n'
  })) {
    it(`holds ${name} and is refused in clear words`, async () => {
      const { code, hint } = await failure(content)
      expect(code).to.equal('dataset-malformed')
      expect(hint).to.equal('file.csv is empty: expected a header line with column names')
    })
  }

  const ragged: [what: string, content: string, hint: RegExp][] = [
    ['a field too many', 'a,b\n1,x\n2,y,z\n3,q\n', /^file.csv, line 3: expected 2 fields, found 3$/],
    ['a field too few', 'a,b\n1,x\n2\n3,q\n', /^file.csv, line 3: expected 2 fields, found 1$/],
    [
      'a field too many after quoted line ends',
      'a,b\r\n1,"x\r\ny"\r\n2,y,z\r\n',
      /line 4: expected 2 fields, found 3/
    ],
    [
      'a field too many with odd line ends',
      'a,b\r\r\n1,x\r\r\n2,y,z\r\r\n',
      /line 3: expected 2 fields, found 3/
    ],
    ['a quote that never closes', 'a,b\n1,x\n2,"y\n3,q\n', /line 3: a quoted field is never closed/]
  ]
  for (const [what, content, hint] of ragged) {
    it(`has ${what}, and the line is named without its content`, async () => {
      const found = await failure(content)
      expect(found.code).to.equal('dataset-malformed')
      expect(found.hint).to.match(hint)
    })
  }

  it('breaks its declared type, and line and column are named', async () => {
    const { code, hint } = await failure('a,b\n1,x\nJan Jansen,y\n', undefined, [
      { name: 'a', type: 'BIGINT' }
    ])
    expect(code).to.equal('dataset-malformed')
    expect(hint).to.equal('file.csv, line 3, column "a": expected BIGINT')
  })

  it('lacks a declared column, and the likely one is named', async () => {
    const { hint } = await failure('id,geslacht\n1,x\n', undefined, [{ name: 'Geslagt' }])
    expect(hint).to.equal('file.csv: expected a column "Geslagt", did you mean "geslacht"?')
  })

  it('holds any cells, in any dialect, and gives them back', async () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', 'é', '"', ',', ';', '\n', '\r', ' ', '1', '#', "'"),
      maxLength: 6
    })
    const grid = fc
      .integer({ min: 2, max: 4 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 })
      )
    await fc.assert(
      fc.asyncProperty(
        grid,
        fc.constantFrom(...Object.values(ends)),
        fc.constantFrom(',', ';', '|'),
        async (cells, end, delimiter) => {
          const header = cells[0]?.map((_, index) => `c${index}`) ?? []
          const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
          const text =
            [header, ...cells.map((row) => row.map(quoted))].map((row) => row.join(delimiter)).join(end) + end
          const types = header.map((name) => ({ name, type: 'VARCHAR' }))
          const wanted = cells.map((row) => row.map((value) => (value === '' ? null : value)))
          expect(await rows(text, { delimiter }, types)).to.deep.equal([header, ...wanted])
        }
      ),
      { numRuns: 60 }
    )
  })
})
