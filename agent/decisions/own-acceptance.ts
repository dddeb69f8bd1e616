import { combineTerms, resultTermsOf } from '../../policy/index.ts'
import type { Section } from '../../protocol/documents/index.ts'
import { sealShares } from '../exchange/index.ts'
import type { Body, Dossier } from '../negotiation/index.ts'
import type { DecisionsComponents } from './components.ts'

type DataSection = Extract<Section, { as: 'data' }>

const KEY_SHARE_BYTES = 32

/** What this agent adds to its acceptance: a data provider the terms of the result and its share of the pseudonym key. */
export function ownAcceptance(
  { agreements, members, random }: Pick<DecisionsComponents, 'agreements' | 'members' | 'random'>,
  dossier: Dossier,
  contract: string
): Pick<Body<'acceptance'>, 'resultTerms' | 'shares' | 'statusNumber'> {
  const { payload } = dossier.contract(contract).contract
  const data = dossier.mine(contract).find((section): section is DataSection => section.as === 'data')
  const terms = (data?.agreements ?? []).flatMap((one) => agreements.get(one.agreement)?.payload.terms ?? [])
  const pseudonyms = payload.chain.some((step) => step.service === 'anonymize')
  const providers = payload.parties.filter((party) => party.roles.includes('data')).map((party) => party.peer)
  return {
    statusNumber: members.statusNumber,
    resultTerms:
      terms.length === 0
        ? null
        : combineTerms(terms.map((one) => resultTermsOf(one, dossier.request.payload.organisation))),
    shares: terms.length > 0 && pseudonyms ? sealShares(random(KEY_SHARE_BYTES), providers) : []
  }
}
