import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  addSignature,
  type DocumentType,
  type Payload,
  type Role,
  type Signed,
  signDocument
} from '../../protocol/documents/index.ts'
import { NotMember } from './errors.ts'
import { verifyCharter } from './verify.ts'

const DAY_MS = 86_400_000

/** Everything an authority keeps of its marketplace. The discovery key is secret among members. */
export interface Marketplace {
  readonly charter: Signed<'charter'>
  readonly status: Signed<'status'>
  readonly discoveryKey: Uint8Array
  /** Newest last; a renewed membership replaces that of the same organisation. */
  readonly memberships: readonly Signed<'membership'>[]
}

export interface Authority {
  /** Keys of authorities present; at least the charter's threshold of them. */
  keys: readonly [PrivateKey, ...PrivateKey[]]
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
  expelled: Payload<'status'>['expelled'],
  by: Authority
): Promise<Signed<'status'>> {
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
      expelled
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
  return {
    charter: verifyCharter(charter),
    status: await signStatus(charter, 1, [], by),
    discoveryKey: init.discoveryKey,
    memberships: []
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
  const membership = await signAll(
    'membership',
    {
      type: 'membership',
      version: 1,
      marketplace: charter.id,
      issuer: peerOf(by.keys[0]),
      issuedAt: by.now,
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

/** The same membership for another lifetime. */
export async function renewMembership(
  marketplace: Marketplace,
  organisation: string,
  by: Authority
): Promise<{ marketplace: Marketplace; membership: Signed<'membership'> }> {
  const current = marketplace.memberships.find(({ payload }) => payload.organisation === organisation)
  if (current === undefined) throw new NotMember(`expected a member called ${organisation}, found none`)
  return await admit(marketplace, current.payload, by)
}

/** Expels keys as of `since` (default now) by a new status list with the next number. */
export async function expel(
  marketplace: Marketplace,
  peers: readonly string[],
  by: Authority & { since?: number }
): Promise<Marketplace> {
  const { number, expelled } = marketplace.status.payload
  const known = new Set(expelled.map((one) => one.peer))
  const added = peers
    .filter((one) => !known.has(one))
    .map((one) => ({ peer: one, since: by.since ?? by.now }))
  const status = await signStatus(marketplace.charter, number + 1, [...expelled, ...added], by)
  return { ...marketplace, status }
}

/** The same status list with the next number and today's date: members refuse to act on one that is too old. */
export async function renewStatus(marketplace: Marketplace, by: Authority): Promise<Marketplace> {
  return await expel(marketplace, [], by)
}

function withMembership(marketplace: Marketplace, membership: Signed<'membership'>): Marketplace {
  const others = marketplace.memberships.filter(
    ({ payload }) => payload.organisation !== membership.payload.organisation
  )
  return { ...marketplace, memberships: [...others, membership] }
}
