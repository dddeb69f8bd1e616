import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  type Apart,
  appendAll,
  type Basis,
  checkExport,
  checkingApart,
  type LogEntry,
  type Noted,
  verifyLog
} from '../../agent/audit/index.ts'
import { findInstallation } from '../../agent/daemon/index.ts'
import { createSpeaker } from '../../agent/negotiation/index.ts'
import { openStore, type Store, type Transaction } from '../../agent/store/index.ts'
import type { Benchmark } from './benchmark.ts'
import { type Result, resultOf } from './statistics.ts'

const ENTRIES = 1_000_000
const BATCH = 5_000
const ID = `bafyrei${'a'.repeat(52)}`

const about = (time: number) => ({ time, request: ID, contract: ID })
const decision = (time: number): Noted => ({
  entry: {
    ...about(time),
    kind: 'decision',
    fields: {
      question: 'accept',
      verdict: 'permit',
      clauses: Array.from({ length: 14 }, (_, index) => `wages-vu#clause-${index}`),
      policy: 'a'.repeat(64)
    }
  }
})
const BASIS: Basis = {
  engine: 'cedar 4.5.0',
  policy: 'a'.repeat(64),
  rules: 'b'.repeat(64),
  besides: null,
  calls: [
    {
      function: 'provider',
      agreements: [ID],
      wished: null,
      facts: {
        question: 'accept',
        now: 1,
        organisation: 'VU',
        requester: { organisation: 'UVA', name: 'analyst@uva.nl' },
        purpose: 'research',
        archetype: 'computeToData',
        infrastructure: null,
        recipients: ['UVA'],
        dataset: 'wages',
        uses: [{ table: 'person', columns: ['id', 'gender', 'birth'] }],
        services: ['query', 'aggregate', 'algorithm'],
        algorithm: 'average',
        requestsInWindow: {},
        sandboxes: []
      }
    }
  ]
}
const other = (time: number, kind: 'offer' | 'job-started' | 'flow-sent'): Noted => ({
  entry: {
    ...about(time),
    kind,
    fields: { step: 0, round: 0, attempt: 1, service: 'query' }
  } satisfies LogEntry
})

/** The transactions of one hop in an exchange, and what each has in the log. The third is there for the log alone. */
const HOP: readonly { stores: boolean; entries: readonly Noted[]; signs: number }[] = [
  {
    stores: true,
    entries: [
      other(1, 'offer'),
      { ...decision(1), basis: BASIS },
      other(1, 'offer'),
      { ...decision(2), basis: BASIS }
    ],
    signs: 1
  },
  {
    stores: true,
    entries: [{ ...decision(3), basis: BASIS }, other(3, 'job-started'), other(3, 'job-started')],
    signs: 0
  },
  {
    stores: false,
    entries: [
      { ...decision(4), basis: BASIS },
      { ...decision(4), basis: BASIS }
    ],
    signs: 0
  },
  {
    stores: true,
    entries: [other(5, 'flow-sent'), other(5, 'job-started'), other(5, 'job-started')],
    signs: 2
  }
]

async function hop(store: Store, sign: (() => Promise<unknown>) | null, at: number): Promise<number> {
  const keep = async (tx: Transaction) =>
    await tx.exchanges.put({
      request: `${ID}${at}`,
      role: 'hop',
      state: new Uint8Array(2000),
      updatedAt: at,
      ended: false
    })
  const start = performance.now()
  for (const { stores, entries, signs } of HOP) {
    if (!stores && sign === null) continue
    await store.transaction(async (tx) => {
      if (sign !== null) {
        await appendAll(tx, entries)
        for (let count = 0; count < signs; count++) await sign()
      }
      if (stores) await keep(tx)
    })
  }
  return performance.now() - start
}

/** With and without, by turns, so that whatever else the machine does weighs on both. */
async function hopCase(dir: string, repetitions: number): Promise<Result[]> {
  const store = await openStore(join(dir, 'hop.sqlite'))
  const key = await generateKeyPair('Ed25519')
  const peer = peerIdFromPrivateKey(key).toString()
  const speaker = createSpeaker({ key, peer, organisation: 'VU', marketplace: ID, clock: { now: () => 1 } })
  const log = { sequence: 1, head: 'a'.repeat(64) }
  const sign = async () => await speaker.sign('checkpoint', { organisation: 'VU', log, export: null }, 1)
  const times = { with: [] as number[], without: [] as number[] }
  try {
    for (let at = 0; at < repetitions + 5; at++) {
      const without = await hop(store, null, 2 * at)
      const logged = await hop(store, sign, 2 * at + 1)
      if (at < 5) continue
      times.without.push(without)
      times.with.push(logged)
    }
  } finally {
    await store.close()
  }
  const without = resultOf('state of one hop, nothing signed or logged', times.without)
  return [
    without,
    resultOf('state of one hop, signed and logged', times.with, { reference: without.median }),
    resultOf(
      'signing and logging, per hop',
      times.with.map((time, index) => time - (times.without[index] ?? 0))
    )
  ]
}

const ROUNDS = 5
const HOPS = 20
/** Until a check has begun to read. */
const UNDER_WAY_MS = 500

/** Work of exchanges with and without a check in the background, by turns. */
async function besideCase(store: Store, name: string, apart: Apart): Promise<Result[]> {
  const times = { alone: [] as number[], beside: [] as number[] }
  const nothing = async () => undefined
  let at = 0
  const hops = async (into: number[]) => {
    for (let count = 0; count < HOPS; count++) into.push(await hop(store, nothing, at++))
  }
  for (let round = 0; round < ROUNDS; round++) {
    await hops(times.alone)
    const stop = new AbortController()
    let over = false
    const check = apart({ signal: stop.signal }).finally(() => {
      over = true
    })
    await setTimeout(UNDER_WAY_MS)
    if (!over) await hops(times.beside)
    stop.abort()
    await check.catch((error: unknown) => {
      if (!stop.signal.aborted) throw error
    })
  }
  // A short log is checked before anything could be seen beside it.
  if (times.beside.length === 0) return []
  const alone = resultOf(`${name}: state of one hop, nothing checked`, times.alone)
  const reference = { reference: alone.median }
  return [alone, resultOf(`${name}: state of one hop, checked in the background`, times.beside, reference)]
}

async function verifyCase(dir: string, entries: number, say: (text: string) => void): Promise<Result[]> {
  const file = join(dir, 'log.sqlite')
  const store = await openStore(file, { synchronous: 'NORMAL' })
  try {
    for (let written = 0; written < entries; written += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, entries - written) }, (_, index) =>
        decision(written + index)
      )
      await store.transaction(async (tx) => await appendAll(tx, batch))
      if (written % 100_000 === 0) say(`${written} of ${entries} entries written`)
    }
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const before = process.memoryUsage().rss
    delay.enable()
    const start = performance.now()
    const verdict = await verifyLog(store)
    const seconds = (performance.now() - start) / 1000
    delay.disable()
    if (!verdict.intact) throw new Error(`expected an intact log, found ${verdict.reason}`)
    const name = `a log of ${entries} entries`
    const apart = checkingApart(findInstallation().logCheck, file)
    const begun = performance.now()
    const again = await apart({})
    const apartSeconds = (performance.now() - begun) / 1000
    if (!again.intact) throw new Error(`expected an intact log, found ${again.reason}`)
    const memory = (process.memoryUsage().rss - before) / 2 ** 20
    return [
      resultOf(`${name}: verified`, [entries / seconds], { unit: 'entries/s' }),
      resultOf(`${name}: others wait, at most`, [delay.max / 1e6]),
      resultOf(`${name}: memory that it took`, [memory], { unit: 'MiB' }),
      resultOf(`${name}: verified in a process of its own`, [entries / apartSeconds], { unit: 'entries/s' }),
      ...(await besideCase(store, name, apart))
    ]
  } finally {
    await store.close()
  }
}

async function* whole(bytes: Uint8Array) {
  yield bytes
}

/** The exports of all parties of an exchange with two data providers and a compute provider. */
async function checkCase(repetitions: number): Promise<Result[]> {
  const bytes = await readFile(new URL('../../test/fixtures/audit/joined.audit', import.meta.url))
  const samples: number[] = []
  for (let index = 0; index < repetitions; index++) {
    const start = performance.now()
    const { verdict } = await checkExport(whole(bytes))
    samples.push(performance.now() - start)
    if (verdict !== 'confirmed') throw new Error(`expected a confirmed export, found ${verdict}`)
  }
  return [resultOf('audit check of four parties', samples)]
}

/** What the log costs: per hop of an exchange, and to verify. `--rows`: entries of the log that is verified. */
export const auditBench: Benchmark = async ({ repetitions = 200, rows = ENTRIES, say }) => {
  const dir = await mkdtemp(join(tmpdir(), 'dynamos-bench-'))
  try {
    const results = [
      ...(await hopCase(dir, repetitions)),
      ...(await verifyCase(dir, rows, say)),
      ...(await checkCase(repetitions))
    ]
    const notes = [
      'per hop: the four transactions of a data provider with everything that they have in the log and three signatures, against the three that there are without a log, by turns',
      'verify: read from the database, each entry decoded, checked against its schema, encoded and hashed, in the process that also answers, as `audit verify` does, and in one of its own, as the check in the background does'
    ]
    return { notes, results }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
