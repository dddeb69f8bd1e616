import type { Flow, Payload, RefusalCode } from '../../protocol/documents/index.ts'
import { type Evaluation, type PolicyEngine, permits, type Values } from './engine.ts'
import type { FlowFacts } from './facts.ts'
import { unknownFlowFact } from './known.ts'
import { listed, namesValue } from './names.ts'
import { clausesOf } from './rules.ts'
import { forbidden, refusalOf, undetermined, type Verdict } from './verdict.ts'

type Contract = Payload<'contract'>

function flowKey({ flow, step, from, to }: Flow): string {
  return `${flow}:${step}:${from}:${to}`
}

function attributesOf(contract: Contract): Values {
  const { terms } = contract
  return {
    parties: contract.parties.map((party) => party.peer),
    flows: contract.flows.map(flowKey),
    named: contract.recipients,
    recipients: namesValue(terms.recipients),
    purposes: namesValue(terms.purposes),
    require: terms.services,
    forbid: terms.forbid,
    expires: contract.expires,
    ...(terms.until === null ? {} : { until: terms.until }),
    ...(terms.maxRows === null ? {} : { maxRows: terms.maxRows })
  }
}

function organisations(contract: Contract, role: 'data' | 'infrastructure'): string[] {
  return contract.parties.filter((party) => party.roles.includes(role)).map((party) => party.organisation)
}

function contextOf(facts: FlowFacts, self: string): Values {
  const { flow, rows } = facts
  const contract = facts.contract.payload
  const to = contract.parties.find((party) => party.peer === flow.to)
  const delivers = to?.roles.includes('recipient') ?? false
  return {
    now: { datetime: facts.now },
    instant: facts.now,
    hour: new Date(facts.now).getUTCHours(),
    self,
    requester: contract.organisation,
    purpose: contract.purpose,
    archetype: contract.archetype.name,
    algorithm: contract.algorithm,
    datasets: contract.datasets,
    dataProviders: organisations(contract, 'data'),
    infrastructure: organisations(contract, 'infrastructure'),
    recipients: delivers && to !== undefined ? [to.organisation] : [],
    services: contract.chain.map((step) => step.service),
    flow: {
      record: {
        id: flowKey(flow),
        from: flow.from,
        to: flow.to,
        peer: facts.self,
        delivers,
        ...(rows === null ? {} : { rows })
      }
    }
  }
}

type Explain = (facts: FlowFacts) => [RefusalCode, string]

const notInContract: Explain = ({ flow }) => [
  'flow-not-in-contract',
  `the contract has no such flow from ${flow.from} to ${flow.to}`
]

const EXPLAIN: Readonly<Record<string, Explain>> = {
  expires: () => ['document-expired', 'the contract has expired'],
  parties: notInContract,
  flows: notInContract,
  place: ({ self, question }) => ['flow-not-in-contract', `${self} is not the end that may ${question}`],
  delivery: () => ['flow-not-in-contract', 'a result is released to recipients alone'],
  recipients: ({ contract: { payload } }) => [
    'recipient-not-permitted',
    `results go to ${listed(payload.recipients)}, and the terms allow ${payload.terms.recipients === '*' ? 'any' : listed(payload.terms.recipients)}`
  ],
  purposes: ({ contract: { payload } }) => [
    'purpose-not-permitted',
    `the terms of the data do not allow the purpose "${payload.purpose}"`
  ],
  until: () => ['agreement-expired', 'the terms of the data have ended'],
  'services.forbid': ({ contract: { payload } }) => [
    'service-forbidden',
    `the chain may not contain ${listed(payload.terms.forbid)}`
  ],
  'services.require': ({ contract: { payload } }) => [
    'service-required',
    `the chain must contain ${listed(payload.terms.services)}`
  ],
  maxRows: ({ contract: { payload } }) => ['output-limit', `expected at most ${payload.terms.maxRows} rows`]
}

/**
 * Whether a flow of a contract may be opened, asked at both ends: it is one of the contract's own, between its parties, in
 * this direction, and what is in it may go there under the combined terms. At a data provider the agreement is asked too
 * (`decideAsProvider` with `send`).
 */
export function decideFlow(engine: PolicyEngine, facts: FlowFacts): Verdict {
  const unknown = unknownFlowFact(facts)
  if (unknown !== null) return undetermined(`the fact "${unknown}" is not known`, engine.policy)
  const { id, payload } = facts.contract
  const self = payload.parties.find((party) => party.peer === facts.self)?.organisation ?? 'this organisation'
  const evaluation: Evaluation = {
    subject: 'Contract',
    question: facts.question,
    principal: payload.user,
    resource: { id, attributes: attributesOf(payload) },
    context: contextOf(facts, self)
  }
  const answer = engine.evaluate(evaluation)
  const { policy } = answer
  const named = (clause: string) => `contract#${clause}`
  if (permits(answer)) return { verdict: 'permit', clauses: clausesOf('Contract').map(named), policy }
  if (answer.undetermined !== null) return undetermined(answer.undetermined, policy)
  const [first] = answer.broken
  if (first === undefined) return forbidden(self, answer.forbidding, policy)
  const [code, reason] = EXPLAIN[first]?.(facts) ?? [
    'policy-forbids',
    `the contract's ${first} do not permit it`
  ]
  return {
    verdict: 'deny',
    refusal: refusalOf(code, named(first), reason, null),
    clauses: answer.broken.map(named),
    detail: null,
    policy
  }
}
