import { refusalCode } from '../../protocol/documents/index.ts'
import type { Coordinator } from '../../protocol/negotiation/index.ts'
import type {
  DecisionView,
  ReceiptView,
  RefusalView,
  RequestStatus,
  RequestView,
  ResultView
} from '../api/index.ts'
import { type HopRefusal, runsAgain } from '../composition/index.ts'
import type { StoredResult } from '../exchange/index.ts'
import type { HeldContract } from '../negotiation/index.ts'
import { latestOffer } from './answers.ts'
import type { RequestRecord } from './record.ts'
import { explainStop, stopsOf } from './stopped.ts'
import { suppressedOf } from './suppressed.ts'
import { resultTermsIn, viewTerms } from './terms.ts'
import { viewAnswer } from './view-answer.ts'
import { differingOf, explainDifference, viewStep } from './view-verified.ts'

const MICRO = 1e6

/** How a request stands, from where its exchange stands. */
export function statusOf(record: RequestRecord): RequestStatus {
  const stage = record.coordinator?.stage
  if (stage === undefined) return 'discovering'
  switch (stage.phase) {
    case 'collecting':
      return record.coordinator !== null && waitingOf(record.coordinator).length > 0
        ? 'waiting'
        : 'negotiating'
    case 'composing':
    case 'proposing':
      return 'negotiating'
    case 'running':
    case 'closing':
      return 'running'
    case 'ended': {
      const { result, code } = stage.outcome
      if (result === 'completed') return 'completed'
      if (record.dryRun && record.composition?.plan != null) return 'completed'
      if (result === 'cancelled') return 'cancelled'
      const started = record.coordinator?.plans.some((plan) => plan.started) ?? false
      const refused = record.composition?.plan === null || (!started && refusalCode.safeParse(code).success)
      if (refused) return 'refused'
      return result === 'expired' || code === 'timeout' ? 'timed-out' : 'failed'
    }
  }
}

/** Hops where somebody has to approve the request, and who. */
export function waitingOf({ stage, hops }: Coordinator): { peer: string; by: string[]; until: number }[] {
  if (stage.phase !== 'collecting') return []
  return hops.flatMap(({ peer, answer, approval }) =>
    answer === 'approval' && approval !== null ? [{ peer, ...approval }] : []
  )
}

/** The contract in force, or the last one that was tried. */
export function contractOf(record: RequestRecord): HeldContract | null {
  const plans = record.coordinator?.plans ?? []
  const plan = plans.filter((one) => one.started).at(-1) ?? plans.at(-1)
  return plan === undefined ? null : (record.dossier.contracts.get(plan.contract.id) ?? null)
}

/** What people see of a request. */
export function viewRequest(record: RequestRecord, known: (peer: string) => string): RequestView {
  // Who was a party stays one by name, also after it is no member any more.
  const parties = [...record.dossier.contracts.values()].flatMap((one) => one.contract.payload.parties)
  const organisationOf = (peer: string) =>
    parties.find((party) => party.peer === peer)?.organisation ?? known(peer)
  const held = contractOf(record)
  const { composition, status } = record
  const chain = held?.contract.payload.chain ?? composition?.plan?.chain.steps ?? []
  const refusals = record.refusals.map(viewRefusal)
  const ended = record.coordinator?.stage.phase === 'ended' ? record.coordinator.stage.outcome : null
  const stopped = stopsOf(record, organisationOf)
  const failed = (status === 'failed' || status === 'timed-out') && ended !== null
  const differing = differingOf(record)
  const blamed =
    ended === null || differing !== undefined
      ? []
      : ended.hop !== null
        ? [ended.hop]
        : ended.code === 'timeout'
          ? waitedFor(held)
          : []
  const named = blamed.map(organisationOf)
  const missing = [
    ...(composition?.missing ?? []),
    ...(record.prepared?.unknown.map((one) => one.organisation) ?? [])
  ]
  return {
    request: record.id,
    contract: held?.contract.id ?? null,
    status,
    archetype: held?.contract.payload.archetype.name ?? composition?.plan?.archetype.name ?? null,
    missing: status === 'refused' ? [] : missing,
    notes: [...notesOf(record), ...(held === null ? [] : withheldNotes(held))],
    chain: chain.map((step) => viewStep(step, record.dossier.request.payload.verify, organisationOf)),
    decisions: decisionsOf(record, held, organisationOf),
    candidates: (composition?.candidates ?? []).map((candidate) => ({
      archetype: candidate.archetype,
      at: {
        infrastructure: candidate.infrastructure === null ? 'data' : organisationOf(candidate.infrastructure)
      },
      scores: { ...candidate.scores },
      total: candidate.total,
      chosen: candidate.chosen,
      why: candidate.why,
      answers: candidate.answers.map(viewAnswer)
    })),
    ...(record.results === null || status !== 'completed'
      ? {}
      : { results: record.results.map((result) => viewResult(result, held)) }),
    artifacts: artifactsOf(record),
    ...(refusals.length === 0 ? {} : { refusals }),
    ...(failed
      ? {
          error: {
            code: ended.code ?? 'internal',
            hop: named.length === 1 ? (named[0] ?? null) : null,
            step: ended.step,
            position: ended.position,
            message:
              explainDifference(differing) ??
              explainFailure(ended.code ?? 'internal', named.length === 0 ? null : named.join(' and ')),
            ...(differing === undefined ? {} : { verification: differing })
          }
        }
      : {}),
    ...(stopped.length === 0 ? {} : { stopped }),
    ...(record.results === null || status !== 'completed' || held === null
      ? {}
      : { terms: viewTerms(resultTermsIn(held)) }),
    ...(status === 'waiting' && record.coordinator !== null
      ? {
          waiting: waitingOf(record.coordinator).map(({ peer, by, until }) => ({
            hop: organisationOf(peer),
            by,
            until: new Date(until).toISOString()
          }))
        }
      : {}),
    receipts: held === null ? [] : receiptsOf(held),
    timing: timingOf(record),
    submitted: record.submittedAt,
    user: record.user
  }
}

/** Whose share had everything it needs and was not done: no receipt came, but from all who were to send to it. */
function waitedFor(held: HeldContract | null): string[] {
  if (held === null) return []
  const done = new Set([...held.receipts.values()].map((receipt) => receipt.payload.issuer))
  const { chain, flows } = held.contract.payload
  return [...new Set(chain.map((step) => step.at))].filter(
    (peer) => !done.has(peer) && flows.every((flow) => flow.to !== peer || done.has(flow.from))
  )
}

export function viewRefusal({
  hop,
  question,
  refusal
}: HopRefusal | (Omit<HopRefusal, 'question'> & { question: string })): RefusalView {
  return {
    hop,
    question,
    code: refusal.code,
    clause: refusal.clause,
    reason: refusal.reason,
    acceptable: refusal.acceptable,
    ...(refusal.position === null ? {} : { position: refusal.position })
  }
}

/** @param held the contract that made it; null where nothing more is known of it */
export function viewResult(result: StoredResult, held: HeldContract | null): ResultView {
  const { from, columns, types, rows, rowCount, truncated, units, verified } = result
  const known = units === undefined ? {} : { units }
  const same = verified === undefined ? {} : { verified }
  return {
    from,
    columns,
    types,
    ...known,
    rows,
    rowCount,
    truncated,
    suppressed: suppressedOf(from, held),
    ...same
  }
}

function artifactsOf({ results, status }: RequestRecord): RequestView['artifacts'] {
  if (status !== 'completed') return []
  return (results ?? []).flatMap(({ artifacts = [] }) =>
    artifacts.map(({ name, mediaType, digest }) => ({ name, mediaType, digest }))
  )
}

function notesOf(record: RequestRecord): string[] {
  const notes = [...(record.composition?.notes ?? [])]
  for (const { organisation, refusal } of record.prepared?.unknown ?? [])
    notes.push(`${organisation}: ${refusal.reason}`)
  notes.push(...record.hints, ...(record.results ?? []).flatMap((result) => result.notes ?? []))
  const epochs = record.coordinator?.plans.length ?? 0
  if (epochs > 1) notes.push(`planned ${epochs} times: a party dropped out or declined`)
  if (record.dryRun) notes.push('dry run: nothing was run')
  return notes
}

/** Who left out rows that too few share, and about how many. */
function withheldNotes(held: HeldContract): string[] {
  const notes = [...held.receipts.values()].flatMap(({ payload: { organisation, withheld } }) => {
    if (withheld === undefined || withheld === 0) return []
    return [`${organisation}: anonymize left out up to ${withheld} rows of its tables`]
  })
  return [...new Set(notes)].sort()
}

/** What each hop said to each question, as its signed documents show. */
function decisionsOf(
  record: RequestRecord,
  held: HeldContract | null,
  organisationOf: (peer: string) => string
): DecisionView[] {
  const decisions: DecisionView[] = []
  const chosen = record.composition?.candidates.find((candidate) => candidate.chosen)?.row
  for (const peer of new Set([...record.dossier.offers.values()].map((one) => one.offer.payload.issuer))) {
    const offer = latestOffer(record.dossier, peer)?.offer.payload
    if (offer === undefined) continue
    // A compute provider answers every row, but is asked only about those that it would compute.
    const asked = offer.rows.filter(
      ({ row }) =>
        offer.as.some((role) => role !== 'infrastructure') ||
        record.dossier.request.payload.rows[row]?.infrastructure === peer ||
        runsAgain(record.dossier.request.payload, peer, row)
    )
    const row = asked.find((one) => one.row === chosen) ?? asked[0]
    if (row === undefined) continue
    decisions.push({
      hop: offer.organisation,
      question: offer.as.includes('data') ? 'offer' : offer.as.includes('infrastructure') ? 'host' : 'accept',
      verdict: row.verdict === 'permit' ? 'permit' : 'deny',
      clauses:
        row.verdict === 'permit'
          ? row.clauses
          : row.refusal.clause === null
            ? [row.refusal.code]
            : [row.refusal.clause],
      policy: offer.policy
    })
  }
  if (held === null) return decisions
  const policyOf = (peer: string) => latestOffer(record.dossier, peer)?.offer.payload.policy ?? ''
  const told = [...held.receipts.values()].filter((receipt) => receipt.payload.decisions.length > 0)
  for (const receipt of told) {
    for (const decision of receipt.payload.decisions)
      decisions.push({ hop: receipt.payload.organisation, ...decision })
  }
  for (const acceptance of held.acceptances.values()) {
    const { issuer } = acceptance.payload
    if (told.some((receipt) => receipt.payload.issuer === issuer)) continue
    decisions.push({
      hop: organisationOf(issuer),
      question: 'accept',
      verdict: 'permit',
      clauses: [],
      policy: policyOf(issuer)
    })
  }
  for (const decline of held.declines.values()) {
    const { issuer, refusal } = decline.payload
    const clauses = [refusal.clause ?? refusal.code]
    decisions.push({
      hop: organisationOf(issuer),
      question: 'accept',
      verdict: 'deny',
      clauses,
      policy: policyOf(issuer)
    })
  }
  return decisions
}

function receiptsOf(held: HeldContract): ReceiptView[] {
  return [...held.receipts.values()]
    .map((receipt) => receipt.payload)
    .sort((one, other) => one.step - other.step)
    .map((receipt) => ({
      hop: receipt.organisation,
      service: receipt.service,
      rows: receipt.rows,
      bytes: receipt.bytes,
      cpuSeconds: receipt.cpuMicroseconds / MICRO,
      joules: receipt.microjoules / MICRO,
      energy: receipt.energy,
      cache: receipt.cache,
      milliseconds: receipt.milliseconds,
      wiped:
        receipt.wiped === null
          ? null
          : { bytes: receipt.wiped.bytes, at: new Date(receipt.wiped.at).toISOString() },
      ...(receipt.verification === undefined ? {} : { verification: receipt.verification })
    }))
}

/** Milliseconds of each phase; a phase that was not reached is left out. */
function timingOf({ milestones }: RequestRecord): Record<string, number> {
  const { submitted, discovered, offered, composed, started, ended } = milestones
  const timing: Record<string, number> = {}
  const span = (name: string, from: number | null, to: number | null): void => {
    if (from !== null && to !== null) timing[name] = Math.round(to - from)
  }
  span('discover', submitted, discovered)
  span('offer', discovered, offered)
  span('compose', offered, composed)
  span('accept', composed, started)
  span('negotiate', discovered, started)
  span('execute', started, ended)
  span('total', submitted, ended)
  return timing
}

function explainFailure(code: string, hop: string | null): string {
  const who = hop ?? 'a party'
  switch (code) {
    case 'party-lost':
    case 'peer-unreachable':
      return `${who} could not be reached any more, and no other candidate was left`
    case 'peer-silent':
      return `${who} did not answer in time`
    case 'timeout':
      return `the deadline passed before ${hop === null ? 'all' : who} had done its share`
    case 'job-timeout':
      return `the job of ${who} ran into its time limit; ask for less, or make the query simpler`
    case 'memory-limit':
      return `the job of ${who} needed more memory than it may have`
    case 'disk-limit':
    case 'storage-full':
      return `${who} has not enough disk for it`
    case 'sql-runtime':
      return `the query failed over the data of ${who}; the engine's own words may quote data and stay there`
    case 'graph-specification':
      return 'the specification in options.graph does not fit the result; the notes say what is wrong with it'
    case 'schema-mismatch':
      return `a provider sent other columns or types than it announced, as ${who} found`
    case 'output-too-large':
      return `the result has more rows than the agreement of ${who} allows`
    default:
      return explainStop(code, who) ?? `${who} could not do its share`
  }
}
