import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import sqlite3 from 'sqlite3'
import {
  append,
  appendAll,
  checkingApart,
  type LogEntry,
  LogWatch,
  type LogWatchComponents,
  logPosition,
  readLog
} from '../../agent/audit/index.ts'
import { createSpeaker } from '../../agent/negotiation/index.ts'
import { openStore, type Store } from '../../agent/store/index.ts'
import { codeOf } from '../../protocol/errors/index.ts'

const ignore = () => undefined
const log = { info: ignore, warn: ignore, error: ignore }
const clock = { now: () => 1 }
const anEntry = (time: number): LogEntry => ({ time, kind: 'config', fields: { number: time } })

describe('The watch over a log', () => {
  let folder = ''
  let store: Store
  let key: PrivateKey
  const file = () => join(folder, 'state.sqlite')

  before(async () => {
    key = await generateKeyPair('Ed25519')
  })
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'watch-'))
    store = await openStore(file(), { synchronous: 'NORMAL' })
  })
  afterEach(async () => {
    await store.close()
    await rm(folder, { recursive: true })
  })

  function watching(changes: Partial<LogWatchComponents> = {}): LogWatch {
    const self = peerIdFromPrivateKey(key).toString()
    const speaker = createSpeaker({
      key,
      peer: self,
      organisation: 'VU',
      marketplace: `bafyrei${'a'.repeat(52)}`,
      clock
    })
    return new LogWatch({
      store,
      self,
      clock,
      log,
      sign: async (body) => await speaker.sign('checkpoint', { organisation: 'VU', ...body }, 1000),
      ...changes
    })
  }

  async function filled(count: number): Promise<void> {
    await store.transaction(async (tx) => {
      for (let time = 1; time <= count; time++) await append(tx, anEntry(time))
    })
  }

  /** With the guards of the database removed, as somebody with the disk in hand can. */
  async function tamper(sql: string): Promise<void> {
    const database = new sqlite3.Database(file())
    const error = await new Promise<Error | null>((resolve) =>
      database.exec(`DROP TRIGGER log_never_changes; DROP TRIGGER log_never_shrinks; ${sql}`, resolve)
    )
    await new Promise((resolve) => database.close(resolve))
    if (error !== null) throw error
  }

  const FLIPPED = (sequence: number) =>
    `UPDATE log SET head = replace(head, substr(head, 1, 1), 'x') WHERE sequence = ${sequence}`

  async function checked(changes: Partial<LogWatchComponents> = {}): Promise<LogWatch> {
    const watch = watching(changes)
    watch.start()
    await watch.idle()
    return watch
  }

  it('finds nothing in a log that is as it was written', async () => {
    await filled(450)
    const watch = await checked()
    expect(watch.broken).to.equal(null)
    watch.assertIntact()
  })

  it('finds what was changed after the last checkpoint', async () => {
    await filled(20)
    await watching().checkpoint(1)
    await filled(20)
    await tamper(FLIPPED(30))
    expect((await checked()).broken?.sequence).to.equal(30)
  })

  it('finds an entry that was changed before the last checkpoint', async () => {
    await filled(20)
    await watching().checkpoint(1)
    await filled(20)
    await tamper(FLIPPED(5))
    expect((await checked()).broken?.sequence).to.equal(5)
  })

  describe('that is long', () => {
    const PROGRAM = fileURLToPath(new URL('log-check.mjs', import.meta.url))
    const warned: unknown[] = []
    const warning = { ...log, warn: (fields: object) => warned.push(fields) }
    const never = async () => {
      throw new Error('it was checked in this process')
    }
    beforeEach(async () => {
      warned.splice(0)
      await store.transaction(async (tx) => {
        await appendAll(
          tx,
          Array.from({ length: 10_001 }, (_, time) => ({ entry: anEntry(time) }))
        )
      })
    })

    it('is checked in a process of its own, while the store is written to', async () => {
      const watch = watching({ apart: checkingApart(PROGRAM, file()), breathe: never, log: warning })
      watch.start()
      await filled(10)
      await watch.idle()
      expect([watch.broken, warned]).to.deep.equal([null, []])
      await tamper(FLIPPED(7000))
      const found = await checked({ apart: checkingApart(PROGRAM, file()), breathe: never })
      expect(found.broken?.sequence).to.equal(7000)
    })

    it('is checked beside other work where there can be no such process, and ends when the agent does', async () => {
      await tamper(FLIPPED(9000))
      const watch = await checked({ apart: checkingApart('/nowhere/log-check.js', file()), log: warning })
      expect(watch.broken?.sequence).to.equal(9000)
      expect(warned).to.have.length(1)
      const ended = watching({ apart: checkingApart(PROGRAM, file()), breathe: never, log: warning })
      ended.start()
      await ended.stop()
      expect([ended.broken, warned.length]).to.deep.equal([null, 1])
    })

    it('ends nothing where a process cannot even begin, since all file descriptors are in use', async () => {
      const { stdout } = await promisify(execFile)('bash', [
        '-c',
        `ulimit -n 128 && exec "$0" --import tsx --import ./agent/polyfill.ts test/audit/without-descriptors.ts "$1"`,
        process.execPath,
        PROGRAM
      ])
      expect(stdout).to.equal('CheckEnded\nalive\n')
    })
  })

  it('finds that the end was cut off, once its place was signed', async () => {
    await filled(20)
    await watching().checkpoint(1)
    await tamper('DELETE FROM log WHERE sequence > 15')
    expect((await checked()).broken?.sequence).to.equal(20)
  })

  it('begins nothing new until somebody accepts the break, which is an entry', async () => {
    await filled(10)
    await tamper(FLIPPED(4))
    const watch = await checked()
    expect(codeOf(caught(() => watch.assertIntact()))).to.equal('log-broken')
    await watch.accept('the disk was repaired')
    watch.assertIntact()
    expect((await readLog(store, { from: 11 })).map(({ entry }) => entry.fields)).to.deep.equal([
      { about: 'log', state: 'break-accepted', broken: 4, reason: 'the disk was repaired' }
    ])
    await filled(5)
    expect((await checked()).broken).to.equal(null)
    expect(await watching().verify()).to.deep.include({ intact: false, sequence: 4 })
  })

  it('signs where the log stands when it has grown by enough, and at the end', async () => {
    await filled(9)
    const watch = watching()
    await watch.checkpoint(10)
    expect(await store.checkpoints.last()).to.equal(undefined)
    await watch.stop()
    expect(await store.checkpoints.last()).to.not.equal(undefined)
    expect((await logPosition(store)).sequence).to.equal(9)
  })
})

function caught(run: () => void): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
