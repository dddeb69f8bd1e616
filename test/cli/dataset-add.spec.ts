import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { withTables } from '../../agent/cli/commands/dataset/add-tables.ts'
import { describeDataset } from '../../agent/cli/commands/dataset/description.ts'
import { personalSign, proposedSubject } from '../../agent/cli/commands/dataset/personal.ts'
import type { Doors } from '../../agent/cli/index.ts'
import { loadDatasetFile, parseDataset, readSource } from '../../agent/config/index.ts'
import { aRequest } from '../api/fake-operations.ts'
import { fakeAgents } from './fake-agent.ts'
import { runs } from './fake-terminal.ts'

const COLUMNS = [
  { name: 'Unieknr', type: 'BIGINT', nulls: 0 },
  { name: 'contact', type: 'VARCHAR', nulls: 2, shape: 'mail address' as const },
  { name: 'Geslacht', type: 'VARCHAR', nulls: 0, codes: ['1', '2: "x"'] },
  { name: 'wage', type: 'DECIMAL(18,3)', nulls: 0 },
  { name: 'seen', type: 'TIMESTAMP WITH TIME ZONE', nulls: 0 },
  { name: 'tags', type: 'STRUCT(a VARCHAR[])', nulls: 0 }
]
const profileDataset: Doors['profileDataset'] = async (_config, tables) =>
  tables.map(({ name }) => ({ name, rows: 180, columns: COLUMNS, notes: ['a note'] }))

describe('dataset add', () => {
  let cwd = ''
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'dynamos-add-'))
    await runs(['init', '--organisation', 'VU', '--role', 'dataProvider'], { cwd })
  })
  afterEach(() => rm(cwd, { recursive: true }))

  const add = async (words: string, terminal: Parameters<typeof runs>[1] = {}) =>
    await runs(
      ['dataset', 'add', ...words.split(' '), '--id', 'wages'],
      { cwd, ...terminal },
      { profileDataset }
    )
  const written = async () => await readFile(join(cwd, 'wages.dataset.yaml'), 'utf8')

  it('marks every column that looks like a person’s where nobody can be asked, or nobody shall be', async () => {
    for (const terminal of [{}, { interactive: true }]) {
      const { code, err } = await add('p.csv --yes --force', terminal)
      expect(code).to.equal(0)
      expect(err).to.include('p.Unieknr looks like a number of a person; it is marked sensitive')
      expect(err).to.include('p.contact looks like a mail address; it is marked sensitive')
      expect(err).to.include('p: each row is taken to be about one Unieknr')
      const [table] = (await loadDatasetFile(join(cwd, 'wages.dataset.yaml'))).tables
      expect(table?.subject).to.equal('Unieknr')
      expect(table?.columns.map(({ name, type, sensitive }) => [name, type, sensitive])).to.deep.equal([
        ['Unieknr', 'BIGINT', true],
        ['contact', 'VARCHAR', true],
        ['Geslacht', 'VARCHAR', true],
        ['wage', 'DECIMAL(18,3)', undefined],
        ['seen', 'TIMESTAMPTZ', undefined],
        ['tags', undefined, undefined]
      ])
    }
  })

  it('asks about each at a terminal; no answer is yes', async () => {
    const answers = ['n', 'what?', '', 'a']
    const questions: string[] = []
    const ask = async (question: string) => {
      questions.push(question)
      return answers.shift() ?? 'n'
    }
    expect((await add('p.csv', { interactive: true, ask })).code).to.equal(0)
    expect(questions[0]).to.include('p.Unieknr looks like a number of a person. Is it sensitive?')
    const [table] = (await loadDatasetFile(join(cwd, 'wages.dataset.yaml'))).tables
    expect(table?.columns.map(({ sensitive }) => sensitive).slice(0, 3)).to.deep.equal([
      undefined,
      true,
      true
    ])
    expect(await written()).to.include('Unieknr: {type: BIGINT}  # looks like a number of a person')
  })

  it('writes codes into a comment of the steward’s file and nowhere else', async () => {
    const { out, err } = await add('p.csv --json')
    expect(out + err).not.to.include('2: ')
    expect(JSON.parse(out).tables[0].columns[2]).to.deep.equal({
      name: 'Geslacht',
      type: 'VARCHAR',
      nulls: 0
    })
    const text = await written()
    const codes = 'values: {"1": "1", "2: \\"x\\"": "2: \\"x\\""}'
    const proposed = `{type: VARCHAR, sensitive: true, ${codes}}`
    expect(text).to.include(`#   it holds codes; to say what they mean: ${proposed}`)
    expect((await loadDatasetFile(join(cwd, 'wages.dataset.yaml'))).tables[0]?.columns[2]?.values).to.equal(
      undefined
    )
    // what is in the comment works where a steward moves it
    const moved = text.replace('Geslacht: {type: VARCHAR, sensitive: true}', `Geslacht: ${proposed}`)
    expect(parseDataset(readSource(moved, 'moved.yaml')).tables[0]?.columns[2]?.values).to.deep.equal({
      '1': '1',
      '2: "x"': '2: "x"'
    })
  })

  it('adds another table to what a steward wrote, and changes nothing of it', async () => {
    await add('p.csv')
    const edited = `${(await written()).replace('Geslacht: {', 'Geslacht: {description: "so: # 1", ')}# the end\n`
    await writeFile(join(cwd, 'wages.dataset.yaml'), edited)
    expect((await add('other.csv --table jobs')).code).to.equal(0)
    const text = await written()
    expect(
      (await loadDatasetFile(join(cwd, 'wages.dataset.yaml'))).tables.map(({ name }) => name)
    ).to.deep.equal(['p', 'jobs'])
    const kept = edited.split('\n').filter((line) => line !== '')
    expect(text.split('\n').filter((line) => kept.includes(line))).to.include.members(kept)
    const { code, err } = await add('other.csv --table JOBS')
    expect(code).to.equal(2)
    expect(err).to.include('has a table JOBS already')
    expect(await written()).to.equal(text)
  })

  it('writes the same bytes for the same data', async () => {
    await add('p.csv q.csv')
    const before = await written()
    await add('p.csv q.csv --force')
    expect(await written()).to.equal(before)
  })

  it('puts no table into a file where there is no place for it', async () => {
    const text = 'id: wages\ntables: {p: {path: p.csv}}\n'
    await writeFile(join(cwd, 'wages.dataset.yaml'), text)
    const { code, err } = await add('q.csv')
    expect(code).to.equal(2)
    expect(err).to.include('write the table into it yourself')
    expect(await written()).to.equal(text)
  })
})

describe('the description of a dataset', () => {
  const odd = fc.constantFrom(
    'null',
    'true',
    'No',
    'y',
    '1',
    '~',
    ' ',
    'a: b',
    '# x',
    '"',
    "'",
    '- a',
    '{a}',
    'é 💶',
    '<b>',
    '\u2028',
    '\u0085x',
    '\ufeff',
    '__proto__',
    '=',
    '<<',
    '*a',
    '&a',
    '!x',
    '%',
    '@',
    '`'
  )
  const name = fc
    .oneof(
      odd,
      fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
      fc.string({ minLength: 1, maxLength: 40, unit: 'binary' })
    )
    .filter((text) => text !== '__proto__' && text.isWellFormed())
  const names = fc.uniqueArray(name, { minLength: 1, maxLength: 6, selector: (text) => text.toLowerCase() })

  const tableOf = (table: string, columns: readonly string[]) => {
    const found = {
      name: table,
      rows: 3,
      columns: columns.map((column, index) => ({
        name: column,
        type: ['VARCHAR', 'DECIMAL(3,1)', "ENUM('a\n')"][index % 3] ?? '',
        nulls: index,
        ...(index % 2 === 0 ? { codes: [column, 'x'] } : { shape: 'unique' as const })
      })),
      notes: [`of "${table}"`]
    }
    const flagged = columns.map((column) => ({ table, column, looksLike: 'a name', sensitive: true }))
    const source = { name: table, path: `/${table}.csv`, format: 'csv' as const, columns: [] }
    return { source, path: `${table.replaceAll('\0', '')}.csv`, found, flagged }
  }

  it('loads whatever the names are, also when a table was added', () => {
    fc.assert(
      fc.property(names, names, names, (tables, columns, others) => {
        const [first = 't', ...more] = tables
        const text = describeDataset({
          id: 'd',
          title: first,
          contact: first,
          visibility: 'members',
          tables: [tableOf(first, columns)]
        })
        const all = withTables(
          text,
          more.map((table) => tableOf(table, others)),
          'd.yaml'
        )
        const read = parseDataset(readSource(all, '/d.yaml'))
        expect(read.title).to.equal(first)
        const found = new Map(
          read.tables.map((table) => [table.name, table.columns.map((column) => column.name)])
        )
        expect(found.size).to.equal(tables.length)
        // names that are numbers come first in an object
        expect(found.get(first)).to.have.members(columns)
        for (const table of more) expect(found.get(table)).to.have.members(others)
        expect(read.tables.every((table) => table.columns.every(({ sensitive }) => sensitive))).to.equal(true)
      }),
      { numRuns: 300 }
    )
  })
})

describe('columns that look like a person’s', () => {
  const signs: [string, string | undefined][] = [
    ['name', 'a name'],
    ['achternaam', 'a name'],
    ['E-mail', 'a mail address'],
    ['bsn', 'an official number'],
    ['patient_id', 'a number of a person'],
    ['Geboortedatum', 'a date of birth'],
    ['postcode', 'an address'],
    ['wage', undefined],
    ['filename', undefined],
    ['Functcat', undefined]
  ]
  for (const [name, sign] of signs)
    it(`${sign === undefined ? 'do not include' : 'include'} ${name}`, () => {
      expect(personalSign({ name })).to.equal(sign)
    })

  it('say by their values what they are, whatever their name', () => {
    expect(personalSign({ name: 'name', shape: 'mail address' })).to.equal('a mail address')
    expect(personalSign({ name: 'x', shape: 'unique' })).to.include('nearly every row has another value')
    expect(personalSign({ name: 'bsn', shape: 'unique' })).to.equal('an official number')
  })

  it('give the subject of a table, surely only a person’s number', () => {
    const column = (name: string, shape?: 'unique' | 'citizen service number') => ({
      name,
      type: 'BIGINT',
      nulls: 0,
      ...(shape === undefined ? {} : { shape })
    })
    expect(proposedSubject([column('wage'), column('nr', 'citizen service number')])).to.deep.equal({
      column: 'nr',
      sure: true
    })
    expect(proposedSubject([column('orderId', 'unique'), column('x', 'unique')])).to.deep.equal({
      column: 'orderId',
      sure: false
    })
    expect(proposedSubject([column('wage', 'unique')])).to.equal(undefined)
  })
})

describe('dataset add --from-request', () => {
  const agents = fakeAgents()
  const TERMS = {
    recipients: ['VU'],
    purposes: ['research'],
    until: '2027-01-01T00:00:00.000Z',
    services: [],
    forbid: [],
    maxRows: null,
    onward: 'none'
  }
  const add = async (changes: Parameters<typeof agents.listen>[0], ...words: string[]) => {
    const cwd = agents.folder
    const connection = await agents.listen(changes)
    await runs(['init', '--organisation', 'VU', '--role', 'dataProvider'], { cwd })
    const told = await runs(
      [...connection, '--config', join(cwd, 'agent.yaml'), 'dataset', 'add', '--id', 'averages', ...words],
      { cwd },
      { profileDataset }
    )
    return { ...told, cwd }
  }

  it('keeps the result beside the configuration, described under the terms that came with it', async () => {
    const result = async () => ({ mediaType: 'application/vnd.apache.parquet', before: 'PAR1' })
    const view = aRequest({ status: 'completed', contract: 'bafycontract', terms: TERMS })
    const { code, err, cwd } = await add(
      { request: async () => view, result },
      '--from-request',
      view.request
    )
    expect(code, err).to.equal(0)
    const dataset = await loadDatasetFile(join(cwd, 'averages.dataset.yaml'))
    expect(dataset.madeFrom).to.deep.equal({
      request: view.request,
      contract: 'bafycontract',
      terms: { ...TERMS, until: Date.UTC(2027, 0, 1) }
    })
    expect(dataset.tables.map(({ name, path }) => [name, path])).to.deep.equal([
      ['result', join(cwd, 'averages.parquet')]
    ])
  })

  it('says what is missing: a result, or one of the two', async () => {
    const running = aRequest({ status: 'running' })
    expect((await add({ request: async () => running }, '--from-request', running.request)).code).to.equal(2)
    expect((await add({})).err).to.include('--from-request')
    expect((await add({}, 'p.csv', '--from-request', 'bafyrequest')).err).to.include('both')
  })
})
