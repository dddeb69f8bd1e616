import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { openStore, StoreFailed, type Transaction } from '../../agent/store/index.ts'
import { aRequest, rejectionOf, stateFolder } from './folder.ts'

describe('a transaction', () => {
  const state = stateFolder()

  it('undoes everything when its work throws', async () => {
    const store = await state.open()
    const error = await rejectionOf(
      store.transaction(async (tx) => {
        await tx.requests.create(aRequest('r1'))
        await tx.settings.set('a', '1')
        throw new Error('changed my mind')
      })
    )
    expect(error.message).to.equal('changed my mind')
    expect(await store.requests.get('r1')).to.equal(undefined)
    expect(await store.settings.get('a')).to.equal(undefined)
  })

  it('sees its own changes while nobody else does', async () => {
    const store = await state.open()
    const gate = Promise.withResolvers<void>()
    const written = Promise.withResolvers<void>()
    const running = store.transaction(async (tx) => {
      await tx.settings.set('a', '1')
      expect(await tx.settings.get('a')).to.equal('1')
      written.resolve()
      await gate.promise
    })
    await written.promise
    expect(await store.settings.get('a')).to.equal(undefined)
    gate.resolve()
    await running
    expect(await store.settings.get('a')).to.equal('1')
  })

  it('never interleaves with another, whatever they do', async () => {
    const store = await state.open({ synchronous: 'NORMAL' })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 2, maxLength: 12 }), async (fails) => {
        await store.settings.set('total', '0')
        await Promise.all(
          fails.map(
            async (fail) =>
              await store
                .transaction(async (tx) => {
                  const before = Number(await tx.settings.get('total'))
                  await tx.events.append('r', {})
                  await tx.settings.set('total', String(before + 1))
                  if (fail) throw new Error('no')
                })
                .catch(() => undefined)
          )
        )
        expect(Number(await store.settings.get('total'))).to.equal(fails.filter((fail) => !fail).length)
      }),
      { numRuns: 20 }
    )
  })

  it('says so, instead of waiting for itself, when the store is used inside it', async () => {
    const store = await state.open()
    const write = await rejectionOf(store.transaction(async () => await store.settings.set('a', '1')))
    expect(write).to.be.instanceOf(StoreFailed)
    expect(write.message).to.match(/inside a transaction/)
    const nested = await rejectionOf(
      store.transaction(async () => await store.transaction(async () => undefined))
    )
    expect(nested.message).to.match(/inside a transaction/)
  })

  it('lets another state be used inside it, and is itself known from inside that one', async () => {
    const store = await state.open()
    const folder = await mkdtemp(join(tmpdir(), 'other-state-'))
    const other = await openStore(join(folder, 'state.sqlite'))
    const refused = await store.transaction(
      async () =>
        await other.transaction(async (tx) => {
          await tx.settings.set('a', '1')
          return await rejectionOf(store.settings.set('a', '1'))
        })
    )
    expect(refused.message).to.match(/inside a transaction/)
    expect(await other.settings.get('a')).to.equal('1')
    await other.close()
    await rm(folder, { recursive: true })
  })

  it('lets work that it merely started use the store afterwards', async () => {
    const store = await state.open()
    const gate = Promise.withResolvers<void>()
    const later = await store.transaction(async () => ({
      done: (async () => {
        await gate.promise
        await store.settings.set('a', '1')
      })()
    }))
    gate.resolve()
    await later.done
    expect(await store.settings.get('a')).to.equal('1')
  })

  it('cannot be used after its end', async () => {
    const store = await state.open()
    let kept: Transaction | undefined
    await store.transaction(async (tx) => {
      kept = tx
    })
    expect((await rejectionOf(kept?.settings.set('a', '1') ?? Promise.resolve())).message).to.match(
      /after its end/
    )
  })

  it('goes on after a key that was taken', async () => {
    const store = await state.open()
    await store.requests.create(aRequest('r1'))
    await store.transaction(async (tx) => {
      await rejectionOf(tx.requests.create(aRequest('r1')))
      await tx.settings.set('a', '1')
    })
    expect(await store.settings.get('a')).to.equal('1')
  })

  it('finishes before the store closes, and none begins afterwards', async () => {
    const store = await state.open()
    const writing = store.settings.set('a', '1')
    await store.close()
    await writing
    expect((await rejectionOf(store.settings.set('b', '1'))).message).to.match(/closed/)
    expect(await (await state.open()).settings.get('a')).to.equal('1')
  })
})
