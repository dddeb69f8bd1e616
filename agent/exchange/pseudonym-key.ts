import { hkdfSync } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { concat, fromString } from 'uint8arrays'
import { openSealed, type Payload, type Signed, sealTo } from '../../protocol/documents/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'

const KEY_BYTES = 32

export class ShareOfKeyMissing extends DynamosError {
  static override readonly name = 'ShareOfKeyMissing'
}

/** This provider's share of the pseudonym key, sealed to every data provider of the contract, itself included. */
export function sealShares(
  share: Uint8Array,
  dataProviders: readonly string[]
): { to: string; sealed: Uint8Array }[] {
  return dataProviders.map((to) => ({ to, sealed: sealTo(to, share) }))
}

/**
 * The key that all data providers of a contract share and nobody else has: HKDF-SHA256 (RFC 5869) over their shares in order
 * of organisation, and of peer id within one, salted with the contract's id.
 *
 * @returns 32 bytes in hex
 * @throws {ShareOfKeyMissing}, {CannotOpen}
 */
export function pseudonymKey(
  contract: string,
  acceptances: readonly Signed<'acceptance'>[],
  dataProviders: readonly string[],
  self: { peer: string; key: PrivateKey }
): string {
  const missing = dataProviders.find((peer) => !acceptances.some((one) => one.payload.issuer === peer))
  if (missing !== undefined) throw new ShareOfKeyMissing('contract-invalid', `${missing} has not accepted`)
  const place = ({ organisation, issuer }: Payload<'acceptance'>): string => `${organisation}\n${issuer}`
  const shares = acceptances
    .filter((acceptance) => dataProviders.includes(acceptance.payload.issuer))
    .sort((one, other) => (place(one.payload) < place(other.payload) ? -1 : 1))
    .map((acceptance) => {
      const sealed = acceptance.payload.shares.find((share) => share.to === self.peer)?.sealed
      if (sealed === undefined) {
        throw new ShareOfKeyMissing(
          'contract-invalid',
          `the acceptance of ${acceptance.payload.organisation} has no key share for this agent`
        )
      }
      return openSealed(self.key, sealed)
    })
  const key = hkdfSync('sha256', concat(shares), fromString(contract), 'dynamos/pseudonyms/1', KEY_BYTES)
  return Buffer.from(key).toString('hex')
}
