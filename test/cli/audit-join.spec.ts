import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { runs } from './fake-terminal.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/audit/${name}.audit`, import.meta.url))

describe('dynamos audit join', () => {
  let dir = ''
  let out = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dynamos-join-'))
    out = join(dir, 'joined.audit')
  })
  afterEach(async () => await rm(dir, { recursive: true }))

  it('puts exports into one file, unchanged and without an agent', async () => {
    const { code, out: answer } = await runs([
      'audit',
      'join',
      fixture('uva'),
      fixture('vu'),
      '--out',
      out,
      '--json'
    ])
    expect(code).to.equal(0)
    expect(JSON.parse(answer).exports).to.have.length(2)
    const parts = [await readFile(fixture('uva')), await readFile(fixture('vu'))]
    expect(Buffer.compare(await readFile(out), Buffer.concat(parts))).to.equal(0)
  })

  it('takes one export of each party', async () => {
    const { code, err } = await runs(['audit', 'join', fixture('vu'), fixture('vu-open'), '--out', out])
    expect(code).to.equal(2)
    expect(err).to.include('already')
  })

  it('takes nothing that was altered, and says where', async () => {
    const altered = await readFile(fixture('vu'))
    const at = altered.byteLength >> 1
    altered[at] = (altered[at] ?? 0) ^ 1
    const file = join(dir, 'altered.audit')
    await writeFile(file, altered)
    const { code, err } = await runs(['audit', 'join', fixture('uva'), file, '--out', out])
    expect(code).to.equal(2)
    expect(err).to.match(/at record \d+/)
  })

  it('writes over no file', async () => {
    await writeFile(out, 'mine')
    expect((await runs(['audit', 'join', fixture('uva'), fixture('vu'), '--out', out])).code).to.equal(2)
    expect(await readFile(out, 'utf8')).to.equal('mine')
  })
})
