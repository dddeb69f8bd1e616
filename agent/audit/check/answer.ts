import { numberOf } from './acts.ts'
import type { CaseFile, KeptEntry } from './case-file.ts'
import type { Finding } from './finding.ts'
import type { Replay } from './replay-file.ts'
import type { AuditReport, CheckedDecision, CheckedFlow } from './report.ts'

/** Decisions that are listed; of more it is said how many. */
const MAX_LISTED = 100_000

/** Stage 3.5: what a file tells, and what is not in it. */
export function answerOf(file: CaseFile, finding: Finding | null, replay: Replay | null): AuditReport {
  const [first] = file.exports
  const request = file.find('request', first?.header.request)?.document.payload
  return {
    verdict: finding === null ? 'confirmed' : finding.record === 0 ? 'unreadable' : 'broken',
    finding,
    marketplace: first?.header.marketplace ?? null,
    request: first?.header.request ?? null,
    asked:
      request === undefined
        ? null
        : {
            organisation: request.organisation,
            user: request.user.name,
            purpose: request.purpose,
            datasets: request.datasets,
            at: request.issuedAt
          },
    parties: partiesOf(file),
    steps: file.all('receipt').map(({ document: { payload } }) => ({
      contract: payload.contract,
      step: payload.step,
      service: payload.service,
      organisation: payload.organisation,
      rows: payload.rows,
      bytes: payload.bytes,
      milliseconds: payload.milliseconds,
      ...(payload.verification === undefined ? {} : { verification: payload.verification })
    })),
    flows: flowsOf(file),
    decisions: decisionsOf(file, replay),
    outcomes: file.all('outcome').map(({ document: { payload } }) => ({
      organisation: payload.organisation,
      result: payload.result,
      code: payload.code,
      at: payload.issuedAt,
      ...(payload.verification === undefined ? {} : { verification: payload.verification })
    })),
    missing: missingOf(file)
  }
}

function partiesOf(file: CaseFile): AuditReport['parties'] {
  const parties = new Map<string, AuditReport['parties'][number]>()
  for (const { document } of file.all('contract'))
    for (const { peer, organisation, roles } of document.payload.parties) {
      const known = parties.get(peer)?.roles ?? []
      const exported = file.exportOf(peer) !== undefined
      parties.set(peer, { peer, organisation, roles: [...new Set([...known, ...roles])], exported })
    }
  for (const { header } of file.exports)
    if (!parties.has(header.peer))
      parties.set(header.peer, {
        peer: header.peer,
        organisation: header.organisation,
        roles: [],
        exported: true
      })
  return [...parties.values()]
}

function decisionsOf(file: CaseFile, replay: Replay | null): CheckedDecision[] {
  const answers = new Map(replay?.map(({ kept, answer }) => [kept, answer]))
  const decisions: CheckedDecision[] = []
  for (const shown of file.exports) {
    const opened = new Set(shown.openings.map(({ sequence }) => sequence))
    for (const kept of shown.entries) {
      const { sequence, entry } = kept
      if (entry.kind !== 'decision') continue
      if (decisions.length === MAX_LISTED) return decisions
      const answer = answers.get(kept)
      const replayed = answer?.standing === 'replayed'
      decisions.push({
        organisation: shown.header.organisation,
        sequence,
        at: entry.time,
        contract: entry.contract ?? null,
        question: entry.fields.question,
        verdict: entry.fields.verdict,
        clauses: entry.fields.clauses,
        standing: replayed ? 'replayed' : 'attested',
        why: replayed ? null : (answer?.why ?? whyNot(entry.fields.facts, opened.has(sequence)))
      })
    }
  }
  return decisions
}

/** Why a decision was not evaluated again, where it was not tried. */
function whyNot(facts: string | undefined, opened: boolean): string {
  if (opened) return 'the check ended before it'
  return facts === undefined
    ? 'its log holds no commitment to what it rested on'
    : 'what it rested on is not in the file: it was not opened, or is kept no longer'
}

function flowsOf(file: CaseFile): CheckedFlow[] {
  const nameOf = new Map(partiesOf(file).map(({ peer, organisation }) => [peer, organisation]))
  return file.all('contract').flatMap(({ document: { id, payload } }) =>
    payload.flows.map(({ flow, from, to }) => {
      const told = (peer: string, kind: string): KeptEntry | undefined =>
        file
          .exportOf(peer)
          ?.entries.findLast(
            ({ entry }) => entry.kind === kind && entry.contract === id && numberOf(entry, 'flow') === flow
          )
      const sent = told(from, 'flow-sent')
      const received = told(to, 'flow-received')
      const either = (sent ?? received)?.entry
      const parts = either === undefined || either.kind === 'decision' ? undefined : either.fields.parts
      return {
        contract: id,
        flow,
        from: nameOf.get(from) ?? from,
        to: nameOf.get(to) ?? to,
        parts: Array.isArray(parts) ? parts.length : null,
        sent: sent?.entry.time ?? null,
        received: received?.entry.time ?? null
      }
    })
  )
}

/** What others name and the file does not hold, in words. */
function missingOf(file: CaseFile): string[] {
  const missing = new Set<string>()
  if (file.find('charter', file.exports[0]?.header.marketplace) === undefined) missing.add('the charter')
  if (file.find('request', file.exports[0]?.header.request) === undefined) missing.add('the request')
  for (const { document } of file.all('contract')) {
    const { parties, chain } = document.payload
    for (const { peer, organisation, offer } of parties) {
      if (file.exportOf(peer) === undefined) missing.add(`the export of ${organisation}`)
      if (offer !== null && file.find('offer', offer) === undefined)
        missing.add(`the offer of ${organisation}`)
      const by = ({
        document: { payload }
      }: {
        document: { payload: { issuer: string; contract: string } }
      }) => payload.issuer === peer && payload.contract === document.id
      const declined = file.all('decline').some(by)
      if (!declined && !file.all('acceptance').some(by)) missing.add(`the acceptance of ${organisation}`)
      const ran = file
        .exportOf(peer)
        ?.entries.some(({ entry }) => entry.kind === 'start' && entry.contract === document.id)
      const acts = chain.some(({ at }) => at === peer)
      if (acts && ran !== false && !file.all('receipt').some(by)) missing.add(`a receipt of ${organisation}`)
    }
  }
  for (const { document } of file.all('outcome'))
    for (const receipt of document.payload.receipts)
      if (file.find('receipt', receipt) === undefined)
        missing.add(`a receipt that the outcome of ${document.payload.organisation} names`)
  if (file.all('outcome').length === 0) missing.add('an outcome')
  let decisions = 0
  for (const shown of file.exports) {
    decisions += shown.entries.filter(({ entry }) => entry.kind === 'decision').length
    const opened = new Set(shown.openings.map(({ sequence }) => sequence))
    const closed = shown.entries.filter(
      ({ entry, sequence }) => entry.kind === 'decision' && !opened.has(sequence)
    ).length
    if (closed > 0)
      missing.add(
        `what ${closed} decision${closed === 1 ? '' : 's'} of ${shown.header.organisation} rested on`
      )
  }
  if (decisions > MAX_LISTED) missing.add(`${decisions - MAX_LISTED} more decisions, which are not listed`)
  return [...missing]
}
