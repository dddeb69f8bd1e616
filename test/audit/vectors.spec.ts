import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { z } from 'zod'
import { FINDING_CODES } from '../../agent/audit/check/index.ts'
import { checkExport } from '../../agent/audit/index.ts'
import { ROOT } from '../architecture/sources.ts'
import { needsPython, saidByPython } from './python-checker.ts'

const FIXTURES = join(ROOT, 'test/fixtures/audit')

const expected = z.strictObject({
  verdict: z.enum(['confirmed', 'broken', 'unreadable']),
  code: z.string(),
  record: z.int(),
  sequence: z.int().nullable(),
  signer: z.string().nullable()
})
const vectors = z
  .array(
    z.strictObject({
      name: z.string(),
      base: z.string(),
      patches: z.array(z.strictObject({ offset: z.int(), bytes: z.string() })),
      /** Only a checker with a policy engine finds it; another one says that the decision is attested. */
      engine: z.literal(true).exactOptional(),
      expected
    })
  )
  .parse(JSON.parse(readFileSync(join(FIXTURES, 'vectors.json'), 'utf8')))

function bytesOf({ base, patches }: (typeof vectors)[number]): Uint8Array {
  const bytes = Uint8Array.from(readFileSync(join(FIXTURES, base)))
  for (const { offset, bytes: hex } of patches) bytes.set(Buffer.from(hex, 'hex'), offset)
  return bytes
}

async function* piece(bytes: Uint8Array) {
  yield bytes
}

const answer = z.object({
  verdict: expected.shape.verdict,
  finding: expected.omit({ verdict: true }).loose().nullable()
})

/** Codes of the tables in section 3 of the page. */
function codesOfThePage(): string[] {
  const page = readFileSync(join(ROOT, 'docs/audit-format.md'), 'utf8')
  const stages = page.slice(page.indexOf('### 3.1'), page.indexOf('### 3.5'))
  return [...stages.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code ?? '')
}

describe('The test vectors of audit exports', () => {
  it('are twenty flipped bits and twenty changed fields at least', () => {
    expect(vectors.filter(({ patches }) => patches.length > 0)).to.have.length.of.at.least(20)
    expect(vectors.filter(({ patches }) => patches.length === 0)).to.have.length.of.at.least(20)
  })

  it('hold a file for every finding of the page, which names all that there are', () => {
    expect(codesOfThePage().toSorted()).to.deep.equal(FINDING_CODES.toSorted())
    const shown = new Set(vectors.map(({ expected: { code } }) => code))
    expect(FINDING_CODES.filter((code) => !shown.has(code))).to.deep.equal([])
  })

  for (const vector of vectors)
    it(`are found and named: ${vector.name}`, async () => {
      const { verdict, finding } = await checkExport(piece(bytesOf(vector)))
      expect(finding).not.to.equal(null)
      expect({ verdict, ...finding }).to.include(vector.expected)
    })

  it('are named alike by the second checker', function () {
    needsPython(this)
    const folder = mkdtempSync(join(tmpdir(), 'dynamos-vectors-'))
    try {
      const files = vectors.map((vector, index) => {
        const file = join(folder, `${index}.audit`)
        writeFileSync(file, bytesOf(vector))
        return file
      })
      const said = saidByPython(answer, files).map(({ verdict, finding }, index) => {
        const { code, record, sequence, signer } = finding ?? {}
        return { name: vectors[index]?.name, expected: { verdict, code, record, sequence, signer } }
      })
      const none = { code: undefined, record: undefined, sequence: undefined, signer: undefined }
      const unseen = { verdict: 'confirmed', ...none }
      expect(said).to.deep.equal(
        vectors.map(({ name, engine, expected: wanted }) => ({
          name,
          expected: engine === true ? unseen : wanted
        }))
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }).timeout(120_000)
})
