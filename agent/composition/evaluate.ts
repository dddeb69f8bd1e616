import { combineTerms } from '../../policy/index.ts'
import type { ResultTerms, RowAnswer } from '../../protocol/documents/index.ts'
import { askedServices, composeChain } from './chain.ts'
import { estimateJob, estimateTransfer } from './estimate.ts'
import {
  type Answer,
  type CompositionInput,
  type Feasible,
  type Infeasible,
  organisationOf,
  type Plan
} from './plan.ts'
import { computesAtData } from './players.ts'
import { schemaProblem } from './schemas.ts'
import type { Scores } from './score.ts'
import { verifyProblem } from './verifying.ts'

const NO_TERMS: ResultTerms = {
  recipients: '*',
  purposes: '*',
  until: null,
  services: [],
  forbid: [],
  maxRows: null,
  onward: 'none'
}

/** Whether a row can be taken: who permits it, whether their rows fit together, and whether it has a valid chain. */
export function evaluateRow(input: CompositionInput, index: number): Feasible | Infeasible {
  const row = input.request.rows[index]
  const archetype = row === undefined ? undefined : input.archetypes.get(row.archetype)
  if (row === undefined || archetype === undefined)
    return { why: `archetype ${row?.archetype ?? index} is not known here`, code: 'archetype-unknown' }
  const atData = computesAtData(archetype)
  const once = verifyProblem(input, row)
  if (once !== undefined) return once

  const permitted: { answer: Answer; row: Extract<RowAnswer, { verdict: 'permit' }> }[] = []
  const against: string[] = []
  for (const peer of input.request.providers) {
    const found = permitOf(input, peer, index)
    if ('why' in found) against.push(found.why)
    else permitted.push(found)
  }
  const needed = neededProviders(input)
  if (permitted.length < needed)
    return {
      why: against.join('; ') || `${permitted.length} data providers permit it, ${needed} are required`
    }

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
  const { verify } = input.request
  const again = verify === undefined ? undefined : permitOf(input, verify, index)
  if (again !== undefined && 'why' in again) return { why: again.why }
  const recipient = input.answers.find((answer) => answer.peer === input.recipient.peer) ?? null
  if (input.recipient.peer !== input.request.issuer) {
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
  const terms = combineTerms(permitted.map((one) => one.row.terms ?? NO_TERMS))
  const merge = union && several && atData
  const states = terms.minGroupSize !== undefined && !atData
  if ((merge || states) && !algorithm.mergeable)
    return {
      why: `${algorithm.algorithm} needs the union of all rows, which ${archetype.name} never brings together; use another archetype, or \`aggregate: false\``,
      code: 'not-distributable'
    }

  const chain = composeChain({
    archetype,
    services: input.manifests.services,
    data: permitted.map((one) => ({ peer: one.answer.peer, required: one.row.services })),
    infrastructure: infrastructure?.peer ?? null,
    verifier: again?.answer.peer,
    recipient: input.recipient.peer,
    union: union && several,
    asked: askedServices(input.request.options),
    states
  })
  if ('problem' in chain) return { why: chain.problem, code: 'no-candidate' }
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
    verifier: again?.answer ?? null,
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
  const granted = answer.details?.grants.some((grant) => grant.rows.includes(index)) ?? false
  if (input.request.providers.includes(peer) && !granted)
    return { why: `${who} permits it and names no agreement` }
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
  // What is run again is paid twice; the two work beside each other, and each data provider sends to both.
  const hosts = [plan.infrastructure, plan.verifier].flatMap((one) => one ?? [])
  let slowest = 0
  for (const { peer } of hosts) {
    const host = input.resources.get(peer)
    if (host === undefined) continue
    const estimate = estimateJob(rows, host.resources)
    sum.energy += estimate.millijoules
    sum.carbon += estimate.carbon
    sum.cost += estimate.cost
    slowest = Math.max(slowest, estimate.milliseconds + hosts.length * estimateTransfer(bytes))
    sum.load = Math.max(sum.load, host.load)
  }
  sum.time += slowest
  return sum
}
