import type { Signed } from '../../protocol/documents/index.ts'
import { instantText } from '../../protocol/errors/index.ts'
import type { LookupKind } from '../../protocol/streams/index.ts'
import { MAX_CLOCK_SKEW_MS, type Member } from '../membership/index.ts'
import type { Log } from '../network/index.ts'
import { CapabilityRefused } from './errors.ts'

export interface Known {
  readonly peer: string
  readonly organisation: string
  readonly capability: Signed<'capability'>
  /** Datasets that we see because of an agreement: not to be told to others. */
  readonly confidential: ReadonlySet<string>
  /** When it was asked, in milliseconds since 1970. */
  readonly askedAt: number
}

/** The role every agent plays: being there. */
export const MEMBER_ROLE = 'member'

/** Whether a capability offers what is looked for. */
export function offers(capability: Signed<'capability'>, kind: LookupKind, name: string): boolean {
  const { datasets, roles } = capability.payload
  if (kind === 'dataset') return datasets.some(({ id }) => id === name)
  return name === MEMBER_ROLE || roles.some((role) => role === name)
}

/** Told of two capabilities that one peer signed under one sequence number: together they are the proof. */
export type Contradicted = (peer: string, proof: readonly Signed<'capability'>[]) => void

/** The capabilities that peers described themselves with: for each the newest, never an older one again. */
export class Catalogue {
  readonly #known = new Map<string, Known>()
  /** The sequence numbers peers said they have. */
  readonly #announced = new Map<string, number>()
  readonly #now: () => number
  readonly #log: Log
  readonly #contradicted: Contradicted

  constructor(now: () => number, log: Log, contradicted: Contradicted = () => undefined) {
    this.#now = now
    this.#log = log
    this.#contradicted = contradicted
  }

  /** A peer says that this is its sequence number now. @returns whether what is known is behind it */
  announced(peer: string, sequence: number): boolean {
    this.#announced.set(peer, Math.max(sequence, this.#announced.get(peer) ?? 0))
    return !this.isCurrent(peer)
  }

  /** Whether nothing newer is known to exist, and what is known still holds. */
  isCurrent(peer: string): boolean {
    const known = this.get(peer)
    if (known === undefined) return false
    const { sequence, keepFor } = known.capability.payload
    return sequence >= (this.#announced.get(peer) ?? 0) && this.#now() - known.askedAt <= keepFor
  }

  get(peer: string): Known | undefined {
    const known = this.#known.get(peer)
    return known !== undefined && known.capability.payload.expires > this.#now() ? known : undefined
  }

  all(): Known[] {
    return [...this.#known.keys()].map((peer) => this.get(peer)).filter((known) => known !== undefined)
  }

  forget(peer: string): void {
    this.#known.delete(peer)
    this.#announced.delete(peer)
  }

  /**
   * Believes what a peer said of itself.
   *
   * @throws {CapabilityRefused} when another signed it, it is for another organisation or marketplace, it has expired, it
   * comes from the future, or a newer one, or another of the same number, is known
   */
  accept(
    peer: string,
    member: Member,
    capability: Signed<'capability'>,
    confidential: readonly string[]
  ): Known {
    const { payload, signers } = capability
    const now = this.#now()
    if (!signers.includes(peer) || payload.issuer !== peer) {
      throw new CapabilityRefused(
        'bad-signature',
        `expected a capability of ${peer}, found one of ${payload.issuer}`
      )
    }
    if (
      payload.organisation !== member.organisation ||
      payload.marketplace !== member.document.payload.marketplace
    ) {
      throw new CapabilityRefused(
        'not-member',
        `expected a capability of ${member.organisation}, found one of ${payload.organisation}`
      )
    }
    if (payload.expires <= now) {
      throw new CapabilityRefused('document-expired', `the capability of ${member.organisation} has expired`)
    }
    if (payload.issuedAt > now + MAX_CLOCK_SKEW_MS) {
      throw new CapabilityRefused(
        'clock-skew',
        `expected a capability of ${member.organisation} of the past, found one of ${instantText(payload.issuedAt)}, here it is ${instantText(now)}; set the clock that is wrong`
      )
    }
    const before = this.#known.get(peer)?.capability
    if (before !== undefined && payload.sequence < before.payload.sequence) {
      throw new CapabilityRefused(
        'malformed-document',
        `expected sequence ${before.payload.sequence} or more of ${member.organisation}, found ${payload.sequence}`
      )
    }
    if (before?.payload.sequence === payload.sequence && before.id !== capability.id) {
      this.#log.warn(
        { peer, sequence: payload.sequence, first: before.id, second: capability.id },
        'two capabilities for one sequence number'
      )
      this.#contradicted(peer, [before, capability])
      throw new CapabilityRefused(
        'malformed-document',
        `expected one capability of ${member.organisation} for sequence ${payload.sequence}, found two; both are kept`
      )
    }
    const known = {
      peer,
      organisation: member.organisation,
      capability,
      confidential: new Set(confidential),
      askedAt: now
    }
    this.#known.set(peer, known)
    return known
  }
}
