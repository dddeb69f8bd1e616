import { z } from 'zod'
import { count, duration, header, instant, name, organisation, peer, text } from './fields.ts'

export const role = z.enum(['dataProvider', 'computeProvider'])
export type Role = z.infer<typeof role>

/** The rules of a marketplace; its id is the marketplace's id. Signed by `threshold` of the authorities. */
export const charter = z.strictObject({
  ...header('charter'),
  name,
  authorities: z.array(peer).min(1).max(16),
  threshold: z.int().positive(),
  membershipLifetime: duration,
  statusMaxAge: duration,
  contact: text
})

/** The authority's word that these keys are that organisation, until `expires`. */
export const membership = z.strictObject({
  ...header('membership'),
  organisation,
  about: z.strictObject({ ror: text.optional(), dns: text.optional(), did: text.optional() }),
  agents: z.array(peer).min(1).max(32),
  /** Keys that sign agreements. */
  stewards: z.array(peer).max(32),
  roles: z.array(role).max(2),
  /** Mail domains (`uva.nl`) or users (`analyst@uva.nl`) it speaks for. */
  speaksFor: z.array(z.string().min(1).max(256)).max(256)
})

/** How many keys a status list can name. */
export const MAX_EXPELLED = 4096

/** A key that is trusted no longer. */
export const expulsion = z.strictObject({
  peer,
  since: instant,
  /** For people; acts on nothing. */
  reason: z.string().max(200).optional(),
  /** Somebody else had the key from then on: what it signed counts only where it was held before. */
  stolenFrom: instant.optional()
})
export type Expulsion = z.infer<typeof expulsion>

/** Complete, numbered list of expelled keys. */
export const statusList = z.strictObject({
  ...header('status'),
  number: count,
  expelled: z.array(expulsion).max(MAX_EXPELLED)
})
