import { z } from 'zod'

/** An agreement without consumers, which members may take. */
export const standingOfferView = z.object({
  id: z.string(),
  name: z.string(),
  provider: z.string(),
  dataset: z.string(),
  purposes: z.union([z.literal('*'), z.array(z.string())]),
  /** After that nobody takes it any more. */
  until: z.string(),
  /** Of those of others: always published. */
  state: z.enum(['draft', 'published', 'withdrawn', 'superseded', 'ended']),
  /** Who may take it, how many, and who did: told by its provider to its own people. */
  takers: z.union([z.literal('*'), z.array(z.string())]).exactOptional(),
  max: z.number().exactOptional(),
  takenBy: z.array(z.string()).exactOptional(),
  /** In words, and as a file; of one that was asked for by name. */
  plain: z.array(z.string()).exactOptional(),
  text: z.string().exactOptional()
})
export type StandingOfferView = z.infer<typeof standingOfferView>

/** What a steward has to sign to publish one. */
export const preparedOffer = z.object({ id: z.string(), payload: z.string(), view: standingOfferView })

/** Offers, and organisations that could not be asked. */
export const standingOfferList = z.object({
  offers: z.array(standingOfferView),
  unreached: z.array(z.object({ organisation: z.string(), reason: z.string() }))
})
export type StandingOfferList = z.infer<typeof standingOfferList>
