import type { Flow } from '../../protocol/documents/index.ts'
import { ATTEMPT, type Dossier, ownJobs } from '../negotiation/index.ts'
import type { ReceiptBody } from './receipts.ts'

interface Clock {
  now(): number
}

/** That every part of a flow has arrived, as either end knows it. */
export function noteFlow(
  dossier: Dossier,
  kind: 'flow-sent' | 'flow-received',
  contract: string,
  flow: Flow,
  peer: string,
  parts: readonly { digest: string }[],
  clock: Clock
): void {
  dossier.note({
    time: clock.now(),
    kind,
    request: dossier.request.id,
    contract,
    fields: { flow: flow.flow, attempt: ATTEMPT, peer, parts: parts.map(({ digest }) => digest) }
  })
}

/** How the jobs of a share ended: those with a receipt well, the others with the code of what went wrong. */
export function noteJobs(
  dossier: Dossier,
  contract: string,
  self: string,
  ended: { receipts: readonly ReceiptBody[] } | { code: string },
  clock: Clock
): void {
  const held = dossier.contract(contract)
  const about = { time: clock.now(), request: dossier.request.id, contract }
  const code = 'code' in ended ? ended.code : null
  for (const { step, round } of ownJobs(held.contract.payload, held.mine ?? [], self))
    dossier.note({ ...about, kind: 'job-finished', fields: { step, round, attempt: ATTEMPT, code } })
  if (!('receipts' in ended)) return
  for (const { wiped } of ended.receipts)
    if (wiped !== null) dossier.note({ ...about, kind: 'job-wiped', fields: { bytes: wiped.bytes } })
}
