import { readlinkSync } from 'node:fs'
import { type FileHandle, mkdtemp, open, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import sinon from 'sinon'
import type { StoredResult } from '../../agent/exchange/index.ts'
import { ResultFiles } from '../../agent/requests/index.ts'

describe('results on disk', () => {
  let data: string
  beforeEach(async () => {
    data = await realpath(await mkdtemp(join(tmpdir(), 'results-')))
  })
  afterEach(async () => {
    sinon.restore()
    await rm(data, { recursive: true, force: true })
  })

  /** What is synced from now on: the name that a file or folder had then. */
  async function synced(): Promise<string[]> {
    const names: string[] = []
    const handle = await open(data)
    const prototype: FileHandle = Object.getPrototypeOf(handle)
    await handle.close()
    const { sync } = prototype
    sinon.stub(prototype, 'sync').callsFake(async function (this: FileHandle) {
      names.push(readlinkSync(`/proc/self/fd/${this.fd}`))
      await sync.call(this)
    })
    return names
  }

  async function aResult(folder: string): Promise<StoredResult> {
    const parquet = join(folder, 'result-0.parquet')
    const csv = join(folder, 'result-0.csv')
    await writeFile(parquet, 'PAR1')
    await writeFile(csv, 'a\n1\n')
    return {
      from: ['VU'],
      columns: ['a'],
      types: ['INTEGER'],
      rows: [[1]],
      rowCount: 1,
      truncated: false,
      parquet,
      csv
    }
  }

  it('are there whole, with their folders, before anybody is told', async () => {
    const told: string[][] = []
    const names = await synced()
    const files = new ResultFiles(join(data, 'results'), () => told.push([...names]))
    const result = await aResult(await files.folder('r'))
    await files.store('r', [result])
    const folder = join(data, 'results', 'r')
    const before = told[0]?.map((name) => name.replace(/\.[0-9a-f]+\.new$/, ''))
    const held = ['result-0.parquet', 'result-0.csv', 'result-0.json', 'results.json'].map((name) =>
      join(folder, name)
    )
    expect(before).to.include.members([...held, folder, join(data, 'results'), data])
    expect(before?.lastIndexOf(folder)).to.be.greaterThan(before?.indexOf(join(folder, 'results.json')) ?? 0)
  })

  it('replace an index that was cut off', async () => {
    const files = new ResultFiles(join(data, 'results'), () => undefined)
    const folder = await files.folder('r')
    const result = await aResult(folder)
    await writeFile(join(folder, 'results.json'), '[{"from"')
    await files.store('r', [result])
    expect(await files.read('r')).to.deep.equal([result])
    expect((await readdir(folder)).sort()).to.deep.equal([
      'result-0.csv',
      'result-0.json',
      'result-0.parquet',
      'results.json'
    ])
    expect(JSON.parse(await readFile(join(folder, 'result-0.json'), 'utf8'))).to.have.property('rowCount', 1)
  })

  it('are not stored when a file of theirs is gone', async () => {
    const files = new ResultFiles(join(data, 'results'), () => undefined)
    const result = await aResult(await files.folder('r'))
    await rm(result.parquet)
    const stored = await files.store('r', [result]).catch((error: unknown) => error)
    expect(stored).to.have.property('code', 'ENOENT')
    expect(await files.read('r')).to.equal(undefined)
  })
})
