import type { PrivateKey } from '@libp2p/interface'
import {
  decodeSigned,
  encodeSigned,
  openDocument,
  type SignedBytes,
  signDocument
} from '../../protocol/documents/index.ts'
import { append } from '../audit/index.ts'
import type { Members } from '../membership/index.ts'
import type { Store, Transaction } from '../store/index.ts'
import type { Agreement } from './agreement.ts'
import { AgreementNotSignable } from './errors.ts'
import { assertIssued } from './verify.ts'

export interface ReplacedComponents {
  store: Store
  members: Members
  clock: { now(): number }
  key: PrivateKey
  self: string
}

/** Who told that other terms took the place of an agreement, without this organisation. */
export interface Left {
  agreement: string
  organisation: string
}

const MONTH_MS = 30 * 86_400_000

/** Parties of one that are none of what takes its place: nobody shows them that. */
export function leftOut(before: Agreement, after: readonly string[]): string[] {
  return before.payload.parties.filter((party) => !after.includes(party))
}

/** Stored with the change itself: whoever was left out hears of it, however often either side restarts. */
export async function tellLeftOut(
  tables: Pick<Transaction, 'agreementLife'>,
  before: Agreement,
  init: { after: readonly string[]; at: number }
): Promise<string[]> {
  const parties = leftOut(before, init.after)
  await tables.agreementLife.toDeliver({ kind: 'replaced', agreement: before.id, at: init.at }, parties)
  return parties
}

/** What the parties that were left out are told. */
export async function signReplaced(
  agreement: string,
  { members, clock, key, self }: ReplacedComponents
): Promise<SignedBytes> {
  const now = clock.now()
  const notice = await signDocument(
    'agreement-replaced',
    {
      type: 'agreement-replaced',
      version: 1,
      marketplace: members.marketplace,
      issuer: self,
      issuedAt: now,
      expires: now + MONTH_MS,
      agreement,
      organisation: members.own.organisation
    },
    key
  )
  return notice.bytes
}

/**
 * Another party says that this organisation is left out. A proposal that waits can be given up by any party, as by a refusal;
 * what is in force can be replaced by its provider alone, who is a party of every version.
 *
 * @returns the agreement when it was in force here until now
 * @throws {AgreementNotSignable}
 */
export async function takeReplaced(
  bytes: SignedBytes,
  { store, members, clock }: ReplacedComponents
): Promise<Agreement | undefined> {
  const notice = await openDocument('agreement-replaced', bytes)
  const { agreement: id, organisation, issuer, marketplace } = notice.payload
  assertIssued(notice, clock.now())
  if (!notice.signers.includes(issuer) || members.organisationOf(issuer) !== organisation)
    throw new AgreementNotSignable('bad-signature', `expected the signature of an agent of ${organisation}`)
  const row = await store.agreements.get(id)
  // It was replaced before it was ever shown here.
  if (row === undefined) return undefined
  const agreement = await decodeSigned('agreement', row.bytes)
  const { parties, provider, name } = agreement.payload
  if (marketplace !== members.marketplace || !parties.includes(organisation))
    throw new AgreementNotSignable('agreement-malformed', `expected the word of a party of ${row.name}`)
  const at = clock.now()
  return await store.transaction(async (tx) => {
    const state = (await tx.agreements.get(id))?.state
    if (state !== 'in-force' && state !== 'proposed') return undefined
    if (state === 'in-force' && organisation !== provider)
      throw new AgreementNotSignable(
        'agreement-malformed',
        `expected the word of ${provider}, whose data it is about, found that of ${organisation}: what is in force is revoked`
      )
    await tx.agreements.setState(id, 'superseded', at)
    await tx.documents.put({
      id: notice.id,
      type: 'agreement-replaced',
      bytes: encodeSigned(notice),
      receivedAt: at
    })
    await append(tx, {
      time: at,
      kind: 'agreement',
      document: id,
      fields: { name, provider, state: 'superseded', by: organisation }
    })
    return state === 'in-force' ? agreement : undefined
  })
}

export async function whoLeftOut(store: Store): Promise<Left[]> {
  const notices = await Promise.all(
    (await store.documents.ofType('agreement-replaced')).map(
      async ({ bytes }) => await decodeSigned('agreement-replaced', bytes)
    )
  )
  return notices.map(({ payload: { agreement, organisation } }) => ({ agreement, organisation }))
}
