import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { firstHeader } from '../../../agent/audit/index.ts'
import { exportRecord } from '../../../agent/audit/records.ts'
import { ROOT } from '../../architecture/sources.ts'
import { mutateBytes } from '../mutate-bytes.ts'
import { mutateCbor } from '../mutate-cbor.ts'
import type { Target } from '../target.ts'
import { readPlain } from './documents.ts'

async function published(): Promise<Uint8Array> {
  return new Uint8Array(await readFile(join(ROOT, 'test', 'fixtures', 'audit', 'vu-open.audit')))
}

/** The bodies of the records of an export: a length before each. */
async function recordsOfOne(): Promise<Uint8Array[]> {
  const bytes = await published()
  const records: Uint8Array[] = []
  for (let at = 0; at < bytes.byteLength; ) {
    let length = 0
    let factor = 1
    let byte = 0x80
    for (; byte >= 0x80; factor *= 128) {
      byte = bytes[at++] ?? 0
      length += (byte & 0x7f) * factor
    }
    records.push(bytes.slice(at, at + length))
    at += length
  }
  return records
}

const record: Target = {
  name: 'export/record',
  mutate: mutateCbor,
  seeds: recordsOfOne,
  read: (bytes) => readPlain(bytes, exportRecord)
}

const header: Target = {
  name: 'export/header',
  mutate: mutateBytes,
  seeds: async () => [(await published()).slice(0, 4096)],
  read: firstHeader
}

/** Of an audit export: its records, and what it begins with. Whoever checks a whole one joins here. */
export const exportTargets: readonly Target[] = [record, header]
