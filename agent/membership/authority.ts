import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  addSignature,
  type DocumentType,
  type Expulsion,
  MAX_EXPELLED,
  type Payload,
  type Role,
  type Signed,
  signDocument
} from '../../protocol/documents/index.ts'
import { NotMember, StatusListFull } from './errors.ts'
import { assertThreshold } from './verify.ts'

const DAY_MS = 86_400_000

/** Everything an authority keeps of its marketplace. The discovery key is secret among members. */
export interface Marketplace {
  readonly charter: Signed<'charter'>
  readonly status: Signed<'status'>
  readonly discoveryKey: Uint8Array
  /** Newest last; a renewed membership replaces that of the same organisation. */
  readonly memberships: readonly Signed<'membership'>[]
  /** Keys that an earlier membership lists, as long as somebody could still show that one. */
  readonly former: readonly FormerKey[]
}

export interface FormerKey {
  readonly organisation: string
  readonly peer: string
  /** When the last membership that lists it ends, in milliseconds since 1970. */
  readonly until: number
}

export interface Authority {
  /** Keys of authorities present. Where the charter wants more, others sign what these made (`cosign`). */
  keys: readonly [PrivateKey, ...PrivateKey[]]
  /** The highest number of a status list that any of the keys ever signed: none is used for two. @default that in force */
  lastNumber?: number
  /** Milliseconds since 1970. */
  now: number
}

export interface CharterInit {
  name: string
  contact: string
  /** Random bytes, at least 32. */
  discoveryKey: Uint8Array
  /** Peer ids of all authorities. @default the keys present */
  authorities?: readonly string[]
  /** @default 1 */
  threshold?: number
  /** @default 90 days, in milliseconds */
  membershipLifetime?: number
  /** @default 7 days, in milliseconds */
  statusMaxAge?: number
  /** How long the charter itself holds, in milliseconds. @default 10 years */
  lifetime?: number
}

export interface Admission {
  organisation: string
  /** Peer ids of its agents. */
  agents: readonly string[]
  stewards: readonly string[]
  roles: readonly Role[]
  /** Mail domains (`uva.nl`) or users (`analyst@uva.nl`). */
  speaksFor: readonly string[]
  about?: Payload<'membership'>['about']
}

function peerOf(key: PrivateKey): string {
  return peerIdFromPrivateKey(key).toString()
}

async function signAll<T extends DocumentType>(
  type: T,
  payload: Payload<T>,
  { keys: [first, ...others] }: Authority
): Promise<Signed<T>> {
  let document = await signDocument(type, payload, first)
  for (const key of others) document = await addSignature(document, key)
  return document
}

async function signStatus(
  charter: Signed<'charter'>,
  number: number,
  expelled: readonly Expulsion[],
  by: Authority
): Promise<Signed<'status'>> {
  if (expelled.length > MAX_EXPELLED) throw new StatusListFull(expelled.length)
  return await signAll(
    'status',
    {
      type: 'status',
      version: 1,
      marketplace: charter.id,
      issuer: peerOf(by.keys[0]),
      issuedAt: by.now,
      expires: by.now + charter.payload.statusMaxAge,
      number,
      expelled: [...expelled]
    },
    by
  )
}

/** Founds a marketplace: its charter, whose id is the marketplace's id, and the first, empty status list. */
export async function createMarketplace(init: CharterInit, by: Authority): Promise<Marketplace> {
  const charter = await signAll(
    'charter',
    {
      type: 'charter',
      version: 1,
      marketplace: '',
      issuer: peerOf(by.keys[0]),
      issuedAt: by.now,
      expires: by.now + (init.lifetime ?? 3650 * DAY_MS),
      name: init.name,
      authorities: [...(init.authorities ?? by.keys.map(peerOf))],
      threshold: init.threshold ?? 1,
      membershipLifetime: init.membershipLifetime ?? 90 * DAY_MS,
      statusMaxAge: init.statusMaxAge ?? 7 * DAY_MS,
      contact: init.contact
    },
    by
  )
  assertThreshold(charter.payload)
  return {
    charter,
    status: await signStatus(charter, 1, [], by),
    discoveryKey: init.discoveryKey,
    memberships: [],
    former: []
  }
}

/** Signs that these keys are that organisation. An earlier membership of the same organisation is replaced. */
export async function admit(
  marketplace: Marketplace,
  admission: Admission,
  by: Authority
): Promise<{ marketplace: Marketplace; membership: Signed<'membership'> }> {
  const { charter } = marketplace
  const expelled = new Set(marketplace.status.payload.expelled.map((one) => one.peer))
  const thrownOut = [...admission.agents, ...admission.stewards].find((peer) => expelled.has(peer))
  if (thrownOut !== undefined) {
    throw new NotMember(`${thrownOut} was expelled; an organisation comes back with new keys only`)
  }
  const taken = marketplace.memberships.find(
    ({ payload }) =>
      payload.organisation !== admission.organisation &&
      payload.agents.some((agent) => admission.agents.includes(agent))
  )
  if (taken !== undefined) {
    throw new NotMember(
      `an agent of ${admission.organisation} is already an agent of ${taken.payload.organisation}`
    )
  }
  const earlier = membershipOf(marketplace, admission.organisation)
  const membership = await signAll(
    'membership',
    {
      type: 'membership',
      version: 1,
      marketplace: charter.id,
      issuer: peerOf(by.keys[0]),
      // Of two the later one counts: never two of one moment.
      issuedAt: Math.max(by.now, (earlier?.payload.issuedAt ?? 0) + 1),
      expires: by.now + charter.payload.membershipLifetime,
      organisation: admission.organisation,
      about: admission.about ?? {},
      agents: [...admission.agents],
      stewards: [...admission.stewards],
      roles: [...admission.roles],
      speaksFor: [...admission.speaksFor]
    },
    by
  )
  return { marketplace: withMembership(marketplace, membership), membership }
}

/** The same membership for another lifetime, without keys that were expelled. @throws {NotMember} when none is left */
export async function renewMembership(
  marketplace: Marketplace,
  organisation: string,
  by: Authority
): Promise<{ marketplace: Marketplace; membership: Signed<'membership'> }> {
  const current = membershipOf(marketplace, organisation)
  if (current === undefined) throw new NotMember(`expected a member called ${organisation}, found none`)
  const { agents, stewards } = current.payload
  const kept = { agents: trusted(marketplace, agents), stewards: trusted(marketplace, stewards) }
  if (kept.agents.length === 0)
    throw new NotMember(
      `every agent of ${organisation} was expelled; it comes back with new keys: dynamos marketplace admit`
    )
  return await admit(marketplace, { ...current.payload, ...kept }, by)
}

/** Of these keys, those that the status list does not name. */
export function trusted({ status }: Pick<Marketplace, 'status'>, keys: readonly string[]): string[] {
  const expelled = new Set(status.payload.expelled.map((one) => one.peer))
  return keys.filter((key) => !expelled.has(key))
}

export function membershipOf(
  { memberships }: Pick<Marketplace, 'memberships'>,
  organisation: string
): Signed<'membership'> | undefined {
  return memberships.find(({ payload }) => payload.organisation === organisation)
}

/** Every key by which an organisation could still be taken for a member: those of its membership, and of earlier ones. */
export function keysOf(marketplace: Marketplace, organisation: string, now: number): string[] {
  const current = membershipOf(marketplace, organisation)?.payload
  const former = marketplace.former.filter((one) => one.organisation === organisation && one.until > now)
  return [
    ...new Set([...(current?.agents ?? []), ...(current?.stewards ?? []), ...former.map(({ peer }) => peer)])
  ]
}

export interface ExpulsionInit {
  /** @default now, in milliseconds since 1970 */
  since?: number
  /** For people. */
  reason?: string
  /** Since when somebody else had the keys, in milliseconds since 1970. */
  stolenFrom?: number
}

/**
 * Expels keys by a new status list with the next number. What is new about a key that is on the list already is added: it
 * never leaves the list, nor becomes less distrusted.
 */
export async function expel(
  marketplace: Marketplace,
  peers: readonly string[],
  by: Authority & ExpulsionInit
): Promise<Marketplace> {
  const { number, expelled } = marketplace.status.payload
  const known = new Map(expelled.map((one) => [one.peer, one]))
  for (const peer of new Set(peers)) known.set(peer, expulsionOf(peer, known.get(peer), by))
  const next = Math.max(number, by.lastNumber ?? 0) + 1
  return settled({
    ...marketplace,
    status: await signStatus(marketplace.charter, next, [...known.values()], by)
  })
}

function expulsionOf(
  peer: string,
  before: Expulsion | undefined,
  { now, since, reason, stolenFrom }: ExpulsionInit & { now: number }
): Expulsion {
  const stolen = [before?.stolenFrom, stolenFrom].filter((instant) => instant !== undefined)
  return {
    ...before,
    peer,
    since: Math.min(since ?? now, before?.since ?? Number.MAX_SAFE_INTEGER),
    ...(reason === undefined ? {} : { reason }),
    ...(stolen.length === 0 ? {} : { stolenFrom: Math.min(...stolen) })
  }
}

/** The same status list with the next number and today's date: members refuse to act on one that is too old. */
export async function renewStatus(marketplace: Marketplace, by: Authority): Promise<Marketplace> {
  return await expel(marketplace, [], by)
}

function withMembership(marketplace: Marketplace, membership: Signed<'membership'>): Marketplace {
  const { organisation, agents, stewards } = membership.payload
  const before = membershipOf(marketplace, organisation)?.payload
  const keys = [...agents, ...stewards]
  const left = [...(before?.agents ?? []), ...(before?.stewards ?? [])].filter((key) => !keys.includes(key))
  const others = marketplace.memberships.filter(({ payload }) => payload.organisation !== organisation)
  return {
    ...marketplace,
    memberships: [...others, membership],
    former: [
      ...marketplace.former.filter((one) => !keys.includes(one.peer)),
      ...left.map((peer) => ({ organisation, peer, until: before?.expires ?? 0 }))
    ]
  }
}

/** Memberships of which no agent is left are not renewed any more; what else they list is remembered. */
function settled(marketplace: Marketplace): Marketplace {
  const hasAgent = ({ payload }: Signed<'membership'>): boolean =>
    trusted(marketplace, payload.agents).length > 0
  const ended = marketplace.memberships
    .filter((one) => !hasAgent(one))
    .flatMap(({ payload: { organisation, agents, stewards, expires: until } }) =>
      [...agents, ...stewards].map((peer) => ({ organisation, peer, until }))
    )
  const known = new Set(marketplace.former.map(({ peer }) => peer))
  return {
    ...marketplace,
    memberships: marketplace.memberships.filter(hasAgent),
    former: [...marketplace.former, ...ended.filter(({ peer }) => !known.has(peer))]
  }
}

/** What two holders of authority keys know, put together: the higher status list, of each organisation the later membership. */
export function united(one: Marketplace, other: Marketplace): Marketplace {
  const later = new Map<string, Signed<'membership'>>()
  for (const membership of [...one.memberships, ...other.memberships]) {
    const known = later.get(membership.payload.organisation)
    const isNewer = known === undefined || known.payload.issuedAt <= membership.payload.issuedAt
    if (isNewer) later.set(membership.payload.organisation, membership)
  }
  const former = new Map<string, FormerKey>()
  for (const key of [...one.former, ...other.former])
    former.set(key.peer, {
      ...key,
      until: Math.max(key.until, former.get(key.peer)?.until ?? 0)
    })
  return settled({
    ...one,
    status: one.status.payload.number >= other.status.payload.number ? one.status : other.status,
    memberships: [...later.values()],
    former: [...former.values()]
  })
}
