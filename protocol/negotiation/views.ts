import { z } from 'zod'
import { assertSignedBy, failureCode, partyRole, refusalCode, type Signed } from '../documents/index.ts'

/** Ids and peers as the machine keeps them: it compares them and never reads into them. */
export const id = z.string().min(1).max(128)
export const instant = z.number().nonnegative()
export const epoch = z.int().min(1).max(3)
export const endCode = z.union([failureCode, refusalCode])
export type EndCode = z.infer<typeof endCode>

export const partyView = z.strictObject({ peer: id, roles: z.array(partyRole).min(1), offer: id.nullable() })
export type PartyView = z.infer<typeof partyView>

/** What the machine needs of a verified contract. */
export const contractView = z.strictObject({
  id,
  request: id,
  epoch,
  issuer: id,
  parties: z.array(partyView),
  /** Milliseconds a party may take, from its start. */
  deadline: z.number().nonnegative()
})
export type ContractView = z.infer<typeof contractView>

/** What the machine needs of a verified acceptance. */
export const acceptanceView = z.strictObject({ contract: id, epoch, signer: id })
export type AcceptanceView = z.infer<typeof acceptanceView>

/** Who at a hop may approve a request, for people to read. */
export const approvers = z.array(z.string().max(256)).max(32)

export const result = z.enum(['completed', 'failed', 'cancelled', 'expired'])

/** How an exchange ended. `signer` is null for an end that nobody needs to be told: an offer that was never used. */
export const outcomeView = z.strictObject({
  contract: id.nullable(),
  signer: id.nullable(),
  result,
  code: endCode.nullable(),
  hop: id.nullable(),
  step: z.string().nullable(),
  position: z.number().nullable()
})
export type OutcomeView = z.infer<typeof outcomeView>

/** The party whose receipt is the commit point, and who alone signs how a started exchange ended. */
export function recipientOf(contract: ContractView): string | undefined {
  return contract.parties.find((party) => party.roles.includes('recipient'))?.peer
}

/** @throws {BadSignature} when the contract is not signed by its issuer */
export function viewContract(contract: Signed<'contract'>): ContractView {
  const { request, epoch, issuer, parties, deadline } = contract.payload
  assertSignedBy(contract, issuer)
  return {
    id: contract.id,
    request,
    epoch,
    issuer,
    parties: parties.map(({ peer, roles, offer }) => ({ peer, roles, offer })),
    deadline
  }
}

/** @throws {BadSignature} when the acceptance is not signed by its issuer */
export function viewAcceptance(acceptance: Signed<'acceptance'>): AcceptanceView {
  const { contract, epoch, issuer } = acceptance.payload
  assertSignedBy(acceptance, issuer)
  return { contract, epoch, signer: issuer }
}

/**
 * @param hop the peer id of the organisation that the outcome names, as the contract's parties give it
 * @throws {BadSignature} when the outcome is not signed by its issuer
 */
export function viewOutcome(outcome: Signed<'outcome'>, hop: string | null): OutcomeView {
  const { contract, issuer, result, code, step, position } = outcome.payload
  assertSignedBy(outcome, issuer)
  return { contract, signer: issuer, result, code, hop, step, position }
}
