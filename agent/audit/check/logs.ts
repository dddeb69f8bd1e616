import type { LogPosition } from '../../../protocol/documents/index.ts'
import { type CaseFile, Findings, type Kept, type KeptExport } from './case-file.ts'
import type { Finding } from './finding.ts'

/** A document that says where its signer's log stood. */
interface Placed {
  kept: Kept
  signer: string
  log: LogPosition
  contract: string | null
}

function placed(kept: Kept): Placed[] {
  const { payload } = kept.document
  if (!('log' in payload)) return []
  const contract = 'contract' in payload ? payload.contract : null
  return [{ kept, signer: payload.issuer, log: payload.log, contract }]
}

/** Stage 3.2: what documents and exports say of one log agrees. */
export function checkLogs(file: CaseFile): Finding | null {
  const findings = new Findings(['position-contradicted', 'equivocation', 'end-cut-off'])
  const documents = file.documents.flatMap(placed)
  for (const shown of file.exports)
    for (const one of documents)
      if (one.signer === shown.header.peer) {
        const contradicted = contradiction(one, shown)
        if (contradicted !== null) findings.add(contradicted)
        const cut = cutOff(one, shown)
        if (cut !== null) findings.add(cut)
      }
  for (const one of equivocations(documents)) findings.add(one)
  for (const one of rivals(file.exports)) findings.add(one)
  return findings.first
}

function contradiction({ kept, log, contract, signer }: Placed, shown: KeptExport): Finding | null {
  const there = shown.headAt(log.sequence)
  if (there === null) return null
  const about = {
    code: 'position-contradicted' as const,
    organisation: kept.from.header.organisation,
    sequence: log.sequence,
    signer,
    record: Math.max(kept.record, there.record)
  }
  const { type } = kept.document
  if (there.head !== log.head)
    return { ...about, reason: `a ${type} names another head for entry ${log.sequence}` }
  if (type === 'checkpoint') return null
  const entry = shown.entryAt(log.sequence)?.entry
  if (entry?.kind === type && (entry.contract ?? null) === contract) return null
  return { ...about, reason: `entry ${log.sequence} does not tell of the ${type} that names it` }
}

function cutOff({ kept, log, signer }: Placed, shown: KeptExport): Finding | null {
  const { checkpoint } = shown
  if (checkpoint === null || log.sequence <= checkpoint.payload.log.sequence) return null
  return {
    code: 'end-cut-off',
    organisation: kept.from.header.organisation,
    record: Math.max(kept.record, shown.end),
    sequence: log.sequence,
    signer,
    reason: `a ${kept.document.type} names entry ${log.sequence}, and the export ends before it`
  }
}

function* equivocations(documents: readonly Placed[]): Generator<Finding> {
  const heads = new Map<string, string>()
  for (const { kept, signer, log } of documents) {
    const key = `${signer} ${log.sequence}`
    const known = heads.get(key)
    if (known === undefined) heads.set(key, log.head)
    else if (known !== log.head)
      yield {
        code: 'equivocation',
        organisation: kept.from.header.organisation,
        record: kept.record,
        sequence: log.sequence,
        signer,
        reason: `two documents name entry ${log.sequence} of one log with two heads`
      }
  }
}

/** Two exports of one log that part. */
function* rivals(exports: readonly KeptExport[]): Generator<Finding> {
  for (const [index, later] of exports.entries())
    for (const earlier of exports.slice(0, index)) {
      if (earlier.header.peer !== later.header.peer) continue
      const from = Math.max(earlier.header.after.sequence, later.header.after.sequence)
      for (let at = from; at <= Math.min(earlier.last, later.last); at++) {
        const there = later.headAt(at)
        if (there === null || earlier.headAt(at)?.head === there.head) continue
        yield {
          code: 'equivocation',
          organisation: later.header.organisation,
          record: there.record,
          sequence: at,
          signer: later.header.peer,
          reason: `two exports of one agent show two heads for entry ${at}`
        }
        break
      }
    }
}
