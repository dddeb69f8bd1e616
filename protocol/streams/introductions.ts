import { z } from 'zod'
import { capability, membership, signedBytes, statusList } from '../documents/index.ts'

const { issuer: peer, organisation } = membership.shape
const { issuedAt: instant } = statusList.shape
const { number: count } = statusList.shape
const { sequence } = capability.shape

export const HELLO_PROTOCOL = '/dynamos/hello/1'
export const STATUS_PROTOCOL = '/dynamos/status/1'
export const MEMBERSHIP_PROTOCOL = '/dynamos/membership/1'
export const CHANGED_PROTOCOL = '/dynamos/changed/1'
export const DESCRIBE_PROTOCOL = '/dynamos/describe/1'
export const PROVIDERS_PROTOCOL = '/dynamos/providers/1'
export const KAD_PROTOCOL = '/dynamos/kad/1.0.0'

/** The first message of every connection, each way. `membership` is absent when the one that speaks has none. */
export const hello = z.strictObject({
  marketplace: z.string().max(128),
  membership: signedBytes.optional(),
  /** Number of the newest status list it holds. */
  status: count,
  /** Id of that list: another one under the same number proves that the authorities said two things. */
  list: z.string().max(128).optional(),
  /** Sequence number of its capability. */
  capability: sequence,
  /** Its own clock, in milliseconds since 1970. */
  clock: instant
})
export type Hello = z.infer<typeof hello>

/** A stranger is told the marketplace's id and contact and nothing else. */
export const helloReply = z.union([
  z.strictObject({ hello }),
  z.strictObject({
    refused: z.strictObject({
      code: z.string().max(64),
      message: z.string().max(1024),
      marketplace: z.string().max(128),
      contact: z.string().max(4096)
    })
  })
])
export type HelloReply = z.infer<typeof helloReply>

export const nothing = z.strictObject({})

/** Answer to the request for the newest status list. */
export const statusReply = z.strictObject({ status: signedBytes })

/** "My organisation has a newer membership": to whoever is connected. */
export const shownMembership = z.strictObject({ membership: signedBytes })

/** "Mine is newer now": which status list and which capability the sender holds. */
export const changed = z.strictObject({
  status: count,
  list: z.string().max(128).optional(),
  capability: sequence
})

/** Answer to the request for a peer's capability. */
export const described = z.strictObject({
  capability: signedBytes,
  /** Datasets in it that only parties of an agreement may see: not to be told to others. */
  confidential: z.array(z.string().max(128)).max(256)
})

export const lookupKind = z.enum(['dataset', 'role'])
export type LookupKind = z.infer<typeof lookupKind>

/** "Whom do you know?", page by page: `after` is the last peer of the page before, peers come in order of their ids. */
export const providersQuestion = z.strictObject({
  kind: lookupKind,
  name: z.string().min(1).max(128),
  after: peer.optional()
})

export const MAX_PROVIDERS_PAGE = 64

export const providersPage = z.strictObject({
  providers: z
    .array(z.strictObject({ peer, organisation, addresses: z.array(z.string().max(256)).max(16) }))
    .max(MAX_PROVIDERS_PAGE),
  more: z.boolean()
})
