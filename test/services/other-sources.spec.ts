import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { Engine } from '../../services/engine/index.ts'
import { Failure } from '../../services/failure/index.ts'
import type { SourceTable } from '../../services/index.ts'
import { runExtract } from '../../services/runner/extract.ts'
import { jobPlace } from '../../services/runner/place.ts'
import { runProfile } from '../../services/runner/profile.ts'
import { quoteText } from '../../services/sql/index.ts'
import { scratchFolder } from './scratch.ts'

describe('a file that is no CSV', () => {
  let engine: Engine
  let folder: string
  before(async () => {
    engine = await Engine.open()
    folder = await scratchFolder()
    await Promise.all(['out', 'tmp'].map((name) => mkdir(join(folder, name))))
  })
  const profile = async (table: SourceTable) =>
    (await runProfile(engine, { kind: 'profile', tables: [table] }, jobPlace(folder))).tables[0]

  for (const [what, text] of [
    ['JSON, one object a line', '{"id":1,"pay":1.5,"tags":["a"]}\n{"id":2,"pay":null,"tags":[]}\n'],
    ['JSON, one array', '[{"id":1,"pay":1.5,"tags":["a"]},{"id":2,"pay":null,"tags":[]}]']
  ] as const) {
    it(`is ${what}`, async () => {
      const path = join(folder, 'file.json')
      await writeFile(path, text)
      const found = await profile({
        name: 't',
        path,
        format: 'json',
        columns: [{ name: 'salary', from: 'pay' }]
      })
      expect(found?.rows).to.equal(2)
      expect(found?.columns).to.deep.equal([
        { name: 'id', type: 'BIGINT', nulls: 0 },
        { name: 'salary', type: 'DOUBLE', nulls: 1 },
        { name: 'tags', type: 'VARCHAR[]', nulls: 0 }
      ])
    })
  }

  it('is Parquet, renamed, typed, decoded and cut to what is permitted', async () => {
    const path = join(folder, 'file.parquet')
    await engine.run(
      `COPY (SELECT i AS id, i % 3 AS sex, 'n' || i AS name FROM range(9) t(i)) TO ${quoteText(path)}`
    )
    const source: SourceTable = {
      name: 'a table/../with "odd" name',
      path,
      format: 'parquet',
      columns: [
        { name: 'Geslacht', from: 'sex', values: { '0': 'M', '1': 'V' } },
        { name: 'id', type: 'VARCHAR' }
      ]
    }
    const { tables } = await runExtract(
      engine,
      {
        kind: 'extract',
        tables: [{ source, columns: ['Geslacht', 'id'], where: `"Geslacht" = 'V' OR "id" = '0'` }]
      },
      jobPlace(folder)
    )
    expect(tables[0]?.columns).to.deep.equal([
      { name: 'Geslacht', type: 'VARCHAR' },
      { name: 'id', type: 'VARCHAR' }
    ])
    expect(await engine.rows(`FROM ${quoteText(join(folder, tables[0]?.part.path ?? ''))}`)).to.deep.equal([
      ['M', '0'],
      ['V', '1'],
      ['V', '4'],
      ['V', '7']
    ])
  })

  it('keeps a code that its table lacks, and NULL', async () => {
    const path = join(folder, 'codes.csv')
    await writeFile(path, 'sex,n\n1,a\n2,b\n03,c\n,d\n')
    const source: SourceTable = {
      name: 't',
      path,
      format: 'csv',
      columns: [{ name: 'Geslacht', from: 'sex', values: { '1': 'M', '2': 'V', '3': 'X' } }]
    }
    expect((await profile(source))?.notes).to.deep.equal([
      'column "Geslacht": 1 rows hold a code outside its table'
    ])
    const { tables } = await runExtract(
      engine,
      { kind: 'extract', tables: [{ source, columns: ['Geslacht'] }] },
      jobPlace(folder)
    )
    expect(await engine.rows(`FROM ${quoteText(join(folder, tables[0]?.part.path ?? ''))}`)).to.deep.equal([
      ['M'],
      ['V'],
      ['03'],
      [null]
    ])
  })

  const refused = async (work: Promise<unknown>): Promise<Failure> => {
    try {
      await work
    } catch (error) {
      if (error instanceof Failure) return error
      throw error
    }
    throw new Error('permitted')
  }

  it('is broken, and is named', async () => {
    const path = join(folder, 'broken.parquet')
    await writeFile(path, 'nothing of the kind')
    const failure = await refused(profile({ name: 't', path, format: 'parquet', columns: [] }))
    expect([failure.code, failure.hint]).to.deep.equal([
      'dataset-malformed',
      'broken.parquet cannot be read as declared'
    ])
  })

  for (const where of [
    '1 = 1) UNION SELECT (1',
    '"x" IN (SELECT 1 FROM other)',
    "read_text('/etc/passwd') = ''",
    '1 = 1; DROP TABLE t',
    'random() < 0.5'
  ]) {
    it(`is read under no predicate like ${where}`, async () => {
      const path = join(folder, 'p.csv')
      await writeFile(path, 'x\n1\n')
      const source: SourceTable = { name: 't', path, format: 'csv', columns: [] }
      const failure = await refused(
        runExtract(engine, { kind: 'extract', tables: [{ source, columns: ['x'], where }] }, jobPlace(folder))
      )
      expect(failure.code).to.match(/^sql-/)
    })
  }
})
