import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { z } from 'zod'
import { FAILURE_CODES, REFUSAL_CODES } from '../../protocol/documents/index.ts'
import { ROOT } from '../architecture/sources.ts'
import { needsPython, saidByPython } from './python-checker.ts'

const FIXTURES = join(ROOT, 'test/fixtures/audit')

const answer = z.strictObject({
  verdict: z.enum(['confirmed', 'broken', 'unreadable']),
  finding: z.object({ code: z.string(), record: z.int(), signer: z.string().nullable() }).nullable(),
  decisions: z.array(z.object({ question: z.string(), verdict: z.string(), standing: z.string() })),
  missing: z.array(z.string())
})
const second = (files: readonly string[]) => saidByPython(answer, files)

describe('The second checker of audit exports', () => {
  let folder: string

  before(function () {
    needsPython(this)
    folder = mkdtempSync(join(tmpdir(), 'dynamos-second-'))
  })

  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  const exported = readdirSync(FIXTURES)
    .filter((file) => file.endsWith('.audit'))
    .map((file) => join(FIXTURES, file))

  it('confirms what agents exported, and says what is not in the file', () => {
    const answers = second(exported)
    expect(answers.map(({ verdict }) => verdict)).to.deep.equal(exported.map(() => 'confirmed'))
    for (const { decisions } of answers) expect(decisions).to.not.deep.equal([])
    const alone = answers[exported.findIndex((file) => file.endsWith('/vu.audit'))]
    expect(alone?.missing).to.include('the export of SURF')
    const joined = answers[exported.findIndex((file) => file.endsWith('/joined.audit'))]
    expect(joined?.missing).to.deep.equal([])
  })

  it('knows every code that agents know', () => {
    const codes = readFileSync(join(ROOT, 'scripts/audit-check/audit_check/codes.py'), 'utf8')
    const [, refusals = '', failures = ''] = codes.split('frozenset(')
    const listed = (part: string) => part.match(/^ {4}[a-z-]+$/gm)?.map((code) => code.trim())
    expect(listed(refusals)).to.deep.equal([...REFUSAL_CODES])
    expect(listed(failures)).to.deep.equal([...FAILURE_CODES])
  })

  it('tells an opened decision from one that is attested alone', () => {
    const [opened] = second([join(FIXTURES, 'vu-open.audit')])
    expect(opened?.decisions.map(({ standing }) => standing)).to.include('attested (opened)')
  })

  it('finds any byte that was changed', () => {
    const bytes = readFileSync(join(FIXTURES, 'vu-open.audit'))
    const files: string[] = []
    for (let at = 0; at < bytes.byteLength; at += 241) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      const file = join(folder, `${at}.audit`)
      writeFileSync(file, changed)
      files.push(file)
    }
    const confirmed = second(files).flatMap(({ verdict }, index) =>
      verdict === 'confirmed' ? [files[index]] : []
    )
    expect(confirmed).to.deep.equal([])
  })

  it('says of a file that was cut that it was', () => {
    const bytes = readFileSync(join(FIXTURES, 'vu.audit'))
    const file = join(folder, 'cut.audit')
    writeFileSync(file, bytes.subarray(0, bytes.byteLength - 7))
    const [cut] = second([file])
    expect(cut?.finding).to.deep.include({ code: 'export-truncated', signer: null })
  })

  it('cannot read what is no export', () => {
    const file = join(folder, 'none.audit')
    writeFileSync(file, 'no export')
    const [none] = second([file])
    expect(none).to.deep.include({ verdict: 'unreadable' })
  })
})
