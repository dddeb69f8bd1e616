import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkExport, firstHeader, pageOf } from '../../../agent/audit/index.ts'
import { exportRecord } from '../../../agent/audit/records.ts'
import { ROOT } from '../../architecture/sources.ts'
import { draftOf, exportOf } from '../../audit/export-builder.ts'
import { mutateBytes } from '../mutate-bytes.ts'
import { mutateCbor } from '../mutate-cbor.ts'
import { mutateExport, recordsIn, tamperWith } from '../mutate-export.ts'
import { Random } from '../random.ts'
import { holds, type Target } from '../target.ts'
import { readPlain } from './documents.ts'

async function published(name = 'vu-open'): Promise<Uint8Array> {
  return new Uint8Array(await readFile(join(ROOT, 'test', 'fixtures', 'audit', `${name}.audit`)))
}

const record: Target = {
  name: 'export/record',
  mutate: mutateCbor,
  seeds: async () => recordsIn(await published()),
  read: (bytes) => readPlain(bytes, exportRecord)
}

const header: Target = {
  name: 'export/header',
  mutate: mutateBytes,
  seeds: async () => [(await published()).slice(0, 4096)],
  read: firstHeader
}

const LONGEST_REASON = 8192

/** A file that others give is never refused with an error: there is an answer, for programs and for people. */
async function check(bytes: Uint8Array): Promise<string> {
  async function* pieces() {
    for (let at = 0; at < bytes.byteLength; at += 16_384) yield bytes.subarray(at, at + 16_384)
  }
  const report = await checkExport(pieces())
  const { verdict, finding } = report
  holds(
    'what is confirmed has no finding, and the rest has one',
    (verdict === 'confirmed') === (finding === null)
  )
  holds('a reason can be read', (finding?.reason.length ?? 0) <= LONGEST_REASON)
  holds('the answer is JSON', JSON.stringify(report).length > 0)
  holds('nothing of it is markup on the page', !pageOf(report).includes('<script'))
  return finding?.code ?? verdict
}

const whole: Target = {
  name: 'export/whole',
  mutate: mutateExport,
  seeds: async () =>
    await Promise.all(['vu-open', 'vu', 'uva', 'joined'].map(async (name) => await published(name))),
  read: check,
  maxBytes: 1 << 18,
  oneIn: 10
}

/**
 * The same by somebody who has the keys: everything is signed anew, so that what is changed is not found by its signature. An
 * input is the seed of a change.
 */
const signed: Target = {
  name: 'export/signed',
  mutate: mutateBytes,
  seeds: () => Promise.resolve([Uint8Array.of(0, 0, 0, 1), Uint8Array.of(1, 0, 0, 1)]),
  read: async (bytes) => {
    const [which = 0, ...seed] = bytes
    const drafts = await draftOf(await published(which % 2 === 0 ? 'vu' : 'joined'))
    tamperWith(drafts, new Random(seed.reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, which)))
    let made: Uint8Array
    try {
      made = await exportOf(drafts)
    } catch {
      // No agent could write it either.
      return 'unwritable'
    }
    return await check(made)
  },
  maxBytes: 16,
  oneIn: 60
}

/** Of an audit export: its records, what it begins with, and the check of a whole one. */
export const exportTargets: readonly Target[] = [record, header, whole, signed]
