import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { Engine } from '../../services/engine/index.ts'
import { Failure } from '../../services/failure/index.ts'
import { jobPlace } from '../../services/runner/place.ts'
import { runProfile } from '../../services/runner/profile.ts'
import { scratchFolder } from './scratch.ts'

const digits = (length: number) =>
  fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length })
    .map((all) => all.join(''))

/** A number whose digits, weighted 9 to 2 and -1, sum up to a multiple of eleven. */
const bsn = digits(8)
  .map((eight) => {
    const sum = [...eight].reduce((total, digit, index) => total + (9 - index) * Number(digit), 0)
    return { eight, last: sum % 11 }
  })
  .filter(({ eight, last }) => last < 10 && Number(eight) > 100_000)
  .map(({ eight, last }) => `${eight}${last}`)

const word = fc.stringMatching(/^[a-z]{1,9}$/)
const SHAPES: Record<string, fc.Arbitrary<string>> = {
  'mail address': fc.tuple(word, word).map(([user, host]) => `${user}@${host}.nl`),
  'account number': digits(10).map((number) => `NL91 ABNA ${number}`),
  'citizen service number': bsn,
  'telephone number': fc.oneof(
    digits(8).map((number) => `06 ${number.replace(/^0/, '1')}`),
    digits(8).map((number) => `+31-6-${number}`)
  ),
  'network address': fc.tuple(fc.nat(255), fc.nat(255)).map(([one, other]) => `10.${one}.${other}.7`),
  'postal code': fc
    .tuple(fc.integer({ min: 1000, max: 9999 }), fc.boolean())
    .map(([number, gap]) => `${number}${gap ? ' ' : ''}AB`)
}

describe('looking closely at a file', function () {
  this.timeout(60_000)
  let engine: Engine
  let folder: string
  before(async () => {
    engine = await Engine.open()
    folder = await scratchFolder()
    await Promise.all(['out', 'tmp'].map((name) => mkdir(join(folder, name))))
  })

  const look = async (lines: readonly string[]) => {
    const path = join(folder, 'file.csv')
    await writeFile(path, `${lines.join('\n')}\n`)
    const table = { name: 't', path, format: 'csv' as const, csv: { delimiter: ';' }, columns: [] }
    const { tables } = await runProfile(
      engine,
      { kind: 'profile', tables: [table], closely: true },
      jobPlace(folder)
    )
    if (tables[0] === undefined) throw new Error('no table')
    return tables[0]
  }
  const column = async (values: readonly (string | number)[]) => {
    const found = await look(['"c"', ...values.map((value) => `"${value}"`)])
    return { ...found.columns[0], notes: found.notes }
  }

  for (const [shape, values] of Object.entries(SHAPES))
    it(`always finds a column of ${shape}s`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(values, { minLength: 5, maxLength: 40 }), async (all) => {
          expect((await column(all)).shape).to.equal(shape)
        }),
        { numRuns: 12 }
      )
    })

  it('finds mail addresses in some of many remarks', async () => {
    const remarks = Array.from({ length: 40 }, (_, index) => (index % 5 === 0 ? 'a@b.nl' : 'none'))
    expect((await column(remarks)).shape).to.equal('mail address')
  })

  it('finds what is nearly another in every row', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.oneof(word, fc.integer().map(String)), { minLength: 20 }),
        async (all) => {
          expect((await column([...all, ...all.slice(0, 2)])).shape).to.equal('unique')
        }
      ),
      { numRuns: 12 }
    )
  })

  it('suspects no wages, dates or codes', async () => {
    const rows = Array.from(
      { length: 60 },
      (_, i) => `${1000.5 + i};2020-01-${10 + (i % 19)};${i % 3};${20170101 + (i % 4)}`
    )
    const { columns } = await look(['wage;day;code;date', ...rows])
    expect(columns.map(({ shape }) => shape)).to.deep.equal([undefined, undefined, undefined, undefined])
  })

  it('gives codes that several rows share, and no others', async () => {
    expect(
      (await column(Array.from({ length: 30 }, (_, i) => ['M', 'V', "it's 💶"][i % 3] ?? ''))).codes
    ).to.deep.equal(['M', 'V', "it's 💶"])
    expect((await column(Array.from({ length: 30 }, (_, i) => i % 2))).codes).to.deep.equal(['0', '1'])
    // four rows of 30 could be recognised
    expect((await column(Array.from({ length: 30 }, (_, i) => (i < 4 ? 'rare' : 'common')))).codes).to.equal(
      undefined
    )
    expect((await column(Array.from({ length: 300 }, (_, i) => `k${i % 25}`))).codes).to.equal(undefined)
  })

  it('asks all rows whether the codes of the first are all', async () => {
    const rows = Array.from(
      { length: 130_000 },
      (_, i) => `${i % 2};${i < 120_000 ? i % 2 : i % 3};${i < 129_999 ? i % 2 : 9}`
    )
    const { columns } = await look(['a;b;c', ...rows])
    expect(columns.map(({ codes }) => codes)).to.deep.equal([['0', '1'], ['0', '1', '2'], undefined])
  })

  it('takes a column with a text among its numbers for text, and says in which row', async () => {
    const { type, notes } = await column(
      Array.from({ length: 500 }, (_, i) => (i === 250 ? 'secret' : i / 4))
    )
    expect(type).to.equal('VARCHAR')
    expect(notes).to.deep.equal([
      'column "c" is text since 1 of its 500 values is no number; the first is in row 251 of 500'
    ])
    expect((await column(['0012', '0013', 'x'])).notes).to.deep.equal([])
  })

  it('reads 2000 columns', async () => {
    const names = Array.from({ length: 2000 }, (_, i) => `c${i}`)
    const rows = Array.from({ length: 10 }, (_, row) =>
      names.map((_name, i) => (i % 2 === 0 ? row % 2 : `x${row}`)).join(';')
    )
    const { columns } = await look([names.join(';'), ...rows])
    expect(columns.slice(0, 2)).to.deep.equal([
      { name: 'c0', type: 'BIGINT', nulls: 0, codes: ['0', '1'] },
      { name: 'c1', type: 'VARCHAR', nulls: 0 }
    ])
    expect(columns).to.have.length(2000)
  })

  for (const [what, lines, hint] of [
    ['no column name at all', [''], /is empty: expected a header line/],
    [
      'more columns than a description holds',
      [Array.from({ length: 2001 }, (_, i) => `c${i}`).join(';')],
      /expected at most 2000 columns, found 2001/
    ],
    ['a name that is too long', ['x'.repeat(129)], /column 1: expected a name of 1 to 128 characters/]
  ] as const)
    it(`refuses a file with ${what}`, async () => {
      const failure = await look(lines).catch((error: unknown) => error)
      expect(failure).to.be.instanceOf(Failure)
      expect(failure instanceof Failure ? failure.hint : '').to.match(hint)
    })

  it('looks at a file without rows, and at names of every kind', async () => {
    expect((await look(['a;b'])).columns.map(({ type }) => type)).to.deep.equal(['VARCHAR', 'VARCHAR'])
    const { columns } = await look(['a;a;A;;"q""x";"é 💶";null', '1;2;3;4;5;6;7'])
    expect(columns.map(({ name }) => name)).to.deep.equal([
      'a',
      'a_1',
      'A_2',
      'column3',
      'q"x',
      'é 💶',
      'null'
    ])
  })
})
