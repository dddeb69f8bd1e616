import type { Signed, Verification } from '../../protocol/documents/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import type { Effect } from '../../protocol/negotiation/index.ts'
import { append } from '../audit/index.ts'
import type { Transaction } from '../store/index.ts'
import { type Dossier, receiptKey } from './dossier.ts'
import type { ExchangePorts } from './ports.ts'

const DAY = 86_400_000
/** Documents about an ended exchange stay good for as long as anybody may ask. */
const RECORD_LIFETIME = 3650 * DAY

type SigningOrder = Extract<
  Effect,
  { do: 'sign-acceptance' | 'sign-decline' | 'sign-receipt' | 'sign-outcome' }
>

/** A document of this agent's own that was just signed. */
export type SignedHere =
  | { kind: 'acceptance'; document: Signed<'acceptance'> }
  | { kind: 'decline'; document: Signed<'decline'> }
  | { kind: 'receipt'; document: Signed<'receipt'> }
  | { kind: 'outcome'; document: Signed<'outcome'> }

/** As it is stored and sent. */
export function wireOf({ kind, document }: SignedHere): WireMessage {
  switch (kind) {
    case 'acceptance':
      return { kind, acceptance: document.bytes }
    case 'decline':
      return { kind, decline: document.bytes }
    case 'receipt':
      return { kind, receipt: document.bytes }
    case 'outcome':
      return { kind, outcome: document.bytes }
  }
}

export function isSigning(effect: Effect): effect is SigningOrder {
  return effect.do.startsWith('sign-')
}

/**
 * Signs what the state machine ordered, once per key: a repeated order finds the document there is. The log entry comes
 * first, in the same transaction, because the document carries its place in the log. Nothing goes into the dossier here: what
 * was signed is worth nothing until the transaction is committed, or one place in the log would be signed for twice.
 *
 * @param earlier what was signed in the same transaction before
 */
export async function signOrder(
  dossier: Dossier,
  order: SigningOrder,
  tx: Transaction,
  ports: ExchangePorts,
  earlier: readonly SignedHere[]
): Promise<SignedHere[]> {
  const { speaker, clock, self, decisions, shares } = ports
  const request = dossier.request.id
  const time = clock.now()
  switch (order.do) {
    case 'sign-acceptance': {
      const { contract, epoch, startBy } = order
      if (dossier.contract(contract).acceptances.has(self)) return []
      const own = await decisions.acceptance(dossier, contract)
      const log = await append(tx, {
        time,
        kind: 'acceptance',
        request,
        contract,
        fields: { epoch, startBy }
      })
      const body = { contract, request, epoch, organisation: speaker.organisation, startBy, ...own, log }
      return [{ kind: 'acceptance', document: await speaker.sign('acceptance', body, RECORD_LIFETIME) }]
    }
    case 'sign-decline': {
      const { contract, epoch, refusal } = order
      if (dossier.contract(contract).declines.has(self)) return []
      await append(tx, { time, kind: 'decline', request, contract, fields: { epoch, code: refusal.code } })
      const body = { contract, request, epoch, organisation: speaker.organisation, refusal }
      return [{ kind: 'decline', document: await speaker.sign('decline', body, RECORD_LIFETIME) }]
    }
    case 'sign-receipt': {
      const { contract } = order
      const held = dossier.contract(contract)
      const bodies = shares.receipts(contract)
      const signed: SignedHere[] = []
      for (const [index, body] of bodies.entries()) {
        if (held.receipts.has(receiptKey(self, body))) continue
        const fields = { step: body.step, service: body.service, milliseconds: body.milliseconds }
        const log = await append(tx, { time, kind: 'receipt', request, contract, fields })
        const decisions = index === bodies.length - 1 ? dossier.told(contract) : []
        const document = await speaker.sign('receipt', { ...body, decisions, log }, RECORD_LIFETIME)
        signed.push({ kind: 'receipt', document })
      }
      return signed
    }
    case 'sign-outcome': {
      if (dossier.outcomes.has(self)) return []
      const { contract, result, code, hop, step, position } = order.outcome
      const held = contract === null ? undefined : dossier.contracts.get(contract)
      const fresh = earlier.flatMap((one) =>
        one.kind === 'receipt' && one.document.payload.contract === contract ? [one.document] : []
      )
      const receipts = [...(held?.receipts.values() ?? []), ...fresh]
        .filter((one) => one.payload.issuer === self)
        .map((one) => one.id)
      const differing =
        contract === null || code !== 'verification-differs' ? undefined : shares.differing(contract)
      const verification = differing === undefined ? {} : { verification: differing }
      const log = await append(tx, {
        time,
        kind: 'outcome',
        request,
        ...(contract === null ? {} : { contract }),
        fields: { result, code, ...differencesOf(differing) }
      })
      const organisation = speaker.organisation
      // One of two gave a wrong result, and nobody knows which: neither they nor who compared is to blame.
      const blamed =
        hop === null || code === 'verification-differs'
          ? null
          : (organisationOf(dossier, hop) ?? ports.organisationOf(hop) ?? null)
      const body = {
        request,
        contract,
        organisation,
        result,
        code,
        hop: blamed,
        step,
        position,
        receipts,
        log,
        ...verification
      }
      return [{ kind: 'outcome', document: await speaker.sign('outcome', body, RECORD_LIFETIME) }]
    }
  }
}

/** As far as an entry of the log can tell: who gave what. */
function differencesOf(differing: Verification | undefined): Record<string, string | string[]> {
  if (differing === undefined) return {}
  const { of, at, results } = differing
  return { of, at, first: results.map(({ first }) => first), again: results.map(({ again }) => again) }
}

function organisationOf(dossier: Dossier, peer: string): string | undefined {
  for (const held of dossier.contracts.values()) {
    const party = held.contract.payload.parties.find((one) => one.peer === peer)
    if (party !== undefined) return party.organisation
  }
  return undefined
}
