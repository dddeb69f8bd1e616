import { z } from 'zod'
import { type Connection, storedBytes, storedInteger } from '../connection.ts'

const offerRow = z.object({
  id: z.string(),
  name: z.string(),
  dataset: z.string(),
  state: z.enum(['published', 'withdrawn', 'superseded']),
  bytes: storedBytes,
  publishedAt: storedInteger,
  changedAt: storedInteger
})
/** A standing offer of this organisation, opened (`decodeSigned`) by whoever reads it. */
export type StoredOffer = z.infer<typeof offerRow>

const takerRow = z.object({
  offer: z.string(),
  organisation: z.string(),
  agreement: z.string(),
  at: storedInteger
})
/** An organisation that took an offer, and the agreement that came of it last. */
export type StoredTaker = z.infer<typeof takerRow>

const OFFER = 'id, name, dataset, state, bytes, published_at AS publishedAt, changed_at AS changedAt'

export interface StandingOffers {
  /** Adds one as published; the one that was published under its name is superseded. @returns false when it was there already */
  publish(offer: Pick<StoredOffer, 'id' | 'name' | 'dataset' | 'bytes'> & { at: number }): Promise<boolean>
  /** @returns whether one was published under that name */
  withdraw(name: string, at: number): Promise<boolean>
  get(id: string): Promise<StoredOffer | undefined>
  published(): Promise<StoredOffer[]>
  /** The latest first. */
  all(): Promise<StoredOffer[]>
  takers(offer: string): Promise<StoredTaker[]>
  /** Notes who took it; again: with another agreement. */
  take(taker: StoredTaker): Promise<void>
}

export function standingOffersOn(connection: Connection): StandingOffers {
  return {
    publish: async ({ id, name, dataset, bytes, at }) =>
      await connection.atomically(async (on) => {
        const known = await on.get(offerRow, `SELECT ${OFFER} FROM standing_offers WHERE id = ?`, [id])
        if (known !== undefined) return false
        await on.run(
          `UPDATE standing_offers SET state = 'superseded', changed_at = ? WHERE name = ? AND state = 'published'`,
          [at, name]
        )
        await on.run(
          `INSERT INTO standing_offers (id, name, dataset, state, bytes, published_at, changed_at)
           VALUES (?, ?, ?, 'published', ?, ?, ?)`,
          [id, name, dataset, bytes, at, at]
        )
        return true
      }),
    withdraw: async (name, at) =>
      (await connection.run(
        `UPDATE standing_offers SET state = 'withdrawn', changed_at = ? WHERE name = ? AND state = 'published'`,
        [at, name]
      )) > 0,
    get: async (id) =>
      await connection.get(offerRow, `SELECT ${OFFER} FROM standing_offers WHERE id = ?`, [id]),
    published: async () =>
      await connection.all(
        offerRow,
        `SELECT ${OFFER} FROM standing_offers WHERE state = 'published' ORDER BY name`
      ),
    all: async () =>
      await connection.all(offerRow, `SELECT ${OFFER} FROM standing_offers ORDER BY name, published_at DESC`),
    takers: async (offer) =>
      await connection.all(
        takerRow,
        'SELECT offer, organisation, agreement, at FROM standing_takers WHERE offer = ? ORDER BY organisation',
        [offer]
      ),
    take: async ({ offer, organisation, agreement, at }) => {
      await connection.run(
        `INSERT INTO standing_takers (offer, organisation, agreement, at) VALUES (?, ?, ?, ?)
         ON CONFLICT (offer, organisation) DO UPDATE SET agreement = excluded.agreement, at = excluded.at`,
        [offer, organisation, agreement, at]
      )
    }
  }
}
