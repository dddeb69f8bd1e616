import type { Payload } from '../../protocol/documents/index.ts'
import type { Dossier } from '../negotiation/index.ts'
import type { RequestsComponents } from './components.ts'
import type { Prepared } from './prepare.ts'

type RecoverComponents = Pick<RequestsComponents, 'finder' | 'members' | 'speaker'>

/**
 * What was prepared for a request that waited for people over a restart. What agents offer is asked anew; one that does not
 * answer gives its offer without it.
 *
 * @param candidates the peers that were asked
 */
export async function recoverPrepared(
  dossier: Dossier,
  candidates: readonly string[],
  { finder, members, speaker }: RecoverComponents
): Promise<Prepared | null> {
  const [organisation = speaker.organisation] = dossier.request.payload.recipients
  const peer =
    organisation === speaker.organisation ? speaker.peer : members.byOrganisation(organisation)?.agents[0]
  if (peer === undefined) return null
  const described = await Promise.allSettled(
    candidates.filter((one) => one !== speaker.peer).map(async (one) => await finder.describe(one))
  )
  const capabilities = new Map<string, Payload<'capability'>>()
  for (const one of described)
    if (one.status === 'fulfilled') capabilities.set(one.value.payload.issuer, one.value.payload)
  return {
    dossier,
    candidates: [...candidates],
    recipient: { peer, organisation },
    capabilities,
    unknown: []
  }
}
