import {
  assertSignedBy,
  BadSignature,
  type DocumentType,
  type Expulsion,
  type Payload,
  type Role,
  type Signed
} from '../../protocol/documents/index.ts'
import { Expelled, MembershipExpired, NotMember } from './errors.ts'

/** How far another clock may be ahead, in milliseconds. */
export const MAX_CLOCK_SKEW_MS = 120_000

declare const verified: unique symbol
/** An organisation whose membership the authorities of our marketplace signed. Only {@link verifyMember} makes one. */
export interface Member {
  readonly [verified]: true
  readonly organisation: string
  readonly roles: readonly Role[]
  /** Peer ids of its agents. */
  readonly agents: readonly string[]
  /** Keys that sign agreements for it. */
  readonly stewards: readonly string[]
  /** Mail domains and users it speaks for. */
  readonly speaksFor: readonly string[]
  /** Milliseconds since 1970. */
  readonly issuedAt: number
  readonly expires: number
  readonly document: Signed<'membership'>
}

/** @throws {BadSignature} unless at least `threshold` of the charter's authorities signed */
export function assertByAuthorities(
  document: { type: DocumentType; signers: readonly string[] },
  charter: Payload<'charter'>
): void {
  const present = charter.authorities.filter((authority) => document.signers.includes(authority))
  if (present.length < charter.threshold) {
    throw new BadSignature(
      `${document.type}: expected signatures of ${charter.threshold} of the marketplace's authorities, found ${present.length}`
    )
  }
}

/** @throws {BadSignature} when no number of signatures could be enough */
export function assertThreshold({ authorities, threshold }: Payload<'charter'>): void {
  const distinct = new Set(authorities).size
  if (distinct === authorities.length && threshold <= distinct) return
  throw new BadSignature(`charter: a threshold of ${threshold} cannot be met by ${distinct} authorities`)
}

/**
 * A charter is believed because its id is what everybody calls the marketplace; it must still be signed by its own rule.
 *
 * @throws {BadSignature}
 */
export function verifyCharter(charter: Signed<'charter'>): Signed<'charter'> {
  assertThreshold(charter.payload)
  assertSignedBy(charter, charter.payload.issuer)
  assertByAuthorities(charter, charter.payload)
  return charter
}

/** @throws {NotMember} or {BadSignature} when it is not a status list of this marketplace */
export function verifyStatus(status: Signed<'status'>, charter: Signed<'charter'>): Signed<'status'> {
  if (status.payload.marketplace !== charter.id) {
    throw new NotMember(
      `expected a status list of marketplace ${charter.id}, found one of ${status.payload.marketplace}`
    )
  }
  assertByAuthorities(status, charter.payload)
  return status
}

/** By what a membership is judged. */
export interface Trust {
  charter: Signed<'charter'>
  /** By peer id. */
  expelled: ReadonlyMap<string, Expulsion>
}

/**
 * Believes a membership: signed by the authorities, of our marketplace, current, and none of its agents expelled.
 *
 * @param peer the agent that shows it, when there is one: it must be among the agents
 * @param now milliseconds since 1970
 * @throws {NotMember}, {BadSignature}, {MembershipExpired}, {Expelled}
 */
export function verifyMember(
  document: Signed<'membership'>,
  trust: Trust,
  now: number,
  peer?: string
): Member {
  const { payload } = document
  if (payload.marketplace !== trust.charter.id) {
    throw new NotMember(
      `expected a membership of marketplace ${trust.charter.id}, found one of ${payload.marketplace || 'none'}`
    )
  }
  assertByAuthorities(document, trust.charter.payload)
  if (peer !== undefined && !payload.agents.includes(peer)) {
    throw new NotMember(`the membership of ${payload.organisation} does not list agent ${peer}`)
  }
  if (payload.expires <= now) throw new MembershipExpired(payload.organisation, payload.expires)
  const { expelled } = trust
  const shown = peer === undefined ? payload.agents : [peer]
  const outcasts = shown.flatMap((one) => expelled.get(one) ?? [])
  const [first] = outcasts
  if (first !== undefined && outcasts.length === shown.length) throw new Expelled(first.peer, first.since)
  const fields: Omit<Member, typeof verified> = {
    organisation: payload.organisation,
    roles: payload.roles,
    agents: payload.agents.filter((agent) => !expelled.has(agent)),
    stewards: payload.stewards.filter((steward) => !expelled.has(steward)),
    speaksFor: payload.speaksFor,
    issuedAt: payload.issuedAt,
    expires: payload.expires,
    document
  }
  return fields as Member
}
