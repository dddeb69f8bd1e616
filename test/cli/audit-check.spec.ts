import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { runs } from './fake-terminal.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/audit/${name}.audit`, import.meta.url))

describe('dynamos audit check', () => {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dynamos-check-'))
  })
  afterEach(async () => await rm(dir, { recursive: true }))

  it('confirms the exports of all parties, without an agent', async () => {
    const { code, out } = await runs(['audit', 'check', fixture('joined')])
    expect(code).to.equal(0)
    expect(out).to.match(/^confirmed/)
    expect(out).to.include('UVA signed: completed')
    expect(out).to.match(/VU\s+\d+\s+accept\s+permit\s+attested\s+what it rested on is not in the file/)
  })

  it('says whose export is not there', async () => {
    const { code, out } = await runs(['audit', 'check', fixture('vu')])
    expect(code).to.equal(0)
    expect(out).to.include('- the export of SURF')
  })

  it('names what is broken, and who has signed for it', async () => {
    const altered = await readFile(fixture('vu'))
    const at = altered.byteLength - 100
    altered[at] = (altered[at] ?? 0) ^ 1
    const file = join(dir, 'altered.audit')
    await writeFile(file, altered)
    const { code, out } = await runs(['audit', 'check', file, '--json'])
    expect(code).to.equal(4)
    const { verdict, finding } = JSON.parse(out)
    expect(verdict).to.equal('broken')
    expect(finding.code).to.equal('export-altered')
    expect((await runs(['audit', 'check', file])).out).to.include('under the signature of')
  })

  it('writes the answer as a page, over no file', async () => {
    const page = join(dir, 'audit.html')
    const draw = async () => await runs(['audit', 'check', fixture('joined'), '--html', page])
    expect((await draw()).code).to.equal(0)
    expect(await readFile(page, 'utf8')).to.include('UVA')
    expect((await draw()).code).to.equal(2)
  })

  it('cannot read what is no export', async () => {
    const file = join(dir, 'none.audit')
    await writeFile(file, 'no export')
    expect((await runs(['audit', 'check', file])).code).to.equal(2)
    expect((await runs(['audit', 'check', join(dir, 'nothing')])).code).to.equal(2)
  })
})
