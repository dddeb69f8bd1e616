import { z } from 'zod'
import { type Connection, storedBytes, storedInteger } from '../connection.ts'

const refusalRow = z.object({
  agreement: z.string(),
  organisation: z.string(),
  reason: z.string(),
  bytes: storedBytes,
  at: storedInteger
})
/** A party's no to a proposal: its signed words. */
export type StoredRefusal = z.infer<typeof refusalRow>

const revocationRow = z.object({
  agreement: z.string(),
  organisation: z.string(),
  reason: z.string(),
  endsAt: storedInteger,
  bytes: storedBytes,
  at: storedInteger
})
/** That a party ends an agreement, from `endsAt` on. */
export type StoredRevocation = z.infer<typeof revocationRow>

/** `agreement`: as it stands, with the signatures there are; the others: this organisation's own signed word about it. */
export const deliveryKind = z.enum(['agreement', 'refusal', 'revocation', 'replaced'])
export type DeliveryKind = z.infer<typeof deliveryKind>

const deliveryRow = z.object({
  party: z.string(),
  kind: deliveryKind,
  agreement: z.string(),
  addedAt: storedInteger,
  /** Grows with each change: what is delivered is done only if nothing changed meanwhile. */
  turn: storedInteger,
  problem: z.string().nullable(),
  /** 1 when that party will not take it, however often it is sent. */
  gaveUp: storedInteger
})
/** What a party has still to hear, and why it has not. */
export type StoredDelivery = z.infer<typeof deliveryRow>

const REVOCATION = 'agreement, organisation, reason, ends_at AS endsAt, bytes, at'
const DELIVERY = 'party, kind, agreement, added_at AS addedAt, turn, problem, gave_up AS gaveUp'

export interface AgreementLife {
  /** @returns false when that party had refused it already */
  refuse(refusal: StoredRefusal): Promise<boolean>
  refusals(agreement: string): Promise<StoredRefusal[]>
  allRefusals(): Promise<StoredRefusal[]>
  /** @returns false when that party had revoked it already */
  revoke(revocation: StoredRevocation): Promise<boolean>
  revocations(agreement: string): Promise<StoredRevocation[]>
  allRevocations(): Promise<StoredRevocation[]>
  /** Parties that have to hear of it; said again, it is sent again. */
  toDeliver(
    delivery: { kind: DeliveryKind; agreement: string; at: number },
    parties: readonly string[]
  ): Promise<void>
  /** The oldest first. */
  undelivered(party?: string): Promise<StoredDelivery[]>
  /** It arrived, unless it was to be sent again meanwhile. */
  delivered(delivery: Pick<StoredDelivery, 'party' | 'kind' | 'agreement' | 'turn'>): Promise<void>
  failed(
    delivery: Pick<StoredDelivery, 'party' | 'kind' | 'agreement' | 'turn'>,
    problem: string,
    gaveUp: boolean
  ): Promise<void>
}

export function agreementLifeOn(connection: Connection): AgreementLife {
  return {
    refuse: async ({ agreement, organisation, reason, bytes, at }) =>
      (await connection.run(
        `INSERT OR IGNORE INTO agreement_refusals (agreement, organisation, reason, bytes, at) VALUES (?, ?, ?, ?, ?)`,
        [agreement, organisation, reason, bytes, at]
      )) > 0,
    refusals: async (agreement) =>
      await connection.all(
        refusalRow,
        `SELECT agreement, organisation, reason, bytes, at FROM agreement_refusals WHERE agreement = ? ORDER BY at, organisation`,
        [agreement]
      ),
    allRefusals: async () =>
      await connection.all(
        refusalRow,
        'SELECT agreement, organisation, reason, bytes, at FROM agreement_refusals ORDER BY at, organisation'
      ),
    revoke: async ({ agreement, organisation, reason, endsAt, bytes, at }) =>
      (await connection.run(
        `INSERT OR IGNORE INTO revocations (agreement, organisation, reason, ends_at, bytes, at) VALUES (?, ?, ?, ?, ?, ?)`,
        [agreement, organisation, reason, endsAt, bytes, at]
      )) > 0,
    revocations: async (agreement) =>
      await connection.all(
        revocationRow,
        `SELECT ${REVOCATION} FROM revocations WHERE agreement = ? ORDER BY ends_at, organisation`,
        [agreement]
      ),
    allRevocations: async () =>
      await connection.all(
        revocationRow,
        `SELECT ${REVOCATION} FROM revocations ORDER BY ends_at, organisation`
      ),
    toDeliver: async ({ kind, agreement, at }, parties) => {
      for (const party of parties)
        await connection.run(
          `INSERT INTO agreement_deliveries (party, kind, agreement, added_at, turn) VALUES (?, ?, ?, ?, 1)
           ON CONFLICT (party, kind, agreement) DO UPDATE SET turn = turn + 1, problem = NULL, gave_up = 0`,
          [party, kind, agreement, at]
        )
    },
    undelivered: async (party) =>
      await connection.all(
        deliveryRow,
        `SELECT ${DELIVERY} FROM agreement_deliveries WHERE ? IS NULL OR party = ?
         ORDER BY added_at, kind, agreement, party`,
        [party ?? null, party ?? null]
      ),
    delivered: async ({ party, kind, agreement, turn }) => {
      await connection.run(
        'DELETE FROM agreement_deliveries WHERE party = ? AND kind = ? AND agreement = ? AND turn = ?',
        [party, kind, agreement, turn]
      )
    },
    failed: async ({ party, kind, agreement, turn }, problem, gaveUp) => {
      await connection.run(
        `UPDATE agreement_deliveries SET problem = ?, gave_up = ?
         WHERE party = ? AND kind = ? AND agreement = ? AND turn = ?`,
        [problem, gaveUp ? 1 : 0, party, kind, agreement, turn]
      )
    }
  }
}
