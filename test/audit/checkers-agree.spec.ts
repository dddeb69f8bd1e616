import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { z } from 'zod'
import { checkRecords } from '../../agent/audit/check/index.ts'
import { ROOT } from '../architecture/sources.ts'
import { needsPython, saidByPython } from './python-checker.ts'

const FLIPS = 20

const answer = z.object({
  finding: z.object({ code: z.string(), record: z.int(), signer: z.string().nullable() }).nullable()
})

async function* piece(bytes: Uint8Array) {
  yield bytes
}

describe('Both checkers of audit exports', () => {
  let folder: string

  before(function () {
    needsPython(this)
    folder = mkdtempSync(join(tmpdir(), 'dynamos-agree-'))
  })

  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  for (const name of ['vu-open', 'joined'])
    it(`name the same code, record and signer for each of ${FLIPS} flipped bytes of ${name}`, async () => {
      const whole = readFileSync(join(ROOT, `test/fixtures/audit/${name}.audit`))
      const files: string[] = []
      const own: (z.infer<typeof answer>['finding'] | undefined)[] = []
      for (let index = 0; index < FLIPS; index++) {
        const altered = Uint8Array.from(whole)
        const at = Math.floor(((index + 0.5) * whole.byteLength) / FLIPS)
        altered[at] = (altered[at] ?? 0) ^ 1
        const file = join(folder, `${name}-${at}.audit`)
        writeFileSync(file, altered)
        files.push(file)
        const { finding } = await checkRecords(piece(altered))
        own.push(
          finding === null ? null : { code: finding.code, record: finding.record, signer: finding.signer }
        )
      }
      const other = saidByPython(answer, files).map(({ finding }) => finding)
      expect(own).not.to.include(null)
      expect(own).to.deep.equal(other)
    })
})
