import type { Effect } from '../../protocol/negotiation/index.ts'
import { append } from '../audit/index.ts'
import type { Transaction } from '../store/index.ts'
import type { Dossier } from './dossier.ts'
import type { ExchangePorts } from './ports.ts'

const DAY = 86_400_000
/** Documents about an ended exchange stay good for as long as anybody may ask. */
const RECORD_LIFETIME = 3650 * DAY

type SigningOrder = Extract<
  Effect,
  { do: 'sign-acceptance' | 'sign-decline' | 'sign-receipt' | 'sign-outcome' }
>

/**
 * Signs what the state machine ordered, once per key: a repeated order finds the document there is. The log entry comes
 * first, in the same transaction, because the document carries its place in the log.
 */
export async function signOrders(
  dossier: Dossier,
  order: Effect,
  tx: Transaction,
  ports: ExchangePorts
): Promise<void> {
  if (isSigning(order)) await sign(dossier, order, tx, ports)
}

function isSigning(effect: Effect): effect is SigningOrder {
  return effect.do.startsWith('sign-')
}

async function sign(
  dossier: Dossier,
  order: SigningOrder,
  tx: Transaction,
  ports: ExchangePorts
): Promise<void> {
  const { speaker, clock, self, decisions, shares } = ports
  const request = dossier.request.id
  const time = clock.now()
  switch (order.do) {
    case 'sign-acceptance': {
      const { contract, epoch, startBy } = order
      const held = dossier.contract(contract)
      if (held.acceptances.has(self)) return
      const own = await decisions.acceptance(dossier, contract)
      const log = await append(tx, {
        time,
        kind: 'acceptance',
        request,
        contract,
        fields: { epoch, startBy }
      })
      const body = { contract, request, epoch, organisation: speaker.organisation, startBy, ...own, log }
      const acceptance = await speaker.sign('acceptance', body, RECORD_LIFETIME)
      held.acceptances.set(self, acceptance)
      dossier.keep({ kind: 'acceptance', acceptance: acceptance.bytes })
      return
    }
    case 'sign-decline': {
      const { contract, epoch, refusal } = order
      const held = dossier.contract(contract)
      if (held.declines.has(self)) return
      await append(tx, { time, kind: 'decline', request, contract, fields: { epoch, code: refusal.code } })
      const body = { contract, request, epoch, organisation: speaker.organisation, refusal }
      const decline = dossier.holdDecline(await speaker.sign('decline', body, RECORD_LIFETIME))
      dossier.keep({ kind: 'decline', decline: decline.bytes })
      return
    }
    case 'sign-receipt': {
      const { contract } = order
      const held = dossier.contract(contract)
      const bodies = shares.receipts(contract)
      for (const [index, body] of bodies.entries()) {
        const key = `${self}/${body.step}/${body.service}`
        if (held.receipts.has(key)) continue
        const fields = { step: body.step, service: body.service, milliseconds: body.milliseconds }
        const log = await append(tx, { time, kind: 'receipt', request, contract, fields })
        const decisions = index === bodies.length - 1 ? dossier.told(contract) : []
        const receipt = await speaker.sign('receipt', { ...body, decisions, log }, RECORD_LIFETIME)
        dossier.holdReceipt(receipt)
        dossier.keep({ kind: 'receipt', receipt: receipt.bytes })
      }
      return
    }
    case 'sign-outcome': {
      if (dossier.outcomes.has(self)) return
      const { contract, result, code, hop, step, position } = order.outcome
      const held = contract === null ? undefined : dossier.contracts.get(contract)
      const receipts = [...(held?.receipts.values() ?? [])]
        .filter((one) => one.payload.issuer === self)
        .map((one) => one.id)
      const log = await append(tx, {
        time,
        kind: 'outcome',
        request,
        ...(contract === null ? {} : { contract }),
        fields: { result, code }
      })
      const organisation = speaker.organisation
      const blamed = hop === null ? null : (organisationOf(dossier, hop) ?? ports.organisationOf(hop) ?? null)
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
        log
      }
      const outcome = await speaker.sign('outcome', body, RECORD_LIFETIME)
      dossier.outcomes.set(self, outcome)
      dossier.keep({ kind: 'outcome', outcome: outcome.bytes })
      return
    }
  }
}

function organisationOf(dossier: Dossier, peer: string): string | undefined {
  for (const held of dossier.contracts.values()) {
    const party = held.contract.payload.parties.find((one) => one.peer === peer)
    if (party !== undefined) return party.organisation
  }
  return undefined
}
