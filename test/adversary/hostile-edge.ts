import { join } from 'node:path'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Libp2p, PrivateKey } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { createLibp2p } from 'libp2p'
import sqlite3 from 'sqlite3'
import { z } from 'zod'
import { type LogEntry, parseEntry } from '../../agent/audit/index.ts'
import { decodePlain, decodeSigned, type Signed, type SignedBytes } from '../../protocol/documents/index.ts'
import { type WireMessage, wireMessage } from '../../protocol/messages/index.ts'
import { exchangeOnce, HELLO_PROTOCOL, helloReply } from '../../protocol/streams/index.ts'
import type { Market, TestAgent } from '../integration/harness.ts'
import { averages, type Wages, wageRequest } from '../integration/wages.ts'

const SEE_MS = 20_000
const row = z.object({ entry: z.instanceof(Uint8Array) })

/** A libp2p node that says what it likes, at hello too. */
export class Stranger {
  readonly node: Libp2p

  private constructor(node: Libp2p) {
    this.node = node
  }

  static async start(key?: PrivateKey): Promise<Stranger> {
    return new Stranger(
      await createLibp2p({
        ...(key !== undefined && { privateKey: key }),
        transports: [tcp()],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux()],
        connectionMonitor: { enabled: false }
      })
    )
  }

  get peer(): string {
    return this.node.peerId.toString()
  }

  /** Shows a membership. @returns the code it is refused with, or `believed` */
  async hello(
    to: TestAgent,
    shown: { marketplace: string; membership?: SignedBytes; clock?: number }
  ): Promise<string> {
    const stream = await this.node.dialProtocol(addressesOf(to), HELLO_PROTOCOL)
    const reply = await exchangeOnce(
      stream,
      { status: 1, capability: 0, clock: Date.now(), ...shown },
      helloReply
    )
    return 'refused' in reply ? reply.refused.code : 'believed'
  }

  /** Speaks a protocol before hello. @returns how many answers came before the stream was reset */
  async speak(to: TestAgent, protocol: string, bytes: Uint8Array): Promise<number> {
    const stream = await this.node.dialProtocol(addressesOf(to), protocol)
    let heard = 0
    stream.addEventListener('message', () => heard++)
    const closed = new Promise((resolve) => stream.addEventListener('close', resolve))
    stream.send(bytes)
    await closed
    expect(stream.status).to.equal('reset')
    return heard
  }

  async stop(): Promise<void> {
    await this.node.stop()
  }
}

export function addressesOf({ config }: TestAgent) {
  return config.listen.map((one) => multiaddr(one))
}

/** Rows of the state of an agent that runs, as they are on disk now. */
async function rowsOf(agent: TestAgent, sql: string, values: readonly string[]): Promise<unknown[]> {
  const file = join(agent.config.data, 'state.sqlite')
  const database = await new Promise<sqlite3.Database>((resolve, reject) => {
    const opened = new sqlite3.Database(file, sqlite3.OPEN_READONLY, (error) =>
      error === null ? resolve(opened) : reject(error)
    )
  })
  try {
    return await new Promise<unknown[]>((resolve, reject) =>
      database.all<unknown>(sql, values, (error, found) => (error === null ? resolve(found) : reject(error)))
    )
  } finally {
    await new Promise<void>((resolve) => database.close(() => resolve()))
  }
}

export async function logOf(agent: TestAgent): Promise<LogEntry[]> {
  const rows = await rowsOf(agent, 'SELECT entry FROM log ORDER BY sequence', [])
  return rows.map((one) => parseEntry(row.parse(one).entry))
}

/** All that an agent that runs has said and heard of exchanges, in the order in which it was written. */
export async function wordsAt(agent: TestAgent): Promise<WireMessage[]> {
  const rows = await rowsOf(
    agent,
    "SELECT bytes AS entry FROM documents WHERE type = 'message' ORDER BY rowid",
    []
  )
  return rows.map((one) => decodePlain(row.parse(one).entry, wireMessage))
}

/** Capabilities that an agent kept as proof, verified again. */
export async function keptAt(agent: TestAgent, ids: readonly string[]): Promise<Signed<'capability'>[]> {
  return await Promise.all(
    ids.map(async (id) => {
      const [found] = await rowsOf(agent, 'SELECT bytes AS entry FROM documents WHERE id = ?', [id])
      return await decodeSigned('capability', row.parse(found).entry)
    })
  )
}

/** Reads the log until an entry is there: a refusal is answered before it is written. */
export async function evidence(
  agent: TestAgent,
  kind: LogEntry['kind'],
  fields: Record<string, unknown>
): Promise<LogEntry> {
  const limit = AbortSignal.timeout(SEE_MS)
  for (;;) {
    const entries = (await logOf(agent)).filter((entry) => entry.kind === kind)
    const found = entries.find((entry) =>
      Object.entries(fields).every(([name, value]) => Reflect.get(entry.fields, name) === value)
    )
    if (found !== undefined) return found
    if (limit.aborted)
      throw new Error(
        `expected ${kind} ${JSON.stringify(fields)} in the log of ${agent.name}, found ${JSON.stringify(entries)}`
      )
  }
}

/**
 * Runs an attack while honest parties exchange data, and checks that they get what they asked for.
 *
 * @param changes of what they ask, with the same answer
 */
export async function beside<T>(
  market: Market,
  providers: Record<string, Wages>,
  attack: () => Promise<T>,
  changes: Record<string, unknown> = {}
): Promise<T> {
  const honest = market.agent('UVA').ask(wageRequest({ providers: Object.keys(providers), ...changes }))
  // Not only the attack is waited for: what it breaks must not go unseen when it throws.
  const [view, attacked] = await Promise.allSettled([honest, attack()])
  if (view.status === 'rejected') throw view.reason
  expect(view.value.status, JSON.stringify([view.value.error, view.value.refusals])).to.equal('completed')
  expect(view.value.results?.[0]?.rows).to.deep.equal(averages(...Object.values(providers)))
  if (attacked.status === 'rejected') throw attacked.reason
  return attacked.value
}
