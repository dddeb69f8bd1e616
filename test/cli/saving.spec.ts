import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import * as fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { parse } from 'yaml'
import { ApiProblem, type Operations, type RequestView } from '../../agent/api/index.ts'
import { fileNames } from '../../agent/cli/commands/request/names.ts'
import { placeFiles } from '../../agent/cli/commands/request/place.ts'
import { parseSubmission } from '../../agent/config/index.ts'
import { aRequest, fakeApi, TOKEN } from '../api/fake-operations.ts'
import { rejectionOf } from '../store/folder.ts'
import { type Ran, runs } from './fake-terminal.ts'

const REQUEST = 'purpose: research\ndatasets: [wageGap]\nquery: SELECT a FROM b\n'
const ALL = ['README.md', 'contract.json', 'request.json', 'request.yaml', 'result.csv', 'result.parquet']

describe('saving an answer', () => {
  let folder = ''
  const open: FastifyInstance[] = []
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dynamos-save-'))
    await writeFile(join(folder, 'token'), `${TOKEN}\n`)
    await writeFile(join(folder, 'r.yaml'), REQUEST)
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((api) => api.close()))
    await rm(folder, { recursive: true })
  })

  const csv: Operations['result'] = async (_id, { format, from }) => ({
    mediaType: 'text/csv',
    before: `${format} ${from ?? ''}\n`
  })
  async function cli(words: readonly string[], changes: Partial<Operations> = {}): Promise<Ran> {
    const api = fakeApi({ result: csv, ...changes })
    open.push(api)
    const agent = await api.listen({ host: '127.0.0.1', port: 0 })
    return await runs([...words, '--agent', agent, '--token', join(folder, 'token')], { cwd: folder })
  }
  const showing = (view: RequestView): Partial<Operations> => ({ request: async () => view })
  const read = async (name: string) => await readFile(join(folder, name), 'utf8')

  it('writes all of a request: results, contract, the request itself and a page that tells it', async () => {
    const { code, err } = await cli(['request', 'result', 'bafyrequest', '--out', 'all/'])
    expect(code, err).to.equal(0)
    expect(await readdir(join(folder, 'all'))).to.deep.equal(ALL)
    expect(await read('all/result.csv')).to.equal('csv \n')
    expect(JSON.parse(await read('all/contract.json'))).to.have.property('contract', 'bafycontract')
    expect(parseSubmission(parse(await read('all/request.yaml')))).to.deep.equal(parseSubmission(REQUEST))
    const page = await read('all/README.md')
    expect(page).to.match(/```sql\nSELECT a FROM b\n```/)
    expect(page).to.include('- purpose: research')
    expect(page).to.include('1. query at VU')
    expect(page).to.include('| result.csv | 1 row from VU: Geslacht VARCHAR, average DOUBLE |')
    expect(page).to.include('dynamos request rerun bafyrequest --out again')
  })

  it('writes a result of each provider, whatever the providers are called', async () => {
    const names = ['../../etc', 'A/B', 'A_B', 'a_b', 'CON.', '\u{1f642}']
    const [one] = aRequest().results ?? []
    const results = names.flatMap((name) => (one === undefined ? [] : [{ ...one, from: [name] }]))
    const { code, err } = await cli(
      ['request', 'submit', 'r.yaml', '--out', 'all'],
      showing(aRequest({ results }))
    )
    expect(code, err).to.equal(0)
    const found = (await readdir(join(folder, 'all'))).filter((name) => name.endsWith('.csv'))
    expect(found).to.have.length(6)
    expect(await read('all/result-A_B.csv')).to.equal('csv A/B\n')
    expect(await read('all/result-A_B-2.csv')).to.equal('csv A_B\n')
    expect(await readdir(folder)).to.have.members(['all', 'r.yaml', 'token'])
  })

  it('tells on its page why there is no result', async () => {
    const refusal = {
      hop: 'VU',
      question: 'offer',
      code: 'no-agreement',
      clause: null,
      reason: 'none <b>\n# x|',
      acceptable: null
    }
    const { results: _, ...refused } = aRequest({ status: 'refused', refusals: [refusal], contract: null })
    const { code } = await cli(['request', 'submit', 'r.yaml', '--out', 'all'], showing(refused))
    expect(code).to.equal(3)
    expect(await readdir(join(folder, 'all'))).to.deep.equal(['README.md', 'request.json', 'request.yaml'])
    expect(await read('all/README.md')).to.include('- VU: no-agreement: none &lt;b\\> \\# x\\|')
  })

  it('refuses to write over an earlier answer, before anything is asked', async () => {
    await mkdir(join(folder, 'all'))
    await writeFile(join(folder, 'all', 'request.json'), 'mine')
    const asked: unknown[] = []
    const submit: Operations['submit'] = async (...args) => {
      asked.push(args)
      return { request: 'bafyrequest', created: true }
    }
    const words = ['request', 'submit', 'r.yaml', '--out', 'all']
    const { code, err } = await cli(words, { submit })
    expect(code).to.equal(2)
    expect(err).to.match(/request\.json is there already/)
    expect(asked).to.deep.equal([])
    expect(await read('all/request.json')).to.equal('mine')
    expect((await cli([...words, '--overwrite'])).code).to.equal(0)
    expect(await readdir(join(folder, 'all'))).to.deep.equal(ALL)
    expect(await read('all/request.json')).not.to.equal('mine')
  })

  it('leaves nothing when a part of it cannot be had, and says where the answer still is', async () => {
    const result: Operations['result'] = async (_id, { format }) => {
      if (format === 'csv') return { mediaType: 'text/csv', before: 'a\n' }
      throw new ApiProblem(507, 'disk-limit', 'the job needed more than 1 MiB of disk')
    }
    const { code, err } = await cli(['request', 'submit', 'r.yaml', '--out', 'all'], { result })
    expect(code).to.equal(4)
    expect(err).to.include('1 MiB of disk').and.to.include('dynamos request result bafyrequest --out DIR')
    expect(await readdir(folder)).to.have.members(['r.yaml', 'token'])
  })

  it('leaves nothing on a disk that is full', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    await mkdir(join(folder, 'there'))
    for (const name of ['there', 'new/deeper']) {
      const error = await rejectionOf(
        placeFiles(join(folder, name), false, async (partial) => {
          await writeFile(join(partial, 'half'), 'half')
          throw full
        })
      )
      expect(error).to.have.property('code', 'storage-full')
    }
    expect(await readdir(join(folder, 'there'))).to.deep.equal([])
  })

  it('gives one result a file, in the format of its name, and writes over none', async () => {
    expect((await cli(['request', 'result', 'bafyrequest', '--out', 'r.csv'])).code).to.equal(0)
    expect(await read('r.csv')).to.equal('csv \n')
    const again = await cli(['request', 'result', 'bafyrequest', '--format', 'parquet', '--out', 'r.csv'])
    expect(again.code).to.equal(2)
    expect(await read('r.csv')).to.equal('csv \n')
    const words = ['request', 'result', 'bafyrequest', '--format', 'parquet', '--overwrite', '--out', 'r.csv']
    expect((await cli(words)).code).to.equal(0)
    expect(await read('r.csv')).to.equal('parquet \n')
    expect(
      (await cli(['request', 'result', 'bafyrequest', '--out', '/dev/null', '--overwrite'])).code
    ).to.equal(2)
  })

  it('prints a page of a result', async () => {
    const pages: unknown[] = []
    const result: Operations['result'] = async (_id, { page }) => {
      pages.push(page)
      return { mediaType: 'text/csv', before: 'x' }
    }
    const page = ['request', 'result', 'bafyrequest', '--offset', '2000', '--limit', '500']
    expect((await cli(page, { result })).out).to.equal('x')
    expect(pages).to.deep.equal([{ offset: 2000, limit: 500 }])
    for (const wrong of ['0', '10001', '1.5', 'x'])
      expect((await cli(['request', 'result', 'bafyrequest', '--limit', wrong])).code, wrong).to.equal(2)
  })

  it('runs a request again, and follows that', async () => {
    const asked: string[] = []
    const { code } = await cli(['request', 'rerun', 'bafyrequest'], {
      request: async (id) => {
        asked.push(id)
        return aRequest({ request: id })
      }
    })
    expect(code).to.equal(0)
    expect(asked).to.include('bafyagain')
    expect((await cli(['request', 'rerun', 'bafyother'])).code).to.equal(4)
  })

  it('has safe names for anything, each its own', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 8 }), (names) => {
        const files = fileNames(names)
        expect(files).to.have.length(names.length)
        expect(new Set(files.map((one) => one.toLowerCase())).size).to.equal(names.length)
        for (const file of files) {
          expect(file).to.match(/^[\p{L}\p{N}_+-][\p{L}\p{N} _+-]*(\.[A-Za-z0-9]{1,10})?$/u)
          expect(Buffer.byteLength(file)).to.be.below(240)
        }
      })
    )
  })
})
