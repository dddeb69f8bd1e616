import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import {
  decodePlain,
  MalformedDocument,
  type Payload,
  type Section,
  type Signed,
  sections
} from '../../../protocol/documents/index.ts'
import type { CaseFile, Kept } from './case-file.ts'
import type { Tell } from './documents.ts'
import type { Members } from './members.ts'

const TEN_YEARS_MS = 10 * 365 * 86_400_000
const REQUESTER = '@requester'

/** That agreements are in force, and that what was accepted rests on them. */
export function checkAgreements(file: CaseFile, members: Members, tell: Tell): void {
  for (const kept of file.all('agreement')) {
    const { document } = kept
    const { parties } = document.payload
    const missing = parties.find(
      (party) =>
        !document.signers.some((one) => members.isSteward(one, party)) && !isTaken(document, party, members)
    )
    if (missing !== undefined) tell('agreement-unsigned', kept, `no steward of ${missing} signed it`)
  }
  for (const acceptance of file.all('acceptance')) checkBasis(file, acceptance, tell)
}

/** Whether the provider has signed by an offer to anybody, whose taking its agent counted. */
function isTaken(agreement: Signed<'agreement'>, party: string, members: Members): boolean {
  const { payload, standing: offer, signers } = agreement
  if (offer === undefined || party !== payload.provider) return false
  return (
    offer.signers.some((one) => members.isSteward(one, party)) &&
    follows(payload, offer.payload) &&
    signers.includes(offer.payload.issuer)
  )
}

/** See docs/protocol.md §5, "Standing offers". */
function follows(agreement: Payload<'agreement'>, offer: Payload<'standing-offer'>): boolean {
  const taker = agreement.parties.find((one) => one !== offer.provider)
  if (taker === undefined || agreement.parties.length !== 2) return false
  if (offer.takers !== '*' && !offer.takers.includes(taker)) return false
  const short = createHash('sha256').update(taker).digest('hex').slice(0, 32)
  const name = /^[A-Za-z0-9_-]+$/.test(taker) ? `${offer.name}.${taker}` : `${offer.name}..${short}`
  const terms = { ...offer.terms, consumers: [{ organisation: taker }] }
  const { until } = offer.terms.valid
  return (
    agreement.marketplace === offer.marketplace &&
    agreement.provider === offer.provider &&
    agreement.dataset === offer.dataset &&
    agreement.name === name &&
    agreement.counters === undefined &&
    agreement.issuedAt >= offer.issuedAt &&
    agreement.issuedAt < offer.expires &&
    agreement.expires === (until ?? agreement.issuedAt + TEN_YEARS_MS) &&
    isDeepStrictEqual(agreement.pins, offer.pins) &&
    isDeepStrictEqual(agreement.terms, terms)
  )
}

type DataSection = Extract<Section, { as: 'data' }>

function dataSections(content: Uint8Array): DataSection[] {
  try {
    return decodePlain(content, sections).filter((one): one is DataSection => one.as === 'data')
  } catch (error) {
    if (error instanceof MalformedDocument) return []
    throw error
  }
}

function checkBasis(file: CaseFile, acceptance: Kept<'acceptance'>, tell: Tell): void {
  const { contract: id, issuer, issuedAt } = acceptance.document.payload
  const contract = file.find('contract', id)
  const party = contract?.document.payload.parties.find(({ peer }) => peer === issuer)
  if (contract === undefined || party === undefined || !party.roles.includes('data')) return
  const opened = file.section(party.section)
  if (opened === undefined) return
  for (const { agreements } of dataSections(opened.section.content))
    for (const { dataset, agreement: named } of agreements) {
      const agreement = file.find('agreement', named)
      if (agreement === undefined) continue
      const seen = [contract, opened, agreement]
      const problem = forbids(
        agreement.document.payload,
        contract.document.payload,
        party.organisation,
        dataset,
        issuedAt
      )
      if (problem !== null)
        tell(
          'agreement-basis',
          acceptance,
          `the agreement that it rests on does not permit it: ${problem}`,
          seen
        )
      for (const revocation of file.all('revocation')) {
        const ended = revocation.document.payload
        if (ended.agreement === named && issuedAt >= ended.issuedAt + ended.notice)
          tell('agreement-basis', acceptance, 'the agreement that it rests on had ended', [
            ...seen,
            revocation
          ])
      }
    }
}

/** What of a contract an agreement does not permit to its provider. */
function forbids(
  { provider, dataset: about, terms }: Payload<'agreement'>,
  contract: Payload<'contract'>,
  organisation: string,
  dataset: string,
  at: number
): string | null {
  const lists = (list: '*' | readonly string[], one: string) => list === '*' || list.includes(one)
  const { user } = contract
  if (provider !== organisation) return 'provider'
  if (about !== dataset) return 'dataset'
  const consumer = terms.consumers.some((one) =>
    'user' in one ? isDeepStrictEqual(one.user, user) : one.organisation === user.organisation
  )
  if (!consumer) return 'consumers'
  if (!lists(terms.purposes, contract.purpose)) return 'purposes'
  if (!lists(terms.archetypes, contract.archetype.name)) return 'archetypes'
  const computing = contract.parties.filter(({ roles }) => roles.includes('infrastructure'))
  if (
    !computing.every(
      (one) => one.organisation === provider || lists(terms.computeProviders, one.organisation)
    )
  )
    return 'computeProviders'
  if (!lists(terms.algorithms, contract.algorithm)) return 'algorithms'
  const received = contract.recipients.every(
    (one) =>
      lists(terms.recipients, one) || (one === contract.organisation && lists(terms.recipients, REQUESTER))
  )
  if (!received) return 'recipients'
  const { from, until } = terms.valid
  if (from !== undefined && at < from) return 'valid.from'
  if (until !== undefined && at >= until) return 'valid.until'
  return null
}
