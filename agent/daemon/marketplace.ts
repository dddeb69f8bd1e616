import { decodeSigned, type Signed } from '../../protocol/documents/index.ts'
import { instantText } from '../../protocol/errors/index.ts'
import type { MarketplaceView, Operations, TakenDocuments } from '../api/index.ts'
import { type Members, NotMember } from '../membership/index.ts'
import type { Network } from '../network/index.ts'

interface MarketplaceComponents {
  members: Members
  network: Pick<Network, 'encounters'>
  clock: { now(): number }
}

/** This agent in its marketplace: how it stands, and newer documents of the authority while it runs. */
export function marketplaceOperations({
  members,
  network,
  clock
}: MarketplaceComponents): Pick<Operations, 'marketplace' | 'takeDocuments'> {
  return {
    marketplace: async (): Promise<MarketplaceView> => {
      const { charter, status } = members
      return {
        marketplace: charter.id,
        name: charter.payload.name,
        contact: charter.payload.contact,
        now: instantText(clock.now()),
        status: {
          number: status.payload.number,
          list: status.id,
          issued: instantText(status.payload.issuedAt),
          holdsUntil: instantText(members.statusHoldsUntil),
          tooOld: members.statusTooOld(),
          expelled: members.expelled().map(({ peer, since, reason, stolenFrom }) => ({
            peer,
            since: instantText(since),
            reason: reason ?? null,
            stolenFrom: stolenFrom === undefined ? null : instantText(stolenFrom)
          })),
          conflicts: members.statusConflicts.map(({ number, lists }) => ({ number, lists: [...lists] }))
        },
        membership: ownView(members),
        encounters: network.encounters().map(({ peer, clockAhead, refusedUs }) => ({
          peer,
          organisation: members.organisationOf(peer) ?? null,
          clockAheadMs: clockAhead ?? null,
          refusedUs: refusedUs ?? null
        }))
      }
    },
    takeDocuments: async ({ status, membership }): Promise<TakenDocuments> => ({
      // The list first: it may say what the membership is worth.
      status:
        status === undefined
          ? null
          : await takeStatus(members, await decodeSigned('status', fromBase64(status))),
      membership:
        membership === undefined
          ? null
          : await takeMembership(members, await decodeSigned('membership', fromBase64(membership)))
    })
  }
}

function ownView(members: Members): MarketplaceView['membership'] {
  const { organisation, agents, stewards, roles, speaksFor, issuedAt, expires } = members.lastOwn.payload
  return {
    organisation,
    peer: members.self,
    standing: members.whyNot(members.self) ?? 'member',
    agents: [...agents],
    stewards: [...stewards],
    roles: [...roles],
    speaksFor: [...speaksFor],
    issued: instantText(issuedAt),
    expires: instantText(expires)
  }
}

async function takeStatus(
  members: Members,
  status: Signed<'status'>
): Promise<NonNullable<TakenDocuments['status']>> {
  const taken = await members.acceptStatus(status)
  return { number: members.statusNumber, taken }
}

async function takeMembership(
  members: Members,
  membership: Signed<'membership'>
): Promise<NonNullable<TakenDocuments['membership']>> {
  const { organisation, agents } = membership.payload
  const own = members.lastOwn.payload.organisation
  if (organisation !== own)
    throw new NotMember(`expected a membership of ${own}, found one of ${organisation}`)
  if (!agents.includes(members.self))
    throw new NotMember(
      `expected a membership that lists this agent, ${members.self}, found one for ${agents.join(', ')}; for a new key, install it and start the agent again`
    )
  const before = members.lastOwn.id
  const { expires, document } = await members.learn(membership, members.self)
  return { expires: instantText(expires), taken: document.id === membership.id && before !== membership.id }
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
