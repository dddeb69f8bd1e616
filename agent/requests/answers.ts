import type { Effect } from '../../protocol/negotiation/index.ts'
import type { Answer } from '../composition/index.ts'
import type { Dossier, HeldOffer } from '../negotiation/index.ts'

/**
 * The answers that a plan may rest on: the offer that the negotiation holds of a hop. Where it holds none, the hop's newest
 * answer says why, unless it permits: what was offered in an earlier epoch, and not again, counts no longer, and the hop has
 * not answered. A hop that dropped out keeps its answer, for people to see.
 */
export function answersTo(
  { offers, without }: Pick<Extract<Effect, { do: 'compose' }>, 'offers' | 'without'>,
  asked: readonly string[],
  dossier: Pick<Dossier, 'offers'>
): Answer[] {
  const counting = new Map(offers.map(({ hop, offer }) => [hop, offer]))
  const dropped = new Set(without.map(({ hop }) => hop))
  return asked.flatMap((peer) => {
    const id = counting.get(peer)
    const held = id === undefined ? latestOffer(dossier, peer) : dossier.offers.get(id)
    if (held === undefined || (id === undefined && permits(held) && !dropped.has(peer))) return []
    const { offer, details } = held
    return [{ peer, organisation: offer.payload.organisation, offer, details }]
  })
}

export function permits({ offer }: HeldOffer): boolean {
  return offer.payload.rows.some((row) => row.verdict === 'permit')
}

/** A hop's newest offer. */
export function latestOffer(dossier: Pick<Dossier, 'offers'>, peer: string): HeldOffer | undefined {
  let latest: HeldOffer | undefined
  for (const held of dossier.offers.values()) {
    if (held.offer.payload.issuer !== peer) continue
    if (latest === undefined || held.offer.payload.issuedAt >= latest.offer.payload.issuedAt) latest = held
  }
  return latest
}
