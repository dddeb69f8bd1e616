import { isDeepStrictEqual } from 'node:util'
import { combineTerms } from '../../policy/index.ts'
import type {
  ArchetypeBody,
  OfferDetails,
  Payload,
  Refusal,
  Section
} from '../../protocol/documents/index.ts'
import { instantText } from '../../protocol/errors/index.ts'
import { type Manifests, specificationProblems } from '../../services/index.ts'
import {
  askedServices,
  composeChain,
  computesAtData,
  flowsToInfrastructure,
  flowsToRecipient
} from '../composition/index.ts'
import { MAX_CLOCK_SKEW_MS } from '../membership/index.ts'
import { refuse } from './components.ts'
import { hostOf } from './placement.ts'
import { refuseOutsideTerms } from './result-terms.ts'

export interface ContractFacts {
  self: { peer: string; organisation: string; sandbox: 'bubblewrap' | 'none' }
  contract: Payload<'contract'>
  sections: readonly Section[]
  request: Payload<'request'>
  /** This agent's offer that the contract rests on; null for a recipient that only takes what it asked for. */
  offer: { payload: Payload<'offer'>; details: OfferDetails } | null
  query: { sql: string; parameters: unknown } | null
  archetypes: ReadonlyMap<string, ArchetypeBody>
  services: Manifests['services']
  /** Milliseconds since 1970. */
  now: number
}

type Contract = Payload<'contract'>
type Party = Contract['parties'][number]

/**
 * Whether a contract is what this agent offered, of the request it was asked about, and a valid chain: checked by each party
 * for itself, over the header and the sections addressed to it. Pure.
 *
 * @returns null, or why it is declined
 */
export function checkContract(facts: ContractFacts): Refusal | null {
  return (
    checkRequest(facts) ??
    checkParties(facts) ??
    checkChain(facts) ??
    checkOffer(facts) ??
    checkSections(facts) ??
    refuseOutsideTerms(facts.contract, facts.now)
  )
}

function differs(what: string): Refusal {
  return refuse('contract-differs-from-offer', `the contract differs from the request or the offer: ${what}`)
}

function invalid(what: string): Refusal {
  return refuse('contract-invalid', `the contract is not valid: ${what}`)
}

function checkRequest({ contract, request, archetypes, now }: ContractFacts): Refusal | null {
  if (contract.issuedAt - now > MAX_CLOCK_SKEW_MS) {
    const both = `${instantText(contract.issuedAt)}, here it is ${instantText(now)}`
    return refuse('clock-skew', `the contract is of ${both}; set the clock`)
  }
  if (contract.expires <= now) return refuse('document-expired', 'the contract has expired')
  const same: (keyof Contract & keyof Payload<'request'>)[] = [
    'marketplace',
    'issuer',
    'organisation',
    'user',
    'purpose',
    'datasets',
    'algorithm',
    'recipients',
    'verify'
  ]
  const changed = same.find((field) => !isDeepStrictEqual(contract[field], request[field]))
  if (changed !== undefined) return differs(changed)
  if (contract.deadline > request.deadline) return differs('the deadline is longer')
  const known = archetypes.get(contract.archetype.name)
  if (known === undefined)
    return refuse('archetype-unknown', `archetype ${contract.archetype.name} is not known here`)
  if (!isDeepStrictEqual(known, contract.archetype)) {
    return refuse('archetype-differs', `another archetype is known here as ${contract.archetype.name}`)
  }
  return null
}

function role(contract: Contract, wanted: Party['roles'][number]): Party[] {
  return contract.parties.filter((party) => party.roles.includes(wanted))
}

/** Which of the rows that were asked the contract takes; -1: none. */
function rowOf(contract: Contract, request: Payload<'request'>): number {
  const host = hostOf(contract)
  return request.rows.findIndex(
    (one) => one.archetype === contract.archetype.name && one.infrastructure === host
  )
}

function checkParties({ self, contract, request, offer }: ContractFacts): Refusal | null {
  const own = contract.parties.find((party) => party.peer === self.peer)
  if (own === undefined) return invalid('this agent is no party')
  if (own.organisation !== self.organisation) return invalid('this agent is named under another organisation')
  if (own.sandbox !== self.sandbox) return differs('the sandbox of this agent')
  const data = role(contract, 'data')
  const hosts = role(contract, 'infrastructure')
  const recipients = role(contract, 'recipient')
  if (new Set(contract.parties.map((party) => party.peer)).size !== contract.parties.length)
    return invalid('a party stands twice')
  if (contract.parties.some((party) => new Set(party.roles).size !== party.roles.length))
    return invalid('a role stands twice')
  if (recipients.length !== 1) return invalid('expected one recipient')
  if (!request.recipients.includes(recipients[0]?.organisation ?? '')) return differs('the recipient')
  if (data.length === 0 || data.some((party) => !request.providers.includes(party.peer)))
    return differs('the data providers')
  const again = contract.verify === undefined ? 0 : 1
  const wanted = computesAtData(contract.archetype) ? 0 : 1 + again
  if (hosts.length !== wanted) return invalid(`expected ${wanted} compute providers`)
  if (again === 1 && !hosts.some((party) => party.peer === contract.verify))
    return invalid('nobody runs again what is to be verified')
  // An organisation may run several agents: two of one would vouch for each other.
  if (again === 1 && new Set(hosts.map(({ organisation }) => organisation)).size !== hosts.length)
    return invalid('an organisation runs again what it runs itself')
  if (again === 1 && hosts.some(({ organisation }) => organisation === recipients[0]?.organisation))
    return invalid('the recipient is one of the two that are compared')
  if (hosts.some((party) => data.includes(party)))
    return invalid('a data provider cannot be the compute provider of the others')
  const row = rowOf(contract, request)
  if (row === -1) return differs('the placement is none of the rows that were asked')
  const onlyTakes = self.peer === contract.issuer && own.roles.every((one) => one === 'recipient')
  if (own.offer === null)
    return offer === null && onlyTakes ? null : invalid('it does not name the offer it rests on')
  const answer = offer?.payload.rows.find((one) => one.row === row)
  return answer?.verdict === 'permit' ? null : differs('this row was refused')
}

/** The chain must be the one that the archetype gives for these parties: nothing added, nothing left out, nothing moved. */
function checkChain({ contract, services, request }: ContractFacts): Refusal | null {
  const data = role(contract, 'data')
  const [recipient] = role(contract, 'recipient')
  const host = hostOf(contract)
  const expected = composeChain({
    archetype: contract.archetype,
    services,
    data: data.map((party) => ({
      peer: party.peer,
      required: contract.chain
        .filter((step) => step.at === party.peer && step.service === 'anonymize')
        .map((step) => step.service)
    })),
    infrastructure: host,
    verifier: contract.verify,
    recipient: recipient?.peer ?? '',
    union: request.options.aggregate && data.length > 1,
    asked: askedServices(request.options),
    states: sendsStates(contract)
  })
  if ('problem' in expected) return invalid(expected.problem)
  if (!isDeepStrictEqual(expected.steps, contract.chain))
    return invalid('the chain is not the one its archetype gives')
  if (!isDeepStrictEqual(expected.flows, contract.flows))
    return invalid('the flows are not those its archetype gives')
  return null
}

function checkOffer({ self, contract, request, offer }: ContractFacts): Refusal | null {
  const row = rowOf(contract, request)
  const answer = offer?.payload.rows.find((one) => one.row === row)
  if (answer?.verdict !== 'permit' || answer.terms === null) return null
  const own = contract.chain.filter((step) => step.at === self.peer).map((step) => step.service)
  const missing = answer.services.find((service) => !own.includes(service))
  if (missing !== undefined)
    return refuse('service-required', `${missing} was required here and is not in the chain`)
  if (!isDeepStrictEqual(combineTerms([contract.terms, answer.terms]), combineTerms([contract.terms]))) {
    return differs('the terms of the result are wider than what was offered')
  }
  return null
}

function checkSections({ self, contract, sections, request, offer, query }: ContractFacts): Refusal | null {
  const own = contract.parties.find((party) => party.peer === self.peer)
  const roles = sections.map((section) => section.as)
  if (own === undefined || !isDeepStrictEqual([...roles].sort(), [...own.roles].sort())) {
    return invalid('its sections do not match the roles of this agent')
  }
  const several = role(contract, 'data').length > 1
  const union = request.options.aggregate && several
  const atData = computesAtData(contract.archetype)
  const host = hostOf(contract)
  const row = rowOf(contract, request)
  for (const section of sections) {
    switch (section.as) {
      case 'data': {
        if (query === null || !isDeepStrictEqual(section.query, query)) return differs('the query')
        const granted = offer?.details.grants.some((grant) => {
          const agreements = grant.agreements.map(({ dataset, id }) => ({ dataset, agreement: id }))
          return grant.rows.includes(row) && isDeepStrictEqual(agreements, section.agreements)
        })
        if (granted !== true) return differs('the agreements')
        const whole = atData && !union
        const phase = whole ? 'complete' : atData || sendsStates(contract) ? 'partial' : null
        if (section.algorithm !== phase) return invalid('the algorithm stands in the wrong phase')
        break
      }
      case 'infrastructure':
      case 'recipient': {
        if (section.union !== union) return invalid('results are put together otherwise than was asked')
        if (section.as === 'recipient' && section.merge !== (union && atData))
          return invalid('partial results are merged otherwise than their archetype says')
        const picture = section.as === 'recipient' ? checkPicture(section.graph, request) : null
        if (picture !== null) return picture
        const incoming =
          section.as === 'infrastructure'
            ? flowsToInfrastructure(contract.flows, self.peer)
            : flowsToRecipient(contract.flows, self.peer, host)
        const expectedPhase = sendsStates(contract) ? 'merge' : 'complete'
        if (section.as === 'infrastructure' && section.algorithm !== expectedPhase)
          return invalid('the algorithm does not run where the archetype places it')
        const carries = (flows: readonly { flow: number }[]) =>
          flows.map(({ flow }) => ({ flow, organisations: carriedBy(contract, flow, union) }))
        const named = section.inputs.map(({ flow, organisations }) => ({ flow, organisations }))
        if (!isDeepStrictEqual(named, carries(incoming)))
          return invalid(
            'the inputs are not the flows to this agent, with the organisations whose rows they carry'
          )
        if (section.as === 'infrastructure') break
        const again = section.again?.map(({ flow, organisations }) => ({ flow, organisations })) ?? []
        const repeated =
          contract.verify === undefined ? [] : flowsToRecipient(contract.flows, self.peer, contract.verify)
        if (!isDeepStrictEqual(again, carries(repeated)))
          return invalid('what was run again is not what comes of it')
        break
      }
    }
  }
  return null
}

/** Where output is protected no rows leave a data provider: another party gets states of the algorithm, and merges them. */
function sendsStates({ terms, archetype }: Contract): boolean {
  return terms.minGroupSize !== undefined && !computesAtData(archetype)
}

/** The asker's own specification, which this agent will have drawn: checked as if it had been submitted here. */
function checkPicture(specification: string | undefined, request: Payload<'request'>): Refusal | null {
  if (specification === undefined) return null
  if (!request.options.graph) return invalid('a picture is specified, and none was asked for')
  let value: unknown
  try {
    value = JSON.parse(specification)
  } catch {
    return refuse('graph-specification', 'the specification of the picture is not JSON')
  }
  const [problem] = specificationProblems(value)
  return problem === undefined
    ? null
    : refuse(
        'graph-specification',
        `the picture: ${problem.path.join('.')}: ${problem.message}`.slice(0, 500)
      )
}

/** Whose rows a flow carries: of its sender, or, out of a compute provider, of all data providers or of one in turn. */
function carriedBy(contract: Contract, number: number, union: boolean): string[] {
  const data = role(contract, 'data')
  const flow = contract.flows[number]
  const sender = data.find((party) => party.peer === flow?.from)
  if (sender !== undefined) return [sender.organisation]
  if (union) return data.map((party) => party.organisation)
  const out = contract.flows.filter((one) => one.from === flow?.from).findIndex((one) => one.flow === number)
  const one = data[out]
  return one === undefined ? [] : [one.organisation]
}
