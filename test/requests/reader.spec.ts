import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { ResultBody } from '../../agent/api/index.ts'
import type { StoredResult } from '../../agent/exchange/index.ts'
import { JobFailed, type Launcher } from '../../agent/jobs/index.ts'
import { Exports, ResultFiles, ResultReader } from '../../agent/requests/index.ts'
import type { Assignment } from '../../services/index.ts'
import { LIMITS } from '../jobs/launchers.ts'
import { rejectionOf } from '../store/folder.ts'

const never = new AbortController().signal

async function textOf(body: ResultBody | undefined): Promise<string> {
  const { before = '', path, after = '' } = body ?? {}
  return `${before}${path === undefined ? '' : await readFile(path, 'utf8')}${after}`
}

describe('a result, read', () => {
  let folder: string
  let orders: Assignment[]
  /** What a job does before it has its file. */
  let work: (signal: AbortSignal | undefined) => Promise<void>
  let exports: Exports
  let reader: ResultReader
  let files: ResultFiles
  const jobs = async () => await readdir(join(folder, 'jobs'))

  const launcher: Pick<Launcher, 'folder' | 'run'> = {
    folder: async () => {
      const path = join(folder, 'jobs', `${orders.length}-${Math.random()}`)
      for (const name of ['in', 'out']) await mkdir(join(path, name), { recursive: true })
      return {
        path,
        wipe: async () => {
          await rm(path, { recursive: true, force: true })
          return 0
        }
      }
    },
    run: async (assignment, { path }, _limits, options) => {
      const order: Assignment = assignment
      if (order.kind !== 'export') throw new Error('expected an export')
      orders.push(order)
      await work(options?.signal)
      const file = `out/result.${order.format}`
      const text = order.format === 'json' ? `[[${order.offset}]]` : order.format
      await writeFile(join(path, file), text)
      const part = { path: file, bytes: text.length, rows: 1, digest: '0'.repeat(64) }
      const report = { kind: 'export' as const, rows: order.limit ?? 2500, file: part }
      return JSON.parse(JSON.stringify({ report, usage: { cpuSeconds: 0, milliseconds: 0, maxRss: 0 } }))
    }
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reader-'))
    await mkdir(join(folder, 'jobs'))
    orders = []
    work = async () => undefined
    files = new ResultFiles(join(folder, 'results'), () => {})
    exports = new Exports({ launcher, limits: LIMITS })
    reader = new ResultReader(files, exports)
    const parquet = join(folder, 'result.parquet')
    await writeFile(parquet, 'PAR1')
    const small: StoredResult = {
      from: ['VU'],
      columns: ['sex', 'a,b'],
      types: ['VARCHAR', 'DOUBLE'],
      rows: [
        ['M', 9.5],
        [null, '12345678901234567890'],
        ['', 1]
      ],
      rowCount: 3,
      truncated: false,
      parquet,
      csv: null
    }
    const rows = Array.from({ length: 1000 }, (_, index) => [index])
    const large = {
      ...small,
      from: ['RUG'],
      columns: ['n'],
      types: ['BIGINT'],
      rows,
      rowCount: 2500,
      truncated: true
    }
    await files.store('r1', [small, large])
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  it('needs no job when the agent has all its rows', async () => {
    const csv = await reader.read('r1', { format: 'csv' }, never)
    expect(csv?.mediaType).to.equal('text/csv')
    expect(await textOf(csv)).to.equal('sex,"a,b"\nM,9.5\n,12345678901234567890\n"",1\n')
    const json = JSON.parse(await textOf(await reader.read('r1', { from: 'VU', format: 'json' }, never)))
    expect(json).to.deep.include({ from: ['VU'], rowCount: 3, truncated: false, suppressed: [] })
    expect(json.rows).to.have.length(3)
    expect((await reader.read('r1', { format: 'parquet' }, never))?.path).to.equal(
      join(folder, 'result.parquet')
    )
    expect(orders).to.deep.equal([])
    expect(JSON.stringify(json)).not.to.include(folder)
  })

  it('is written whole by a job when it is larger, and the job’s folder goes with the answer', async () => {
    const body = await reader.read('r1', { from: 'RUG', format: 'json' }, never)
    expect(JSON.parse(await textOf(body))).to.deep.include({ rowCount: 2500, truncated: false, rows: [[0]] })
    expect(await jobs()).to.have.length(1)
    await body?.release?.()
    expect(await jobs()).to.deep.equal([])
    const csv = await reader.read('r1', { from: 'RUG', format: 'csv' }, never)
    expect(await textOf(csv)).to.equal('csv')
    expect(
      orders.map((order) => order.kind === 'export' && [order.format, order.offset, order.limit])
    ).to.deep.equal([
      ['json', 0, undefined],
      ['csv', 0, undefined]
    ])
  })

  it('comes in pages that name the next one', async () => {
    const page = async (offset: number, limit: number) => {
      const body = await reader.read('r1', { from: 'RUG', format: 'json', page: { offset, limit } }, never)
      return [JSON.parse(await textOf(body)), body?.next] as const
    }
    const [first, second] = await page(0, 600)
    expect(first).to.deep.include({ offset: 0, limit: 600, next: 600, truncated: true, rowCount: 2500 })
    expect(first.rows).to.have.length(600)
    expect(second).to.equal(600)
    expect(orders).to.deep.equal([])
    const [beyond] = await page(600, 600)
    expect(beyond).to.deep.include({ next: 1200, rows: [[600]] })
    const [last, none] = await page(2000, 1000)
    expect(last.next).to.equal(null)
    expect(none).to.equal(undefined)
    const [after] = await page(9999, 10)
    expect(after).to.deep.include({ rows: [], next: null })
    expect(orders).to.have.length(2)
  })

  it('is none of a provider that has none', async () => {
    expect(await reader.read('r1', { from: 'TUD', format: 'json' }, never)).to.equal(undefined)
    expect(await reader.read('r2', { format: 'json' }, never)).to.equal(undefined)
  })

  it('keeps nothing of a job that failed, and says what it lacked', async () => {
    work = () =>
      Promise.reject(new JobFailed('disk-limit', 'x', { hint: 'the job needed more than 8 MiB of disk' }))
    const error = await rejectionOf(reader.read('r1', { from: 'RUG', format: 'csv' }, never))
    expect(error).to.have.property('code', 'disk-limit')
    expect(error.message).to.match(/8 MiB of disk; raise hosting/)
    work = () => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }))
    expect(await rejectionOf(reader.read('r1', { from: 'RUG', format: 'csv' }, never))).to.have.property(
      'code',
      'storage-full'
    )
    expect(await jobs()).to.deep.equal([])
  })

  it('runs two such jobs at once, lets a few wait, and turns others away', async () => {
    const go = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    let running = 0
    work = async () => {
      if (++running === 2) begun.resolve()
      await go.promise
      running--
    }
    const ask = () => reader.read('r1', { from: 'RUG', format: 'csv' }, never)
    const first = Array.from({ length: 2 }, ask)
    await begun.promise
    const order = { parquet: join(folder, 'result.parquet'), format: 'csv' as const, offset: 0 }
    const leaving = new AbortController()
    const waiting = Array.from({ length: 7 }, () => exports.write(order, never))
    const gone = rejectionOf(exports.write(order, leaving.signal))
    expect(await rejectionOf(exports.write(order, never))).to.have.property('code', 'busy')
    leaving.abort(new Error('hung up'))
    expect((await gone).message).to.equal('hung up')
    expect(orders).to.have.length(2)
    go.resolve()
    await Promise.all([...first, ...waiting])
    expect(orders).to.have.length(9)
  })

  it('is given up when whoever asked has gone', async () => {
    const begun = Promise.withResolvers<void>()
    work = async (signal) => {
      begun.resolve()
      await new Promise((_, reject) =>
        signal?.addEventListener('abort', () => reject(new JobFailed('job-cancelled', 'x')))
      )
    }
    const leaving = new AbortController()
    const asked = rejectionOf(reader.read('r1', { from: 'RUG', format: 'csv' }, leaving.signal))
    await begun.promise
    leaving.abort()
    expect(await asked).to.have.property('code', 'job-cancelled')
    expect(await jobs()).to.deep.equal([])
  })
})
