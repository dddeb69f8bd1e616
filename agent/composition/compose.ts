import { combineTerms } from '../../policy/index.ts'
import type {
  ArchetypeBody,
  OfferDetails,
  Payload,
  Refusal,
  RefusalCode,
  Resources,
  ResultTerms,
  RowAnswer,
  Signed
} from '../../protocol/documents/index.ts'
import type { Manifests } from '../../services/index.ts'
import { type Chain, composeChain, computesAtData } from './chain.ts'
import { estimateJob, estimateTransfer } from './estimate.ts'
import { schemaProblem } from './schemas.ts'
import { type Scores, scoreCandidates } from './score.ts'

/** One hop's answer, opened and verified. */
export interface Answer {
  peer: string
  organisation: string
  offer: Signed<'offer'>
  details: OfferDetails | null
}

export interface Preferences {
  require: 'all' | 'available' | number
  optimise: Scores
  /** Milliseconds, and millionths of the currency. */
  within: { time?: number; cost?: number }
}

export interface CompositionInput {
  request: Payload<'request'>
  answers: readonly Answer[]
  /** Hops that gave no answer, with what is known of why. */
  silent: readonly { peer: string; organisation: string; refusal: Refusal }[]
  /** Peers that may not be in the chain any more, with the code of what happened. */
  without: ReadonlyMap<string, string>
  /** The requester's agent's idea of the recipient. */
  recipient: { peer: string; organisation: string }
  archetypes: ReadonlyMap<string, ArchetypeBody>
  manifests: Manifests
  /** Declared by each agent's capability. */
  resources: ReadonlyMap<string, { organisation: string; resources: Resources; load: number }>
  preferences: Preferences
}

export interface Plan {
  row: number
  archetype: ArchetypeBody
  chain: Chain
  data: Answer[]
  infrastructure: Answer | null
  recipient: { peer: string; organisation: string; answer: Answer | null }
  terms: ResultTerms
  /** One result over all providers' rows. */
  union: boolean
  merge: boolean
}

export interface Candidate {
  row: number
  archetype: string
  infrastructure: string | null
  scores: Scores | null
  total: number | null
  chosen: boolean
  why: string
}

export interface HopRefusal {
  hop: string
  question: 'discover' | 'offer' | 'host' | 'accept'
  refusal: Refusal
}

export interface Composition {
  plan: Plan | null
  candidates: Candidate[]
  refusals: HopRefusal[]
  /** Organisations that were asked for data and are not in the chosen chain. */
  missing: string[]
  notes: string[]
}

/** Why a row cannot be taken; with a code when it is the asker's side that found it out. */
interface Infeasible {
  why: string
  code?: RefusalCode
  hop?: string
}

interface Feasible {
  plan: Plan
  measures: Scores
}

const NO_TERMS: ResultTerms = {
  recipients: '*',
  purposes: '*',
  until: null,
  services: [],
  forbid: [],
  maxRows: null,
  onward: 'none'
}

/**
 * Chooses how a request is carried out: of the candidate rows those that every needed hop permits and for which a valid
 * chain exists, scored by the asker's weights over what the hops estimated. Most data providers first, then the lowest
 * total. Pure: the same answers give the same plan, so that it can be explained.
 */
export function compose(input: CompositionInput): Composition {
  const evaluated = input.request.rows.map((row, index) => ({ row, index, found: evaluate(input, index) }))
  const feasible = evaluated.flatMap(({ index, found }) => ('plan' in found ? [{ index, ...found }] : []))
  const scored = scoreCandidates(
    feasible.map((one) => one.measures),
    input.preferences.optimise
  )
  const ranked = feasible
    .map((one, position) => ({ ...one, ...(scored[position] ?? { scores: one.measures, total: 0 }) }))
    .sort((a, b) => b.plan.data.length - a.plan.data.length || a.total - b.total || a.index - b.index)
  const best = ranked[0]
  const hops = refusalsOf(input, best?.index ?? null)
  const own =
    best === undefined
      ? ownRefusals(
          input,
          evaluated.map((one) => one.found),
          hops.length === 0
        )
      : []
  // What stands in every row's way comes first: that a hop dislikes one compute provider is seldom the reason.
  const decisive = hops.filter((one) => !permitsSomething(input, one.hop))
  const refusals = [...decisive, ...own, ...hops.filter((one) => !decisive.includes(one))]
  const included = new Set(best?.plan.data.map((answer) => answer.peer))
  const missing = input.request.providers
    .filter((peer) => !included.has(peer))
    .map((peer) => organisationOf(input, peer))
  return {
    plan: best?.plan ?? null,
    candidates: evaluated.map(({ row, index, found }) => {
      const rank = ranked.find((one) => one.index === index)
      const why =
        'plan' in found
          ? index === best?.index
            ? reasonForBest(ranked.length, found.plan, input)
            : `total ${(rank?.total ?? 0).toFixed(3)} with ${found.plan.data.length} provider(s)`
          : found.why
      return {
        row: index,
        archetype: row.archetype,
        infrastructure: row.infrastructure,
        scores: rank?.scores ?? null,
        total: rank?.total ?? null,
        chosen: index === best?.index,
        why
      }
    }),
    refusals,
    missing: best === undefined ? [] : missing,
    notes: best === undefined ? [] : notesOf(best.plan)
  }
}

function evaluate(input: CompositionInput, index: number): Feasible | Infeasible {
  const row = input.request.rows[index]
  const archetype = row === undefined ? undefined : input.archetypes.get(row.archetype)
  if (row === undefined || archetype === undefined)
    return { why: `archetype ${row?.archetype ?? index} is not known here`, code: 'archetype-unknown' }
  const atData = computesAtData(archetype)
  if (input.request.options.graph)
    return { why: 'the graph service is not there yet', code: 'service-unknown' }

  const permitted: { answer: Answer; row: Extract<RowAnswer, { verdict: 'permit' }> }[] = []
  const against: string[] = []
  for (const peer of input.request.providers) {
    const found = permitOf(input, peer, index)
    if ('why' in found) against.push(found.why)
    else permitted.push(found)
  }
  const needed = neededProviders(input)
  if (permitted.length < needed) return { why: against.join('; ') || 'no data provider answered' }

  let infrastructure: Answer | null = null
  if (!atData) {
    if (row.infrastructure === null) return { why: `${archetype.name} needs a compute provider` }
    if (input.request.providers.includes(row.infrastructure)) {
      return {
        why: `${organisationOf(input, row.infrastructure)} holds data itself, ${archetype.name} wants a third party`
      }
    }
    const found = permitOf(input, row.infrastructure, index)
    if ('why' in found) return { why: found.why }
    infrastructure = found.answer
  }
  const recipient = input.answers.find((answer) => answer.peer === input.recipient.peer) ?? null
  if (recipient?.offer.payload.as.includes('recipient')) {
    const found = permitOf(input, input.recipient.peer, index)
    if ('why' in found) return { why: found.why }
  }

  const data = permitted.map((one) => one.answer)
  const several = data.length > 1
  const union = input.request.options.aggregate
  if (union && several) {
    const problem = schemaProblem(data, index)
    if (problem !== null)
      return { why: `schema-mismatch: ${problem.text}`, code: 'schema-mismatch', hop: problem.organisation }
  }
  const algorithm = input.manifests.algorithms.get(input.request.algorithm)
  if (algorithm === undefined)
    return { why: `algorithm ${input.request.algorithm} is not known here`, code: 'algorithm-unknown' }
  const merge = union && several && atData
  if (merge && !algorithm.mergeable)
    return { why: `${algorithm.algorithm} needs the union of all rows`, code: 'not-distributable' }

  const chain = composeChain({
    archetype,
    services: input.manifests.services,
    data: permitted.map((one) => ({ peer: one.answer.peer, required: one.row.services })),
    infrastructure: infrastructure?.peer ?? null,
    recipient: input.recipient.peer,
    union: union && several,
    asked: input.request.options.anonymize ? ['anonymize'] : []
  })
  if ('problem' in chain) return { why: chain.problem, code: 'no-candidate' }
  const terms = combineTerms(permitted.map((one) => one.row.terms ?? NO_TERMS))
  const forbidden = chain.steps.find((step) => terms.forbid.includes(step.service))
  if (forbidden !== undefined)
    return { why: `service-forbidden: ${forbidden.service}`, code: 'service-forbidden' }
  if (terms.recipients !== '*') {
    const outside = input.request.recipients.find((one) => !terms.recipients.includes(one))
    if (outside !== undefined)
      return { why: `recipient-not-permitted: ${outside}`, code: 'recipient-not-permitted' }
  }

  const plan: Plan = {
    row: index,
    archetype,
    chain,
    data,
    infrastructure,
    recipient: { ...input.recipient, answer: recipient },
    terms,
    union: union && several,
    merge
  }
  const measures = measure(input, plan)
  const { time, cost } = input.preferences.within
  if (time !== undefined && measures.time > time)
    return { why: `time-limit: about ${Math.round(measures.time)} ms, limit ${time} ms`, code: 'time-limit' }
  if (cost !== undefined && measures.cost > cost)
    return { why: 'cost-limit: dearer than the limit', code: 'cost-limit' }
  return { plan, measures }
}

function permitOf(
  input: CompositionInput,
  peer: string,
  index: number
): { answer: Answer; row: Extract<RowAnswer, { verdict: 'permit' }> } | { why: string } {
  const who = organisationOf(input, peer)
  const dropped = input.without.get(peer)
  if (dropped !== undefined) return { why: `${who} dropped out: ${dropped}` }
  const answer = input.answers.find((one) => one.peer === peer)
  if (answer === undefined) {
    const silent = input.silent.find((one) => one.peer === peer)
    return { why: `${who}: ${silent?.refusal.code ?? 'no answer'}` }
  }
  const row = answer.offer.payload.rows.find((one) => one.row === index)
  if (row === undefined) return { why: `${who}: no answer for this row` }
  if (row.verdict === 'refuse') return { why: `${who}: ${row.refusal.code}` }
  return { answer, row }
}

function neededProviders(input: CompositionInput): number {
  const { require } = input.preferences
  if (require === 'all') return input.request.providers.length
  return require === 'available' ? 1 : require
}

function measure(input: CompositionInput, plan: Plan): Scores {
  const sum: Scores = { energy: 0, carbon: 0, time: 0, cost: 0, load: 0 }
  let rows = 0
  let bytes = 0
  for (const answer of plan.data) {
    const estimates = answer.details?.estimates
    if (estimates === undefined) continue
    sum.energy += estimates.millijoules
    sum.carbon += estimates.carbon
    sum.cost += estimates.cost
    sum.time = Math.max(sum.time, estimates.milliseconds)
    sum.load = Math.max(sum.load, estimates.load)
    rows += estimates.rows
    bytes += estimates.bytes
  }
  const host = plan.infrastructure === null ? undefined : input.resources.get(plan.infrastructure.peer)
  if (host !== undefined) {
    const estimate = estimateJob(rows, host.resources)
    sum.energy += estimate.millijoules
    sum.carbon += estimate.carbon
    sum.cost += estimate.cost
    sum.time += estimate.milliseconds + estimateTransfer(bytes)
    sum.load = Math.max(sum.load, host.load)
  }
  return sum
}

function organisationOf(input: CompositionInput, peer: string): string {
  return (
    input.answers.find((one) => one.peer === peer)?.organisation ??
    input.silent.find((one) => one.peer === peer)?.organisation ??
    input.resources.get(peer)?.organisation ??
    peer
  )
}

/**
 * The refusals worth showing: of each hop that is not in the chosen chain, one per code and clause. A hop that permits one
 * row and refuses another says so in the candidates.
 */
function refusalsOf(input: CompositionInput, chosen: number | null): HopRefusal[] {
  const found: HopRefusal[] = input.silent.map(({ organisation, refusal }) => ({
    hop: organisation,
    question: 'discover',
    refusal
  }))
  for (const answer of input.answers) {
    const rows = answer.offer.payload.rows
    if (chosen !== null && rows.some((one) => one.row === chosen && one.verdict === 'permit')) continue
    if (chosen !== null && !input.request.providers.includes(answer.peer)) continue
    const seen = new Set<string>()
    for (const row of rows) {
      if (row.verdict === 'permit') continue
      const key = `${row.refusal.code}|${row.refusal.clause}`
      if (seen.has(key)) continue
      seen.add(key)
      found.push({
        hop: answer.organisation,
        question: answer.offer.payload.as.includes('data') ? 'offer' : 'host',
        refusal: row.refusal
      })
    }
  }
  return found
}

function permitsSomething({ answers }: CompositionInput, organisation: string): boolean {
  return answers.some(
    (answer) =>
      answer.organisation === organisation &&
      answer.offer.payload.rows.some((row) => row.verdict === 'permit')
  )
}

function notesOf(plan: Plan): string[] {
  const notes = new Set(plan.data.flatMap((answer) => answer.details?.notes ?? []))
  return [...notes]
}

function reasonForBest(count: number, plan: Plan, input: CompositionInput): string {
  if (count === 1) return 'the only candidate that every hop permits'
  const weights = Object.entries(input.preferences.optimise)
    .filter(([, weight]) => weight > 0)
    .map(([objective, weight]) => `${objective}×${weight}`)
  return `lowest total of ${count} permitted candidates (${weights.join(', ') || 'no weights'}), ${plan.data.length} provider(s)`
}

/** What the asker's own agent found against every row: said as a refusal too, so that no request ends without a reason. */
function ownRefusals(
  input: CompositionInput,
  found: readonly (Feasible | Infeasible)[],
  alone: boolean
): HopRefusal[] {
  const own = new Map<string, HopRefusal>()
  for (const one of found) {
    if ('plan' in one || (one.code === undefined && !alone)) continue
    const code = one.code ?? 'no-candidate'
    const refusal: Refusal = { code, clause: null, reason: one.why, acceptable: null, position: null }
    own.set(`${code}|${one.why}`, { hop: one.hop ?? input.request.organisation, question: 'offer', refusal })
  }
  return [...own.values()]
}
