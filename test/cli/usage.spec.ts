import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { runs } from './fake-terminal.ts'

const MAIN = fileURLToPath(new URL('../../agent/cli/main.ts', import.meta.url))
const execute = promisify(execFile)

describe('wrong usage', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dynamos-usage-'))
  })
  after(() => rm(folder, { recursive: true }))

  for (const words of [
    [],
    ['nonsense'],
    ['peers', '--nonsense'],
    ['request'],
    ['request', 'submit'],
    ['request', 'nonsense'],
    ['ask', 'SELECT 1', '--dataset', 'd'],
    ['init'],
    ['dataset', 'add', 'x.csv'],
    ['lab', 'up'],
    ['request', 'submit', '/does/not/exist.yaml'],
    ['request', 'watch', 'x', '--timeout', 'soon'],
    ['ask', 'SELECT 1', '--dataset', 'd', '--purpose', 'p', '--value', 'x'],
    ['peers'],
    ['agent', 'run', '--config', '/does/not/exist.yaml']
  ])
    it(`exits 2, without a stack trace: dynamos ${words.join(' ')}`, async () => {
      const { code, out, err } = await runs(words)
      expect(code).to.equal(2)
      expect(out).to.equal('')
      expect(err).to.match(/\S/)
      expect(err).not.to.match(/^\s+at /m)
    })

  it('suggests what may have been meant', async () => {
    expect((await runs(['per'])).err).to.include('Did you mean peers?')
  })

  it('exits 2 for a request that breaks its schema, naming file, line and key', async () => {
    const file = join(folder, 'r.yaml')
    await writeFile(file, 'purpose: research\ndataset: [a]\nquery: SELECT 1\n')
    const { code, err } = await runs(['request', 'submit', file])
    expect(code).to.equal(2)
    expect(err).to.include(`${file}:2:1: dataset: unknown key; did you mean "datasets"?`)
  })

  it('exits 3 for a type of request that is reserved', async () => {
    const file = join(folder, 'train.yaml')
    await writeFile(file, 'type: trainRequest\npurpose: research\ndatasets: [a]\n')
    expect((await runs(['request', 'submit', file])).code).to.equal(3)
  })

  it('shows a stack trace to those who ask for one', async () => {
    const { err } = await runs(['request', 'submit', '/does/not/exist.yaml'], { env: { DEBUG: '1' } })
    expect(err).to.match(/^\s+at /m)
  })

  it('exits 0 for --help and --version', async () => {
    for (const words of [['--help'], ['--version'], ['request', 'submit', '--help'], ['help', 'lab']]) {
      const { code, out } = await runs(words)
      expect(code).to.equal(0)
      expect(out).not.to.equal('')
    }
  })

  it('is a program that exits so', async () => {
    const tsx = ['--import', 'tsx', MAIN]
    const { stdout } = await execute(process.execPath, [...tsx, '--help'])
    expect(stdout).to.include('Exit codes: 0 done')
    const failed = await execute(process.execPath, [...tsx, 'peers', '--json']).then(
      () => expect.fail('it succeeded'),
      (error: { code: number; stdout: string; stderr: string }) => error
    )
    expect(failed.code).to.equal(2)
    expect(JSON.parse(failed.stdout).error.code).to.equal('usage')
    expect(failed.stderr).to.include('expected a token')
  })
})
