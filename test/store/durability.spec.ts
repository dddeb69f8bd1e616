import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, open, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import sqlite3 from 'sqlite3'
import { Handle } from '../../agent/store/handle.ts'
import {
  MIGRATIONS,
  openStore,
  StateCorrupt,
  StateInUse,
  StateTooNew,
  StorageFull
} from '../../agent/store/index.ts'
import { aRequest, rejectionOf, stateFolder } from './folder.ts'

const CHILD = new URL('./crash-child.ts', import.meta.url).pathname

describe('the state file', () => {
  const state = stateFolder()

  it('holds everything that was said to be done when the process is killed', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD, state.file], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    let said = ''
    for await (const chunk of child.stdout) {
      said += String(chunk)
      if (said.split('\n').length > 40 && !child.killed) child.kill('SIGKILL')
    }
    const last = Number(said.trim().split('\n').at(-1))
    const store = await state.open()
    const number = Number(await store.settings.get('number'))
    expect(number).to.be.oneOf([last, last + 1])
    expect(await store.events.after('r', 0)).to.have.length(number)
    expect(await store.documents.ofType('t')).to.have.length(number)
  })

  it('loses a torn last write whole, and nothing before it', async () => {
    const store = await state.open()
    await store.settings.set('a', 'first')
    await store.transaction(async (tx) => {
      await tx.settings.set('a', 'second')
      await tx.settings.set('b', 'second')
    })
    const torn = join(dirname(state.file), '..', 'torn', 'state.sqlite')
    await mkdir(dirname(torn))
    await copyFile(state.file, torn)
    await copyFile(`${state.file}-wal`, `${torn}-wal`)
    const { size } = await stat(`${torn}-wal`)
    const wal = await open(`${torn}-wal`, 'r+')
    await wal.truncate(size - 100)
    await wal.close()
    const survivor = await openStore(torn)
    expect(await survivor.settings.get('a')).to.equal('first')
    expect(await survivor.settings.get('b')).to.equal(undefined)
    await survivor.close()
  })

  it('belongs to one agent at a time, and is free again when that one is killed', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD, state.file], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    await once(child.stdout, 'data')
    const error = await rejectionOf(openStore(state.file))
    expect(error).to.be.instanceOf(StateInUse)
    expect(error.message).to.include(`process ${child.pid}`)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await state.open()
    expect(await rejectionOf(openStore(state.file))).to.be.instanceOf(StateInUse)
  })

  it('is brought up to date from an older version with what it holds', async () => {
    const old = await state.open({ migrations: MIGRATIONS.slice(0, 1) })
    await old.requests.create(aRequest('r1'))
    expect(await rejectionOf(old.settings.get('a'))).to.be.instanceOf(Error)
    await old.close()
    const store = await state.open()
    expect((await store.requests.get('r1'))?.id).to.equal('r1')
    await store.settings.set('a', '1')
  })

  it('knows of exchanges of an older version which of them have ended', async () => {
    const old = await state.open({ migrations: MIGRATIONS.slice(0, 1) })
    await old.close()
    const file = await Handle.open(state.file, 'write')
    for (const [request, text] of [
      ['over', '{"stage":{"phase":"ended"}}'],
      ['open', '{"stage":{"phase":"started"}}'],
      ['spoilt', 'not JSON']
    ] as const)
      await file.run(`INSERT INTO exchanges (request, role, state, updated_at) VALUES (?, 'hop', ?, 1)`, [
        request,
        Buffer.from(text)
      ])
    await file.close()
    const open = await (await state.open()).exchanges.open()
    expect(open.map(({ request }) => request)).to.deep.equal(['open', 'spoilt'])
  })

  it('is refused by an older version than the one that wrote it', async () => {
    const store = await state.open()
    await store.close()
    const error = await rejectionOf(openStore(state.file, { migrations: MIGRATIONS.slice(0, 2) }))
    expect(error).to.be.instanceOf(StateTooNew)
    expect(error.message).to.match(new RegExp(`version 2 or older .* found ${MIGRATIONS.at(-1)?.version}`))
    await state.open()
  })

  it('stays at its version when a migration fails half way', async () => {
    const first = MIGRATIONS.slice(0, 1)
    await (await state.open({ migrations: first })).close()
    const broken = [
      ...first,
      { version: 2, sql: 'CREATE TABLE extra (a INTEGER); CREATE TABLE documents (a INTEGER)' }
    ]
    await rejectionOf(openStore(state.file, { migrations: broken }))
    const store = await state.open()
    await store.settings.set('a', '1')
  })

  it('has migrations numbered from 1 without gaps', () => {
    expect(MIGRATIONS.map(({ version }) => version)).to.deep.equal(MIGRATIONS.map((_, index) => index + 1))
  })

  it('says that the disk is full, undoes what did not fit, and goes on', async () => {
    const store = await state.open({ maxPages: 60 })
    await store.settings.set('a', 'kept')
    const big = { id: 'big', type: 't', bytes: new Uint8Array(500_000), receivedAt: 1 }
    const error = await rejectionOf(
      store.transaction(async (tx) => {
        await tx.settings.set('a', 'lost')
        await tx.documents.put(big)
      })
    )
    expect(error).to.be.instanceOf(StorageFull)
    expect(error).to.have.property('code', 'storage-full')
    expect(await store.settings.get('a')).to.equal('kept')
    await store.settings.set('a', 'later')
    expect(await store.settings.get('a')).to.equal('later')
  })

  it('commits nothing of a transaction that went on after the disk was full', async () => {
    const store = await state.open({ maxPages: 60 })
    const error = await rejectionOf(
      store.transaction(async (tx) => {
        await tx.settings.set('before', '1')
        await tx.documents
          .put({ id: 'big', type: 't', bytes: new Uint8Array(500_000), receivedAt: 1 })
          .catch(() => undefined)
        await tx.settings.set('after', '1').catch(() => undefined)
      })
    )
    expect(error).to.be.instanceOf(StorageFull)
    expect(await store.settings.get('before')).to.equal(undefined)
    expect(await store.settings.get('after')).to.equal(undefined)
  })

  it('is told from a file that is none, from another program’s, and from a damaged one', async () => {
    await mkdir(dirname(state.file), { recursive: true })
    await writeFile(state.file, 'this is no database, but it is longer than a header of one'.repeat(20))
    expect(await rejectionOf(openStore(state.file))).to.be.instanceOf(StateCorrupt)

    const foreign = `${state.file}-foreign`
    const database = new sqlite3.Database(foreign)
    await new Promise((resolve) => database.exec('CREATE TABLE recipes (a)', resolve))
    await new Promise((resolve) => database.close(resolve))
    expect((await rejectionOf(openStore(foreign))).message).to.match(/another program/)

    const damaged = `${state.file}-damaged`
    const store = await openStore(damaged)
    for (let number = 0; number < 50; number++)
      await store.documents.put({ id: `d${number}`, type: 't', bytes: new Uint8Array(3000), receivedAt: 1 })
    await store.close()
    const content = await readFile(damaged)
    await writeFile(damaged, content.fill(0xff, 4096 * 3))
    const error = await rejectionOf(
      (async () => {
        const again = await openStore(damaged)
        try {
          await again.documents.ofType('t')
        } finally {
          await again.close()
        }
      })()
    )
    expect(error).to.be.instanceOf(StateCorrupt)
    expect(error.message).to.include(damaged)
  })

  it('is for its owner’s eyes only', async () => {
    await state.open()
    expect((await stat(state.file)).mode & 0o777).to.equal(0o600)
    expect((await stat(`${state.file}-wal`)).mode & 0o777).to.equal(0o600)
    expect((await stat(dirname(state.file))).mode & 0o777).to.equal(0o700)
  })
})
