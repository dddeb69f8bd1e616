import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Payload, Signed } from '../../../protocol/documents/index.ts'
import type { CaseFile, Kept } from './case-file.ts'
import type { Members } from './members.ts'
import { parseParts } from './party-parts.ts'
import type { Tell } from './tell.ts'

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
  for (const contract of file.all('contract')) checkBasis(file, contract, tell)
}

/** Whether the provider has signed by an offer to anybody, whose taking its agent counted. */
function isTaken(agreement: Signed<'agreement'>, party: string, members: Members): boolean {
  const { payload, standing: offer, signers } = agreement
  if (offer === undefined || party !== payload.provider) return false
  return (
    offer.signers.some(
      (one) => members.isSteward(one, party) && !members.isExpelled(one, offer.payload.issuedAt)
    ) &&
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

/** A data party answers for what it shows under its own agreements. */
function checkBasis(file: CaseFile, contract: Kept<'contract'>, tell: Tell): void {
  const { id, payload } = contract.document
  for (const party of payload.parties) {
    const opened = file.section(party.section)
    if (opened === undefined || !party.roles.includes('data')) continue
    const acceptance = file
      .all('acceptance')
      .find(({ document: { payload: said } }) => said.contract === id && said.issuer === party.peer)
    const at = acceptance?.document.payload.issuedAt
    for (const section of parseParts(opened.section.content))
      if (section.as === 'data')
        for (const { dataset, agreement: named } of section.agreements) {
          const agreement = file.find('agreement', named)
          if (agreement === undefined) continue
          const seen = acceptance === undefined ? [agreement] : [agreement, acceptance]
          const problem = forbids(agreement.document.payload, payload, party.organisation, dataset, at)
          if (problem !== null)
            tell(
              'agreement-basis',
              contract,
              `its agreement does not permit it: ${problem}`,
              seen,
              party.peer
            )
          for (const revocation of file.all('revocation')) {
            const ended = revocation.document.payload
            if (ended.agreement === named && at !== undefined && at >= ended.issuedAt + ended.notice)
              tell('agreement-basis', contract, 'its agreement had ended', [...seen, revocation], party.peer)
          }
        }
  }
}

/** What of a contract an agreement does not permit to its provider. */
function forbids(
  { provider, dataset: about, terms }: Payload<'agreement'>,
  contract: Payload<'contract'>,
  organisation: string,
  dataset: string,
  at: number | undefined
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
  const computing = contract.parties.filter(
    ({ roles }) => roles.includes('infrastructure') && !roles.includes('data')
  )
  if (
    !computing.every(
      (one) => one.organisation === provider || lists(terms.computeProviders, one.organisation)
    )
  )
    return 'computeProviders'
  if (!lists(terms.algorithms, contract.algorithm)) return 'algorithms'
  const received = contract.recipients.every(
    (one) => lists(terms.recipients, one) || (one === user.organisation && lists(terms.recipients, REQUESTER))
  )
  if (!received) return 'recipients'
  const { from, until } = terms.valid
  if (at !== undefined && from !== undefined && at < from) return 'valid.from'
  if (at !== undefined && until !== undefined && at >= until) return 'valid.until'
  return null
}
