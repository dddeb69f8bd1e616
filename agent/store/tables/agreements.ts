import { z } from 'zod'
import { type Connection, storedBytes, storedInteger } from '../connection.ts'

export const agreementState = z.enum([
  'draft',
  'proposed',
  'refused',
  'countered',
  'in-force',
  'superseded',
  'revoked'
])
/** What was decided about an agreement here. Whether it is valid at an instant follows from its terms, not from this. */
export type AgreementState = z.infer<typeof agreementState>

const row = z.object({
  id: z.string(),
  name: z.string(),
  provider: z.string(),
  dataset: z.string(),
  state: agreementState,
  bytes: storedBytes,
  proposedBy: z.string().nullable(),
  addedAt: storedInteger,
  changedAt: storedInteger
})
/** `bytes` is the signed document as it stands, opened (`decodeSigned`) by whoever reads it. */
export type StoredAgreement = z.infer<typeof row>

const COLUMNS =
  'id, name, provider, dataset, state, bytes, proposed_by AS proposedBy, added_at AS addedAt, changed_at AS changedAt'

export interface Agreements {
  /** Adds an agreement that is not in force, or replaces its bytes when more signatures came; its state stays then. */
  put(
    agreement: Pick<StoredAgreement, 'id' | 'name' | 'provider' | 'dataset' | 'bytes'> & {
      state: 'draft' | 'proposed'
      /** The organisation that made it; its provider when left out. */
      proposedBy?: string
      at: number
    }
  ): Promise<void>
  /** Puts it in force; the one in force under the same provider and name is superseded in the same moment. @returns the id of that one */
  enforce(id: string, at: number): Promise<string | undefined>
  setState(id: string, state: Exclude<AgreementState, 'in-force'>, at: number): Promise<boolean>
  get(id: string): Promise<StoredAgreement | undefined>
  /** Every version under a name, the latest first. */
  byName(name: string, provider?: string): Promise<StoredAgreement[]>
  /** By id, as the rule "the lowest id that permits" wants them. */
  inForce(filter?: { dataset?: string; provider?: string }): Promise<StoredAgreement[]>
  all(): Promise<StoredAgreement[]>
  /** Those that stopped being in force at or after `since`. */
  endedSince(since: number): Promise<StoredAgreement[]>
  /** How many that an organisation proposed are not in force yet, or were added after `since`. */
  countRecent(proposedBy: string, since: number): Promise<number>
}

export function agreementsOn(connection: Connection): Agreements {
  return {
    put: async ({ id, name, provider, dataset, state, bytes, proposedBy = provider, at }) => {
      await connection.run(
        `INSERT INTO agreements (id, name, provider, dataset, state, bytes, proposed_by, added_at, changed_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes, changed_at = excluded.changed_at,
           state = CASE WHEN state = 'draft' THEN excluded.state ELSE state END`,
        [id, name, provider, dataset, state, bytes, proposedBy, at, at]
      )
    },
    enforce: async (id, at) =>
      await connection.atomically(async (on) => {
        const earlier = await on.get(
          z.object({ id: z.string() }),
          `SELECT old.id FROM agreements old JOIN agreements new USING (provider, name)
           WHERE new.id = ? AND old.id <> new.id AND old.state = 'in-force'`,
          [id]
        )
        if (earlier !== undefined)
          await on.run(`UPDATE agreements SET state = 'superseded', changed_at = ? WHERE id = ?`, [
            at,
            earlier.id
          ])
        await on.run(`UPDATE agreements SET state = 'in-force', changed_at = ? WHERE id = ?`, [at, id])
        return earlier?.id
      }),
    setState: async (id, state, at) =>
      (await connection.run('UPDATE agreements SET state = ?, changed_at = ? WHERE id = ?', [
        state,
        at,
        id
      ])) > 0,
    get: async (id) => await connection.get(row, `SELECT ${COLUMNS} FROM agreements WHERE id = ?`, [id]),
    byName: async (name, provider) =>
      await connection.all(
        row,
        `SELECT ${COLUMNS} FROM agreements WHERE name = ? AND (? IS NULL OR provider = ?)
         ORDER BY added_at DESC, rowid DESC`,
        [name, provider ?? null, provider ?? null]
      ),
    inForce: async ({ dataset, provider } = {}) =>
      await connection.all(
        row,
        `SELECT ${COLUMNS} FROM agreements WHERE state = 'in-force'
         AND (? IS NULL OR dataset = ?) AND (? IS NULL OR provider = ?) ORDER BY id`,
        [dataset ?? null, dataset ?? null, provider ?? null, provider ?? null]
      ),
    endedSince: async (since) =>
      await connection.all(
        row,
        `SELECT ${COLUMNS} FROM agreements WHERE state IN ('superseded', 'revoked') AND changed_at >= ?`,
        [since]
      ),
    countRecent: async (proposedBy, since) =>
      (
        await connection.get(
          z.object({ count: storedInteger }),
          `SELECT count(*) AS count FROM agreements
           WHERE proposed_by = ? AND (state IN ('draft', 'proposed') OR added_at > ?)`,
          [proposedBy, since]
        )
      )?.count ?? 0,
    all: async () =>
      await connection.all(
        row,
        `SELECT ${COLUMNS} FROM agreements ORDER BY provider, name, added_at DESC, rowid DESC`
      )
  }
}
