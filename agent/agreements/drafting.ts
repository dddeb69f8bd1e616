import type { PrivateKey } from '@libp2p/interface'
import { type AgreementDraft, agreementParties, namesToPin } from '../../policy/index.ts'
import { signFields } from '../../protocol/documents/index.ts'
import type { Manifests } from '../../services/index.ts'
import type { Agreement } from './agreement.ts'
import { AgreementNotSignable } from './errors.ts'
import { TEN_YEARS } from './ten-years.ts'

/** The digests of what terms name, as far as it is known here. */
export function pinsOf(terms: AgreementDraft['terms'], manifests: Manifests): Record<string, string> {
  const known = {
    archetype: manifests.archetypes,
    service: manifests.services,
    algorithm: manifests.algorithms
  }
  return Object.fromEntries(
    namesToPin(terms).flatMap(({ kind, name, key }) => {
      const found = known[kind].get(name)
      return found === undefined ? [] : [[key, found.digest]]
    })
  )
}

/** The agreement as it would be signed: terms, parties and the digests of what it names; signed by the agent that made it. */
export async function issueAgreement(
  { name, provider, dataset, terms, standing }: AgreementDraft,
  init: {
    marketplace: string
    self: string
    key: PrivateKey
    manifests: Manifests
    now: number
    /** The version in force that it replaces. */
    supersedes: Agreement | undefined
    /** The proposal it answers. */
    counters?: Agreement
  }
): Promise<Agreement> {
  const { marketplace, self, key, manifests, now, supersedes, counters } = init
  if (standing !== undefined)
    throw new AgreementNotSignable(
      'agreement-malformed',
      `expected consumers in ${name}, found a standing offer; publish it with \`dynamos agreement publish\``
    )
  const earlier = Math.max(supersedes?.payload.issuedAt ?? 0, counters?.payload.issuedAt ?? 0)
  return await signFields(
    'agreement',
    {
      type: 'agreement',
      version: 1,
      marketplace,
      issuer: self,
      issuedAt: Math.max(now, earlier + 1),
      expires: terms.valid.until ?? now + TEN_YEARS,
      name,
      provider,
      dataset,
      parties: agreementParties({ provider, terms }),
      terms,
      pins: pinsOf(terms, manifests),
      ...(supersedes === undefined ? {} : { supersedes: supersedes.id }),
      ...(counters === undefined ? {} : { counters: counters.id })
    },
    key
  )
}
