import { encodePlain, idOf } from '../../protocol/documents/index.ts'
import type { Coordinator, Effect, Hop } from '../../protocol/negotiation/index.ts'
import { appendAll, type LogEntry } from '../audit/index.ts'
import type { Transaction } from '../store/index.ts'
import { withDecisions } from './decision-log.ts'
import type { Dossier } from './dossier.ts'
import { ATTEMPT, ownJobs } from './noting.ts'
import type { ExchangePorts } from './ports.ts'
import { MESSAGE } from './replay.ts'
import { isSigning, type SignedHere, signOrder, wireOf } from './signing.ts'

/** The two machines that an agent may keep of one request. */
export interface Machines {
  hop: Hop | null
  coordinator: Coordinator | null
}

/**
 * Signs what was ordered and stores everything that the next messages rest on, in one transaction: the new states, the
 * documents, the decisions. What was signed counts once it is committed. Steps that promise nothing cost nothing.
 *
 * @returns the effects that are to be carried out: a share that ran before is not among them
 * @throws {StorageFull}, …: then nothing of it happened
 */
export async function commitStep(
  dossier: Dossier,
  before: Machines,
  after: Machines,
  effects: readonly Effect[],
  ports: ExchangePorts
): Promise<Effect[]> {
  const signing = effects.filter((effect) => isSigning(effect) || effect.do === 'run-share')
  if (signing.length === 0 && !changedDurably(before, after)) return [...effects]
  const request = dossier.request.id
  const dropped = new Set<Effect>()
  const signed: SignedHere[] = []
  const work = async (tx: Transaction): Promise<readonly Uint8Array[]> => {
    for (const effect of signing) {
      if (isSigning(effect)) signed.push(...(await signOrder(dossier, effect, tx, ports, signed)))
      else if (effect.do === 'run-share' && !(await claimShare(tx, dossier, effect.contract, ports)))
        dropped.add(effect)
    }
    const now = ports.clock.now()
    const entries = [...dossier.unsaved(), ...signed.map((one) => encodePlain(wireOf(one)))]
    await putMessages(tx, request, entries, now)
    for (const role of ['hop', 'coordinator'] as const) {
      const machine = after[role]
      if (machine === null) continue
      await tx.exchanges.put({
        request,
        role,
        state: Buffer.from(JSON.stringify(machine)),
        updatedAt: now,
        ended: machine.stage.phase === 'ended'
      })
    }
    return entries
  }
  const stored = await withDecisions(
    dossier,
    async (write) =>
      await ports.store.transaction(async (tx) => {
        await write(tx)
        return await work(tx)
      }),
    ports.log
  )
  dossier.saved(stored)
  for (const one of signed) hold(dossier, one)
  return effects.filter((effect) => !dropped.has(effect))
}

/** Stores what was heard when no step will: after the end nothing else is waited for. */
export async function keepHeard(dossier: Dossier, { store, clock }: ExchangePorts): Promise<void> {
  const entries = dossier.unsaved()
  if (entries.length === 0) return
  await store.transaction(async (tx) => await putMessages(tx, dossier.request.id, entries, clock.now()))
  dossier.saved(entries)
}

async function putMessages(
  tx: Transaction,
  request: string,
  entries: readonly Uint8Array[],
  receivedAt: number
): Promise<void> {
  const messages = entries.map(async (bytes) => ({
    id: await idOf(bytes),
    type: MESSAGE,
    request,
    bytes,
    receivedAt
  }))
  await tx.documents.putAll(await Promise.all(messages))
}

function hold(dossier: Dossier, { kind, document }: SignedHere): void {
  switch (kind) {
    case 'acceptance':
      dossier.holdAcceptance(document)
      return
    case 'decline':
      dossier.holdDecline(document)
      return
    case 'receipt':
      dossier.holdReceipt(document)
      return
    case 'outcome':
      dossier.holdOutcome(document)
      return
  }
}

/** (contract, step, round) runs once: the row is the only authority, and the log tells what it was used for. */
async function claimShare(
  tx: Transaction,
  dossier: Dossier,
  contract: string,
  ports: ExchangePorts
): Promise<boolean> {
  const held = dossier.contract(contract)
  const { chain, epoch } = held.contract.payload
  const step = chain.find((one) => one.at === ports.self)?.step ?? chain.length
  const time = ports.clock.now()
  if (!(await tx.work.begin(contract, step, 0, time))) return false
  const about = { time, request: dossier.request.id, contract }
  const acceptances = [...held.acceptances.values()].map((one) => one.id)
  const entries: LogEntry[] = [
    { ...about, kind: 'start', fields: { epoch, acceptances } },
    ...ownJobs(held.contract.payload, held.mine ?? [], ports.self).map(
      (job): LogEntry => ({ ...about, kind: 'job-started', fields: { ...job, attempt: ATTEMPT } })
    )
  ]
  await appendAll(
    tx,
    entries.map((entry) => ({ entry }))
  )
  return true
}

/**
 * Whether something changed that a promise, or its end, rests on. Offers promise nothing; but where people have to approve
 * a request, both sides remember over a restart that it waits.
 */
export function changedDurably(before: Machines, after: Machines): boolean {
  const { hop, coordinator } = after
  const promised = hop !== null && (hop.answered.length > 0 || hop.reservations.length > 0)
  const hopChanged =
    hop !== null && (promised || hop.waited) && hop !== before.hop && !onlyLeft(before.hop, hop)
  const phase = coordinator?.stage.phase
  // While offers are collected and weighed nothing is promised either: after a restart hops are asked again.
  const firm = before.coordinator === null || (phase !== 'collecting' && phase !== 'composing')
  const coordinatorChanged = phase !== undefined && firm && phase !== before.coordinator?.stage.phase
  const waited = coordinator?.waited != null && coordinator !== before.coordinator
  return hopChanged || coordinatorChanged || waited
}

/** That output leaves is worth no write of its own: after a crash a share that had begun counts as used anyway. */
function onlyLeft(before: Hop | null, after: Hop): boolean {
  if (before?.stage.phase !== 'started' || after.stage.phase !== 'started') return false
  return !before.stage.left && after.stage.left && after.stage.share === before.stage.share
}
