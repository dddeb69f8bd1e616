import { encodePlain, idOf, type Payload } from '../../../protocol/documents/index.ts'
import type { LogEntry } from '../entry.ts'
import { type CaseFile, Findings, type KeptEntry, type KeptExport } from './case-file.ts'
import { ACT_CODES, type Finding, type FindingCode } from './finding.ts'
import type { Replay } from './replay-file.ts'

/** What policy has to be asked before an entry of that kind. */
const ASKED: { readonly [kind in LogEntry['kind']]?: string } = {
  acceptance: 'accept',
  start: 'start',
  'flow-sent': 'send',
  'flow-received': 'receive'
}

type Tell = (
  code: FindingCode,
  kept: KeptEntry,
  reason: string,
  others?: readonly { record: number }[]
) => void

/** Stage 3.4: what each exporter did, by its own log. */
export async function checkActs(file: CaseFile, replay: Replay): Promise<Finding | null> {
  const findings = new Findings(ACT_CODES)
  const told = new Map(file.exports.map((shown) => [shown, new ToldFlows(shown)]))
  for (const shown of file.exports) {
    const { organisation, peer } = shown.header
    const tell: Tell = (code, kept, reason, others = []) =>
      findings.add({
        code,
        organisation,
        record: Math.max(kept.record, ...others.map(({ record }) => record)),
        sequence: kept.sequence,
        signer: peer,
        reason
      })
    checkOrder(file, shown, tell)
    checkSameRows(file, shown, tell)
    for (const kept of shown.entries)
      if (kept.entry.kind === 'flow-sent' || kept.entry.kind === 'flow-received')
        await checkFlow(file, told, shown, kept, tell)
  }
  for (const { shown, kept, opening, answer } of replay)
    if (answer.standing === 'differs')
      findings.add({
        code: 'decision-differs',
        organisation: shown.header.organisation,
        record: Math.max(kept.record, opening.record),
        sequence: kept.sequence,
        signer: shown.header.peer,
        reason: answer.why
      })
  return findings.first
}

/** What has to come before what, and what may be there once. */
function checkOrder(file: CaseFile, shown: KeptExport, tell: Tell): void {
  const decided = new Map<string, string>()
  const started = new Set<string>()
  const ran = new Map<string, KeptEntry>()
  for (const kept of shown.entries) {
    const { entry } = kept
    const contract = entry.contract ?? ''
    if (entry.kind === 'decision') {
      const { question, verdict } = entry.fields
      decided.set(`${contract} ${question}`, verdict)
      continue
    }
    const question = ASKED[entry.kind]
    if (question !== undefined) {
      const before = decided.get(`${contract} ${question}`)
      if (before === undefined)
        tell('decision-missing', kept, `policy was not asked ${question} before this ${entry.kind}`)
      else if (before === 'deny')
        tell('decision-denied', kept, `the last decision before this ${entry.kind} was to deny it`)
    }
    if (entry.kind === 'start') {
      started.add(contract)
      checkStart(file, shown, kept, tell)
    }
    const runs = entry.kind === 'job-started'
    if ((runs || entry.kind === 'flow-sent' || entry.kind === 'flow-received') && !started.has(contract))
      tell('ran-before-start', kept, `a ${entry.kind} before the contract was started`)
    if (runs) {
      const attempt = numberOf(entry, 'attempt')
      const key = [contract, numberOf(entry, 'step'), numberOf(entry, 'round'), attempt].join(' ')
      const known = ran.get(key)
      if (known !== undefined) tell('ran-twice', kept, 'a step ran twice with one authority', [known])
      else if (attempt !== 1 && attempt !== 2)
        tell('ran-twice', kept, `expected attempt 1 or 2, found ${attempt}`)
      ran.set(key, known ?? kept)
    }
  }
}

/** That a data provider sent to the one who runs the steps again what it sent to the one who ran them first. */
function checkSameRows(file: CaseFile, { header, entries }: KeptExport, tell: Tell): void {
  const sent = new Map<string, string>()
  for (const kept of entries) {
    const { entry } = kept
    const contract = entry.kind === 'flow-sent' ? file.find('contract', entry.contract) : undefined
    if (contract?.document.payload.verify === undefined) continue
    const own = contract.document.payload.parties.find(({ peer }) => peer === header.peer)
    if (own?.roles.includes('data') !== true) continue
    const key = `${entry.contract} ${numberOf(entry, 'attempt')}`
    const before = sent.get(key) ?? partsOf(entry)
    if (before !== partsOf(entry))
      tell('flow-mismatch', kept, 'other rows went to the one who runs it again than to the first')
    sent.set(key, before)
  }
}

function checkStart(file: CaseFile, shown: KeptExport, kept: KeptEntry, tell: Tell): void {
  const { contract: id, time } = kept.entry
  const { peer } = shown.header
  const listed = textsOf(kept.entry, 'acceptances')
  const acceptances = file.all('acceptance').filter(({ document }) => document.payload.contract === id)
  const contract = file.find('contract', id)
  const missing = contract?.document.payload.parties.find(
    (party) =>
      !acceptances.some(
        ({ document }) => document.payload.issuer === party.peer && listed.includes(document.id)
      )
  )
  if (missing !== undefined)
    tell('set-incomplete', kept, `started without an acceptance of ${missing.organisation}`)
  for (const own of acceptances)
    if (own.document.payload.issuer === peer) {
      const { issuedAt, startBy } = own.document.payload
      if (time > issuedAt + startBy)
        tell('started-late', kept, 'started after its own acceptance had run out')
    }
}

function textsOf(entry: LogEntry, field: string): readonly string[] {
  if (entry.kind === 'decision') return []
  const value = entry.fields[field]
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

export function numberOf(entry: LogEntry, field: string): number | null {
  if (entry.kind === 'decision') return null
  const value = entry.fields[field]
  return typeof value === 'number' ? value : null
}

/** A flow as an entry names it. */
interface Flow {
  flow: number | null
  from: string
  to: string
}

async function checkFlow(
  file: CaseFile,
  told: ReadonlyMap<KeptExport, ToldFlows>,
  shown: KeptExport,
  kept: KeptEntry,
  tell: Tell
): Promise<void> {
  const { entry } = kept
  const contract = file.find('contract', entry.contract)
  if (entry.kind === 'decision') return
  const sends = entry.kind === 'flow-sent'
  const self = shown.header.peer
  const peer = typeof entry.fields.peer === 'string' ? entry.fields.peer : ''
  const [from, to] = sends ? [self, peer] : [peer, self]
  const number = numberOf(entry, 'flow')
  if (contract !== undefined) {
    const { flows } = contract.document.payload
    if (!flows.some((one) => one.flow === number && one.from === from && one.to === to))
      tell('flow-mismatch', kept, 'the contract has no such flow between these two')
    if (sends) await checkReleases(file, contract.document.payload, kept, { flow: number, from, to }, tell)
  }
  const other = file.exportOf(peer)
  const flows = other === undefined ? undefined : told.get(other)
  if (flows === undefined) return
  const pair = flows.of(sends ? 'flow-received' : 'flow-sent', entry)
  if (pair === undefined) {
    // A sender that went down before it heard of the arrival has neither.
    if (sends || flows.hasReceipt(entry.contract))
      tell('flow-unpaired', kept, `flow ${number}: the other end does not tell of it in its export`)
    return
  }
  // What contradicts is found at the later of the two.
  if (!pair.parts.has(partsOf(entry)) && pair.first < kept.record)
    tell('flow-mismatch', kept, `flow ${number}: what was sent is not what was received`)
}

function partsOf(entry: LogEntry): string {
  return JSON.stringify(textsOf(entry, 'parts'))
}

/** What an export tells of one end of flows, found at once however long it is. */
class ToldFlows {
  readonly #ends = new Map<string, { first: number; parts: Set<string> }>()
  readonly #receipts = new Set<string>()

  constructor({ entries }: KeptExport) {
    for (const { entry, record } of entries) {
      if (entry.kind === 'receipt') this.#receipts.add(entry.contract ?? '')
      if (entry.kind !== 'flow-sent' && entry.kind !== 'flow-received') continue
      const key = keyOf(entry.kind, entry)
      const known = this.#ends.get(key) ?? { first: record, parts: new Set() }
      known.parts.add(partsOf(entry))
      this.#ends.set(key, known)
    }
  }

  of(kind: LogEntry['kind'], entry: LogEntry): { first: number; parts: ReadonlySet<string> } | undefined {
    return this.#ends.get(keyOf(kind, entry))
  }

  hasReceipt(contract: string | undefined): boolean {
    return this.#receipts.has(contract ?? '')
  }
}

function keyOf(kind: LogEntry['kind'], entry: LogEntry): string {
  return [kind, entry.contract, numberOf(entry, 'flow'), numberOf(entry, 'attempt')].join(' ')
}

/** That each provider that wants the last word has given it about these very parts. */
async function checkReleases(
  file: CaseFile,
  { parties, flows }: Payload<'contract'>,
  kept: KeptEntry,
  flow: Flow,
  tell: Tell
): Promise<void> {
  const { contract } = kept.entry
  if (!parties.some(({ peer, roles }) => peer === flow.to && roles.includes('recipient'))) return
  const result = await idOf(encodePlain([...textsOf(kept.entry, 'parts')]))
  for (const acceptance of file.all('acceptance')) {
    const { issuer, contract: of, resultTerms, organisation } = acceptance.document.payload
    if (of !== contract || resultTerms?.releaseAsk !== true) continue
    const concerned = issuer === flow.from || flows.some((one) => one.from === issuer && one.to === flow.from)
    if (!concerned || !parties.some(({ peer, roles }) => peer === issuer && roles.includes('data'))) continue
    const released = file
      .all('release')
      .some(
        ({ document: { payload } }) =>
          payload.issuer === issuer &&
          payload.contract === contract &&
          payload.flow === flow.flow &&
          payload.to === flow.to &&
          payload.refused === null &&
          payload.result === result
      )
    if (!released) tell('not-released', kept, `${organisation} had not released what left`)
  }
}
