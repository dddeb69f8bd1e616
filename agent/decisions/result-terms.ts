import {
  acceptedTermsProblem,
  type BrokenTerm,
  type TermsProblem,
  type Use,
  withinTerms
} from '../../policy/index.ts'
import type { Payload, Refusal, RefusalCode } from '../../protocol/documents/index.ts'
import type { HeldContract, Objection } from '../negotiation/index.ts'
import { refuse } from './components.ts'

type Contract = Payload<'contract'>

const BROKEN: Readonly<Record<BrokenTerm, [RefusalCode, string]>> = {
  recipients: [
    'recipient-not-permitted',
    'its recipients are not among those that the terms of the data allow'
  ],
  purposes: ['purpose-not-permitted', 'the terms of the data do not allow its purpose'],
  until: ['agreement-expired', 'the terms of the data have ended'],
  services: ['service-required', 'its chain lacks a service that the terms of the data require'],
  forbid: ['service-forbidden', 'its chain has a service that the terms of the data forbid'],
  maxRows: ['output-limit', 'it has more rows than the terms of the data allow']
}

function useOf({ recipients, purpose, chain }: Contract, now: number): Use {
  return { recipients, purpose, services: chain.map((step) => step.service), now }
}

/** Why a contract is not within its own terms, whoever wrote it. */
export function refuseOutsideTerms(contract: Contract, now: number): Refusal | null {
  const [first] = withinTerms(contract.terms, useOf(contract, now))
  if (first === undefined) return null
  const [code, why] = BROKEN[first]
  return refuse(code, `the contract is not within its terms: ${why}`)
}

function explain(problem: TermsProblem, organisation: string): string {
  switch (problem.problem) {
    case 'absent':
      return `${organisation} accepted without terms of the result: expected those of its agreement`
    case 'unasked':
      return `${organisation} accepted with terms of the result, and provides no data: expected none`
    case 'use':
      return `${organisation} accepted under terms that do not permit this: ${problem.broken.join(', ')}`
    case 'narrower':
      return `${organisation} accepted under narrower terms of the result than the contract has`
  }
}

/**
 * Asked with all acceptances at hand, by each party for itself: the terms that the data providers signed are those of the
 * contract or wider, and permit it. Whoever signed others is blamed.
 */
export function objectionToAccepted(
  { contract, acceptances }: Pick<HeldContract, 'contract' | 'acceptances'>,
  now: number
): Objection | null {
  const { parties, terms } = contract.payload
  const accepted = parties.map(({ peer, roles }) => ({
    party: peer,
    isProvider: roles.includes('data'),
    terms: acceptances.get(peer)?.payload.resultTerms
  }))
  const problem = acceptedTermsProblem(terms, accepted, useOf(contract.payload, now))
  if (problem === null) return null
  const organisation = parties.find(({ peer }) => peer === problem.party)?.organisation ?? ''
  return {
    refusal: refuse('result-terms-differ', explain(problem, organisation)),
    hop: problem.party
  }
}
