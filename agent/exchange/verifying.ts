import { createHash } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import type { Section, Verification } from '../../protocol/documents/index.ts'
import type { Assignment, ReportOf } from '../../services/index.ts'
import { type Dossier, ShareFailed } from '../negotiation/index.ts'
import { type Arrived, inputOf } from './arrived.ts'
import type { StoredResult } from './ports.ts'

type Convert = Extract<Assignment, { kind: 'convert' }>
type Compared = NonNullable<ReportOf<'convert'>['verification']>

/** What a recipient's job needs to compare the results with those of the party that ran the steps again. */
export async function againOf(
  key: PrivateKey,
  contract: string,
  { again }: Extract<Section, { as: 'recipient' }>,
  arrived: Arrived
): Promise<Pick<Convert, 'again'>> {
  if (again === undefined) return {}
  const salt = await saltOf(key, contract)
  return { again: { inputs: again.map((input) => inputOf(input, arrived)), salt } }
}

/**
 * What digests of one contract's results are salted with, the same each time: only who has the recipient's key can make it, so that
 * nobody who reads a receipt can try what the result may be, the requester included. It is shown to who gets the result.
 */
async function saltOf(key: PrivateKey, contract: string): Promise<string> {
  const secret = await key.sign(new TextEncoder().encode(`dynamos/verification/1 ${contract}`))
  return createHash('sha256').update(secret).digest('hex')
}

/** What came of it, as the recipient signs it. @returns null where nothing was run again */
export function verificationOf(
  dossier: Dossier,
  contract: string,
  compared: Compared | undefined
): { verification: Verification; same: boolean } | null {
  const { parties, verify } = dossier.contract(contract).contract.payload
  if (verify === undefined || compared === undefined) return null
  const hosts = parties.filter(({ roles }) => roles.includes('infrastructure'))
  const [of, at] = [hosts.find(({ peer }) => peer !== verify), hosts.find(({ peer }) => peer === verify)]
  if (of === undefined || at === undefined) return null
  const results = compared.map(({ first, again }) => ({ first, again }))
  return {
    verification: { of: of.organisation, at: at.organisation, results },
    same: compared.every(({ same }) => same)
  }
}

/** What was to be the same steps over the same rows gave different results; which of them is wrong the recipient cannot tell. */
export class VerificationDiffers extends ShareFailed {
  static override readonly name = 'VerificationDiffers'

  constructor(
    self: string,
    readonly verification: Verification
  ) {
    const { of, at } = verification
    super(
      { hop: self, code: 'verification-differs', step: null, position: null },
      `expected the same results of ${of} and ${at}, which were to run the same steps over the same rows, found different ones`
    )
  }
}

/** What is kept beside a result that was verified. */
export function verifiedOf(
  verification: Verification | null,
  index: number,
  salt: string | undefined
): Pick<StoredResult, 'verified'> {
  const digests = verification?.results[index]
  if (verification === null || digests === undefined || salt === undefined) return {}
  const { of, at } = verification
  return { verified: { of, at, digest: digests.first, again: digests.again, salt } }
}
