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
      if (one.signer === shown.header.peer)
        for (const found of [contradiction(one, shown), cutOff(one, shown)])
          if (found !== null) findings.add(found, shown.record)
  for (const { finding, shown } of [...equivocations(documents), ...rivals(file.exports)])
    findings.add(finding, shown.record)
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
    record: kept.record
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
    record: kept.record,
    sequence: log.sequence,
    signer,
    reason: `a ${kept.document.type} names entry ${log.sequence}, and the export ends before it`
  }
}

interface FoundIn {
  finding: Finding
  /** The export with the later of the two. */
  shown: KeptExport
}

function* equivocations(documents: readonly Placed[]): Generator<FoundIn> {
  const heads = new Map<string, string>()
  for (const { kept, signer, log } of documents) {
    const key = `${signer} ${log.sequence}`
    const known = heads.get(key)
    if (known === undefined) heads.set(key, log.head)
    else if (known !== log.head)
      yield {
        shown: kept.from,
        finding: {
          code: 'equivocation',
          organisation: kept.from.header.organisation,
          record: kept.record,
          sequence: log.sequence,
          signer,
          reason: `two documents name entry ${log.sequence} of one log with two heads`
        }
      }
  }
}

/** Two exports of one log that part: an entry of the later one has another head in the earlier one. */
function* rivals(exports: readonly KeptExport[]): Generator<FoundIn> {
  for (const [index, later] of exports.entries())
    for (const earlier of exports.slice(0, index)) {
      if (earlier.header.peer !== later.header.peer) continue
      const differs = later.entries.find(({ sequence }) => {
        const there = earlier.headAt(sequence)
        return there !== null && there.head !== later.headAt(sequence)?.head
      })
      if (differs === undefined) continue
      yield {
        shown: later,
        finding: {
          code: 'equivocation',
          organisation: later.header.organisation,
          record: differs.record,
          sequence: differs.sequence,
          signer: later.header.peer,
          reason: `two exports of one agent show two heads for entry ${differs.sequence}`
        }
      }
    }
}
