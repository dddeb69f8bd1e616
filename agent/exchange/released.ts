import {
  assertSignedBy,
  encodePlain,
  type Flow,
  idOf,
  type RefusalCode,
  type Signed
} from '../../protocol/documents/index.ts'
import type { HeldPart } from './held-part.ts'

export type Release = Signed<'release'>
export type Digests = readonly Pick<HeldPart, 'digest'>[]

/** What would leave: one content, by one flow of one contract. */
export interface Outgoing {
  contract: Signed<'contract'>
  flow: Flow
  /** See {@link resultOf}. */
  result: string
}

/** The id of a result: of the list of the digests of its parts, in their order. */
export async function resultOf(parts: Digests): Promise<string> {
  return await idOf(encodePlain(parts.map(({ digest }) => digest)))
}

/** Agents whose last word a flow waits for. @param of organisations whose rows are in it */
export function whoseWord(
  contract: Signed<'contract'>,
  acceptances: ReadonlyMap<string, Signed<'acceptance'>>,
  of: readonly string[]
): string[] {
  return contract.payload.parties
    .filter(({ roles, organisation }) => roles.includes('data') && of.includes(organisation))
    .filter(({ peer }) => acceptances.get(peer)?.payload.resultTerms?.releaseAsk === true)
    .map(({ peer }) => peer)
}

export function organisationOf({ payload }: Signed<'contract'>, peer: string): string {
  return payload.parties.find((party) => party.peer === peer)?.organisation ?? peer
}

/** Whether it is the word of that party about this very result; what it says is another matter. */
export function isAbout(release: Release, peer: string, { contract, flow, result }: Outgoing): boolean {
  const { payload } = release
  try {
    assertSignedBy(release, peer)
  } catch {
    return false
  }
  return (
    payload.issuer === peer &&
    payload.organisation === organisationOf(contract, peer) &&
    payload.marketplace === contract.payload.marketplace &&
    payload.contract === contract.id &&
    payload.request === contract.payload.request &&
    payload.flow === flow.flow &&
    payload.to === flow.to &&
    payload.result === result
  )
}

/** Of each whose word is waited for one release. */
export type Sufficiency = { releases: readonly Release[] } | { missing: string }

/**
 * Whether what was given lets a result go: of each of `asked` a release of this very result, and no refusal of it. Whatever else
 * was given counts for nothing, in any order.
 */
export function suffices(
  outgoing: Outgoing,
  asked: readonly string[],
  given: readonly Release[]
): Sufficiency {
  const releases: Release[] = []
  for (const peer of asked) {
    const words = given.filter((one) => isAbout(one, peer, outgoing))
    const [release] = words
    if (release === undefined || words.some(({ payload }) => payload.refused !== null))
      return { missing: peer }
    releases.push(release)
  }
  return { releases }
}

/** Whose rule it is, and what the agreement says, is for its parties. */
export function toldCode(code: RefusalCode): RefusalCode {
  return code === 'policy-forbids' ? 'release-refused' : code
}
