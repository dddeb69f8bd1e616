import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { z } from 'zod'
import { recordsOf } from '../../agent/audit/check/records-of.ts'
import { checkExport } from '../../agent/audit/index.ts'
import { type ExportRecord, encodeRecord } from '../../agent/audit/records.ts'
import { draftOf, exportOf } from './export-builder.ts'
import { changedRecord, mutate, mutation } from './mutations.ts'
import { needsPython, saidByPython } from './python-checker.ts'
import { bytesOf, tampered } from './tamperings.ts'

/** Another number, other places; each run tries the same. */
const SEED = 20261124
const WHOLE = bytesOf('three')

const found = z.object({
  code: z.string(),
  record: z.int(),
  sequence: z.int().nullable(),
  signer: z.string().nullable()
})
const answer = z.object({ verdict: z.string(), finding: found.nullable() })
const withMissing = answer.extend({ missing: z.array(z.string()) })
type Answer = z.infer<typeof answer>

async function* piece(bytes: Uint8Array) {
  yield bytes
}
const own = async (bytes: Uint8Array): Promise<Answer> => answer.parse(await checkExport(piece(bytes)))

function flipped(bytes: Uint8Array, at: number, mask: number): Uint8Array {
  const altered = Uint8Array.from(bytes)
  altered[at] = (altered[at] ?? 0) ^ mask
  return altered
}

const flip = fc.record({ at: fc.nat({ max: WHOLE.byteLength - 1 }), mask: fc.integer({ min: 1, max: 255 }) })

describe('An exchange of three data providers, in the hands of somebody who changes it', () => {
  let folder: string

  before(function () {
    needsPython(this)
    folder = mkdtempSync(join(tmpdir(), 'dynamos-done-'))
  })
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  /** What the second checker says of these files. */
  const second = (files: readonly Uint8Array[]): Answer[] => saidByPython(answer, files.map(written))
  const written = (bytes: Uint8Array, index: number): string => {
    const file = join(folder, `${index}.audit`)
    writeFileSync(file, bytes)
    return file
  }
  const both = async (files: readonly Uint8Array[]) => {
    const said = await Promise.all(files.map(own))
    expect(second(files)).to.deep.equal(said)
    return said
  }

  it('shows each of twenty bytes that were flipped, to both checkers in one place', async () => {
    const files = fc.sample(flip, { seed: SEED, numRuns: 20 }).map(({ at, mask }) => flipped(WHOLE, at, mask))
    for (const { verdict, finding } of await both(files)) {
      expect(verdict).not.to.equal('confirmed')
      expect(finding).not.to.equal(null)
    }
  })

  it('shows any other byte that was flipped, too', async () => {
    const seed = Date.now()
    const flips = fc.sample(flip, { seed, numRuns: 40 })
    const said = await both(flips.map(({ at, mask }) => flipped(WHOLE, at, mask)))
    for (const [index, { verdict }] of said.entries())
      expect(verdict, `seed ${seed}, flip ${JSON.stringify(flips[index])}`).not.to.equal('confirmed')
  })

  it('shows each of twenty fields that were changed under the old signatures, to both in one place', async () => {
    const records: ExportRecord[] = []
    for await (const read of recordsOf(piece(WHOLE))) if (read.kind === 'record') records.push(read.record)
    const files: Uint8Array[] = []
    for (const one of fc.sample(mutation, { seed: SEED, numRuns: 100 })) {
      const at = one.record % records.length
      const known = records[at]
      const changed = known === undefined ? null : changedRecord(known, one)
      if (changed === null) continue
      files.push(Buffer.concat(records.map((record, index) => encodeRecord(index === at ? changed : record))))
      if (files.length === 20) break
    }
    expect(files).to.have.length(20)
    for (const { verdict } of await both(files)) expect(verdict).not.to.equal('confirmed')
  })

  it('shows two logs of one agent', async () => {
    const exported = async (later: number) =>
      await tampered({
        name: '',
        base: 'three/VU',
        code: '',
        change: (drafts) => {
          const last = drafts.findLast(({ kind }) => kind === 'entry')
          if (last?.kind === 'entry') last.entry.time = Number(last.entry.time) + later
          // Signed when the log had gone on.
          const end = drafts.findLast(({ kind }) => kind === 'end')
          if (end?.kind === 'end') end.payload.log = { sequence: 1000, head: 'f'.repeat(64) }
        }
      })
    const [said] = await both([Buffer.concat([await exported(0), await exported(1)])])
    expect(said?.finding?.code).to.equal('equivocation')
  })

  it('lacks the part of a party, which is said and not failed', async () => {
    const file = await tampered({
      name: '',
      base: 'three/UVA+VU+SURF',
      code: '',
      change: () => undefined
    })
    const said = [await checkExport(piece(file)), ...saidByPython(withMissing, [written(file, 0)])]
    for (const { verdict, missing } of said) {
      expect(verdict).to.equal('confirmed')
      expect(missing.filter((one) => one.startsWith('the export of')).toSorted()).to.deep.equal([
        'the export of RUG',
        'the export of UT'
      ])
    }
  })

  it('is the same to both checkers when a field was changed and all was signed anew', async () => {
    const files: Uint8Array[] = []
    for (const one of fc.sample(mutation, { seed: SEED, numRuns: 40 })) {
      const drafts = await draftOf(bytesOf('vu-open'))
      mutate(drafts, one)
      files.push(await exportOf(drafts).catch(() => new Uint8Array()))
    }
    const said = await Promise.all(files.map(own))
    const needed = said.map(({ finding }) => finding?.code === 'decision-differs')
    const other = second(files)
    expect(other.filter((_, index) => needed[index] !== true)).to.deep.equal(
      said.filter((_, index) => needed[index] !== true)
    )
    expect(new Set(said.map(({ finding }) => finding?.code))).to.have.length.of.at.least(6)
  })
})
