import { createHash } from 'node:crypto'
import { EMPTY_LOG, entryDigest, headAfter } from '../../agent/audit/index.ts'
import { type ExportRecord, encodeRecord } from '../../agent/audit/records.ts'
import { encodePlain, signFields } from '../../protocol/documents/index.ts'
import { keyOf, peerOf } from '../membership/builders.ts'

const id = (letter: string) => `bafyrei${letter.repeat(52)}`
const REQUEST = id('r')
const AT = 1_795_544_016_085

/** An export whose every entry tells of the one request: decisions, each with a commitment, as a log of a long exchange has them. */
export async function* longExport(entries: number): AsyncGenerator<Uint8Array, void> {
  const key = await keyOf('who writes much')
  const peer = peerOf(key)
  const hash = createHash('sha256')
  let waiting: Uint8Array[] = []
  const put = (record: ExportRecord) => {
    const bytes = encodeRecord(record)
    hash.update(bytes)
    waiting.push(bytes)
  }
  const about = { marketplace: id('m'), organisation: 'VU' }
  put({
    kind: 'header',
    format: 'dynamos-audit',
    version: 1,
    ...about,
    request: REQUEST,
    peer,
    exportedAt: AT,
    after: EMPTY_LOG
  })
  let position = EMPTY_LOG
  for (let sequence = 1; sequence <= entries; sequence += 1) {
    const salt = createHash('sha256').update(String(sequence)).digest().subarray(0, 16)
    const entry = encodePlain({
      time: AT + sequence,
      kind: 'decision',
      request: REQUEST,
      contract: id('c'),
      fields: {
        question: 'send',
        verdict: 'permit',
        clauses: ['contract#expires', 'contract#flows', 'wages-vu#purposes', 'wages-vu#consumers'],
        policy: 'f'.repeat(64),
        facts: `bafyrei${salt.toString('hex').replaceAll(/[^a-f2-7]/g, 'x')}${'a'.repeat(20)}`
      }
    })
    position = headAfter(position, entryDigest(salt, entry))
    put({ kind: 'entry', sequence, salt, entry, head: position.head })
    if (waiting.length < 500) continue
    yield Buffer.concat(waiting)
    waiting = []
  }
  const payload = {
    type: 'checkpoint',
    version: 1,
    ...about,
    issuer: peer,
    issuedAt: AT,
    expires: AT,
    log: position,
    export: hash.copy().digest('hex')
  }
  put({ kind: 'end', checkpoint: (await signFields('checkpoint', payload, key)).bytes })
  yield Buffer.concat(waiting)
}
