import type { DocumentType, Payload, Signed } from '../../../protocol/documents/index.ts'
import type { CaseFile, Kept } from './case-file.ts'

/** Who belonged to which organisation and when, by what authorities signed in a file. */
export class Members {
  readonly #memberships: readonly Payload<'membership'>[]
  readonly #statuses: readonly Payload<'status'>[]
  readonly #charter: Payload<'charter'> | null

  constructor(file: CaseFile) {
    const marketplace = file.exports[0]?.header.marketplace
    this.#charter = file.find('charter', marketplace)?.document.payload ?? null
    this.#memberships = file
      .all('membership')
      .filter(({ document }) => this.isByAuthorities(document))
      .map(({ document }) => document.payload)
    this.#statuses = file
      .all('status')
      .filter(({ document }) => this.isByAuthorities(document))
      .map(({ document }) => document.payload)
  }

  isByAuthorities({ signers }: Signed<DocumentType>): boolean {
    const charter = this.#charter
    if (charter === null) return false
    return signers.filter((one) => charter.authorities.includes(one)).length >= charter.threshold
  }

  /** Whether a key was an agent of an organisation at an instant, by the newest membership from before it. */
  isAgent(peer: string, organisation: string, at: number): boolean {
    const known = this.#memberships.filter((one) => one.organisation === organisation && one.issuedAt <= at)
    const newest = Math.max(...known.map(({ issuedAt }) => issuedAt))
    return known.some((one) => one.issuedAt === newest && one.expires > at && one.agents.includes(peer))
  }

  /** A newer membership does not take back what an earlier steward signed. */
  isSteward(peer: string, organisation: string): boolean {
    return this.#memberships.some((one) => one.organisation === organisation && one.stewards.includes(peer))
  }

  /** Expelled before an instant, or in foreign hands. */
  isExpelled(peer: string, at: number): boolean {
    return this.#statuses.some(({ expelled }) =>
      expelled.some(
        (one) =>
          one.peer === peer && (one.since <= at || (one.stolenFrom !== undefined && one.stolenFrom <= at))
      )
    )
  }
}

const AGENTS_DOCUMENTS: readonly DocumentType[] = [
  'request',
  'offer',
  'contract',
  'acceptance',
  'decline',
  'release',
  'receipt',
  'outcome',
  'agreement-refusal',
  'agreement-replaced',
  'checkpoint',
  'capability'
]

/** What is wrong with who signed, and whose signature it is. */
export type Stranger = { code: 'not-a-member' | 'expelled'; signer: string; reason: string }

export function strangerIn({ document }: Kept, members: Members): Stranger | null {
  const { type, payload } = document
  if (type === 'membership' || type === 'status') {
    if (members.isByAuthorities(document)) return null
    return { code: 'not-a-member', signer: payload.issuer, reason: `too few authorities signed the ${type}` }
  }
  if (payload.type === 'agreement')
    return strangerUnder(document.signers, payload, document.standing?.payload.issuer, members)
  if (payload.type === 'revocation') {
    if (!members.isSteward(payload.issuer, payload.organisation))
      return {
        code: 'not-a-member',
        signer: payload.issuer,
        reason: 'it is no steward who ended the agreement'
      }
  } else if (AGENTS_DOCUMENTS.includes(type)) {
    const organisation = 'organisation' in payload ? payload.organisation : ''
    if (!members.isAgent(payload.issuer, organisation, payload.issuedAt))
      return {
        code: 'not-a-member',
        signer: payload.issuer,
        reason: `who signed the ${type} was no agent of ${organisation} then`
      }
  } else return null
  return expelled(payload.issuer, payload.issuedAt, type, members)
}

function strangerUnder(
  signers: readonly string[],
  { issuer, issuedAt, parties }: Payload<'agreement'>,
  offerer: string | undefined,
  members: Members
): Stranger | null {
  for (const signer of signers)
    if (signer !== issuer && signer !== offerer && !parties.some((one) => members.isSteward(signer, one)))
      return { code: 'not-a-member', signer, reason: 'who signed the agreement is no steward of a party' }
  for (const signer of signers) {
    const gone = expelled(signer, issuedAt, 'agreement', members)
    if (gone !== null) return gone
  }
  return null
}

function expelled(signer: string, at: number, type: string, members: Members): Stranger | null {
  if (!members.isExpelled(signer, at)) return null
  return { code: 'expelled', signer, reason: `who signed the ${type} had been expelled, or its key stolen` }
}
