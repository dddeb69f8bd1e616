import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { StoredResult } from '../../agent/exchange/index.ts'
import { ResultFiles } from '../../agent/requests/index.ts'
import { rejectionOf } from '../store/folder.ts'

describe('results on disk', () => {
  let folder: string
  let arrived: string[]
  let files: ResultFiles
  /** A result whose files are there. */
  async function aResult(from: string, overrides: Partial<StoredResult> = {}): Promise<StoredResult> {
    const [parquet, csv] = [join(folder, `${from}.parquet`), join(folder, `${from}.csv`)]
    for (const path of [parquet, csv]) await writeFile(path, from)
    const rows = [
      ['M', 9.5],
      [null, '12345678901234567890']
    ]
    const types = ['VARCHAR', 'DOUBLE']
    const columns = ['sex', 'average']
    return { from: [from], columns, types, rows, rowCount: 2, truncated: false, parquet, csv, ...overrides }
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'results-'))
    arrived = []
    files = new ResultFiles(folder, (request, results) => arrived.push(`${request}: ${results.length}`))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  it('are read as they were stored, also by the next run of the agent', async () => {
    const results = [await aResult('VU'), await aResult('RUG', { csv: null, truncated: true })]
    await files.store('r1', results)
    expect(arrived).to.deep.equal(['r1: 2'])
    expect(await new ResultFiles(folder, () => {}).read('r1')).to.deep.equal(results)
  })

  it('are for the eyes of the agent alone', async () => {
    await files.store('r1', [await aResult('VU')])
    expect((await stat(join(folder, 'r1'))).mode & 0o777).to.equal(0o700)
    expect((await stat(join(folder, 'r1', 'results.json'))).mode & 0o777).to.equal(0o600)
  })

  it('are none before they came', async () => {
    expect(await files.read('r1')).to.equal(undefined)
    expect(await files.find('r1')).to.equal(undefined)
    await files.folder('r1')
    expect(await files.read('r1')).to.equal(undefined)
  })

  it('are found by organisation; without one the first', async () => {
    await files.store('r1', [await aResult('VU'), await aResult('RUG', { csv: null })])
    expect((await files.find('r1'))?.result.from).to.deep.equal(['VU'])
    expect(await files.find('r1', 'RUG')).to.deep.include({ index: 1 })
    expect(await files.find('r1', 'TUD')).to.equal(undefined)
  })

  it('are gone when their share failed, and when it never ended', async () => {
    await writeFile(join(await files.folder('r1'), 'result-0.parquet'), 'half')
    await files.discard('r1')
    await writeFile(join(await files.folder('r2'), 'result-0.parquet'), 'half')
    await files.store('r3', [await aResult('VU')])
    await files.store('r4', [await aResult('VU')])
    await files.sweep(async (request) => request === 'r4')
    expect((await readdir(folder)).filter((name) => /^r\d$/.test(name))).to.deep.equal(['r3'])
    await new ResultFiles(join(folder, 'nowhere'), () => {}).sweep(async () => true)
  })

  it('are not believed when the index was damaged', async () => {
    await files.store('r1', [await aResult('VU')])
    await writeFile(join(folder, 'r1', 'results.json'), '[{"from": 1}]')
    await rejectionOf(files.read('r1'))
  })
})
