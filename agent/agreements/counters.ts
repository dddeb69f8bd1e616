import { decodeSigned } from '../../protocol/documents/index.ts'
import type { Store } from '../store/index.ts'
import type { Agreement } from './agreement.ts'
import { AgreementNotSignable } from './errors.ts'

/** What it answers must be another proposal of the same name, and wait still. @throws {AgreementNotSignable} */
export async function assertCounters(
  { id, payload }: Agreement,
  proposedBy: string,
  store: Store
): Promise<void> {
  const { counters, supersedes, name, provider, issuedAt } = payload
  for (const earlier of [counters, supersedes]) {
    const known = earlier === undefined ? undefined : await store.agreements.get(earlier)
    if (known === undefined) continue
    const before = (await decodeSigned('agreement', known.bytes)).payload
    if (
      before.name !== name ||
      before.provider !== provider ||
      before.issuedAt >= issuedAt ||
      known.id === id
    )
      throw new AgreementNotSignable(
        'agreement-malformed',
        `expected an earlier version of ${name} of ${provider} as the one that it replaces or answers, found ${before.name} of ${before.provider}`
      )
    if (earlier === counters && !before.parties.includes(proposedBy))
      throw new AgreementNotSignable(
        'agreement-malformed',
        `expected a counter by a party of ${before.name}, found one by ${proposedBy}`
      )
    if (earlier === counters && known.state !== 'proposed' && known.state !== 'countered')
      throw new AgreementNotSignable(
        'already-ended',
        `expected a counter to a proposal that waits, found one to ${known.name} ${known.id}, which was ${known.state}`
      )
  }
}
