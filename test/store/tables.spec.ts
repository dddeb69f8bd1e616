import { expect } from 'chai'
import { aRequest, stateFolder } from './folder.ts'

const bytes = (...values: number[]) => new Uint8Array(values)

describe('the state of an agent', () => {
  const state = stateFolder()

  it('keeps a document once, as it first came', async () => {
    const store = await state.open()
    const first = { id: 'bafyone', type: 'offer', request: 'bafyreq', bytes: bytes(1, 2), receivedAt: 5 }
    expect(await store.documents.put(first)).to.equal(true)
    expect(await store.documents.put({ ...first, bytes: bytes(9), receivedAt: 6 })).to.equal(false)
    expect(await store.documents.get('bafyone')).to.deep.equal(first)
    expect(await store.documents.ofRequest('bafyreq')).to.deep.equal([first])
    expect(await store.documents.ofType('contract')).to.deep.equal([])
  })

  it('answers a repeated idempotency key of one user with the request it made, and tells whether it is the same', async () => {
    const store = await state.open()
    const keyed = { idempotencyKey: 'k' }
    expect(await store.requests.create(aRequest('r1', keyed))).to.deep.equal({
      id: 'r1',
      created: true,
      same: true
    })
    expect(await store.requests.create(aRequest('r2', keyed))).to.deep.equal({
      id: 'r1',
      created: false,
      same: true
    })
    expect(await store.requests.create(aRequest('r3', { ...keyed, submission: 'other' }))).to.deep.equal({
      id: 'r1',
      created: false,
      same: false
    })
    const another = await store.requests.create({ ...aRequest('r4', keyed), user: 'someone@else.nl' })
    expect(another.created).to.equal(true)
  })

  it('makes one request of twenty that arrive at once with one key', async () => {
    const store = await state.open()
    const made = await Promise.all(
      Array.from(
        { length: 20 },
        async (_, index) => await store.requests.create(aRequest(`r${index}`, { idempotencyKey: 'k' }))
      )
    )
    expect(made.filter(({ created }) => created)).to.have.length(1)
    expect(new Set(made.map(({ id }) => id)).size).to.equal(1)
  })

  it('leaves a request that ended as it ended', async () => {
    const store = await state.open()
    await store.requests.create(aRequest('r1'))
    await store.requests.create({ ...aRequest('r2'), at: 2 })
    expect((await store.requests.unfinished()).map(({ id }) => id)).to.deep.equal(['r1', 'r2'])
    expect(
      await store.requests.update('r1', { status: 'completed', final: true, view: { ok: 1 }, at: 3 })
    ).to.equal(true)
    expect(await store.requests.update('r1', { status: 'failed', final: true, view: {}, at: 4 })).to.equal(
      false
    )
    expect(await store.requests.get('r1')).to.deep.include({
      status: 'completed',
      final: true,
      view: { ok: 1 },
      updatedAt: 3
    })
    expect((await store.requests.unfinished()).map(({ id }) => id)).to.deep.equal(['r2'])
    expect((await store.requests.list()).map(({ id }) => id)).to.deep.equal(['r2', 'r1'])
    expect(await store.requests.list({ user: 'nobody@x' })).to.deep.equal([])
  })

  it('numbers the events of a request without gaps, however many come at once', async () => {
    const store = await state.open()
    const numbers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => await store.events.append('r', { index }))
    )
    expect(numbers.sort((one, other) => one - other)).to.deep.equal(
      Array.from({ length: 20 }, (_, index) => index + 1)
    )
    expect(await store.events.append('other', {})).to.equal(1)
    expect((await store.events.after('r', 18)).map(({ sequence }) => sequence)).to.deep.equal([19, 20])
  })

  it('keeps the latest state of each side of an exchange', async () => {
    const store = await state.open()
    await store.exchanges.put({ request: 'r', role: 'hop', state: bytes(1), updatedAt: 1 })
    await store.exchanges.put({ request: 'r', role: 'hop', state: bytes(2), updatedAt: 2 })
    await store.exchanges.put({ request: 'r', role: 'coordinator', state: bytes(3), updatedAt: 3 })
    expect((await store.exchanges.get('r', 'hop'))?.state).to.deep.equal(bytes(2))
    await store.exchanges.remove('r', 'coordinator')
    expect(await store.exchanges.all('coordinator')).to.deep.equal([])
  })

  it('takes up again both sides of an exchange of which one goes on or whose people were not told', async () => {
    const store = await state.open()
    const put = async (request: string, role: 'hop' | 'coordinator', ended: boolean) =>
      await store.exchanges.put({ request, role, state: bytes(1), updatedAt: 1, ended })
    await put('over', 'hop', true)
    await put('over', 'coordinator', true)
    await put('half', 'hop', true)
    await put('half', 'coordinator', false)
    await put('untold', 'coordinator', true)
    await put('told', 'coordinator', true)
    await put('again', 'hop', false)
    await put('again', 'hop', true)
    await store.requests.create(aRequest('untold'))
    await store.requests.create({ ...aRequest('told'), final: true })
    const open = (await store.exchanges.open()).map(({ request, role }) => `${request} ${role}`)
    expect(open).to.deep.equal(['half coordinator', 'untold coordinator', 'half hop'])
  })

  it('finds a request by the key of its user only', async () => {
    const store = await state.open()
    const request = aRequest('r1', { idempotencyKey: 'k' })
    await store.requests.create(request)
    expect((await store.requests.byKey(request.user, 'k'))?.id).to.equal('r1')
    expect(await store.requests.byKey('someone@else.nl', 'k')).to.equal(undefined)
    expect(await store.requests.byKey(request.user, 'other')).to.equal(undefined)
  })

  it('lets a nonce be claimed for one request until it is forgotten', async () => {
    const store = await state.open()
    const claims = await Promise.all(
      Array.from(
        { length: 10 },
        async (_, index) => await store.nonces.claim('peer', bytes(1), `r${index}`, 100)
      )
    )
    expect(claims.filter(Boolean)).to.have.length(1)
    expect(await store.nonces.claim('other', bytes(1), 'r', 100)).to.equal(true)
    const again = Array.from({ length: 2 }, async () => await store.nonces.claim('other', bytes(1), 'r', 100))
    expect(await Promise.all(again)).to.deep.equal([true, true])
    expect(await store.nonces.prune(100)).to.equal(0)
    expect(await store.nonces.prune(101)).to.equal(2)
    expect(await store.nonces.claim('peer', bytes(1), 'r', 200)).to.equal(true)
  })

  it('lets a step of a contract begin once in each round, whoever asks at the same time', async () => {
    const store = await state.open()
    const begun = await Promise.all(
      Array.from({ length: 10 }, async () => await store.work.begin('c', 0, 0, 1))
    )
    expect(begun.filter(Boolean)).to.have.length(1)
    expect(await store.work.begin('c', 0, 1, 2)).to.equal(true)
    expect(await store.work.end('c', 0, 0, 'done', 3)).to.equal(true)
    expect(await store.work.end('c', 0, 0, 'failed', 4)).to.equal(false)
    expect((await store.work.interruptRunning(5)).map(({ round }) => round)).to.deep.equal([1])
    expect((await store.work.of('c')).map(({ status }) => status)).to.deep.equal(['done', 'interrupted'])
    expect(await store.work.begin('c', 0, 0, 6)).to.equal(false)
  })

  it('has at most one agreement of a name in force, and changes over in one step', async () => {
    const store = await state.open()
    const version = (id: string, at: number, provider = 'VU') => ({
      id,
      name: 'wage-gap',
      provider,
      dataset: 'wageGap',
      state: 'proposed' as const,
      bytes: bytes(at),
      at
    })
    await store.agreements.put(version('b', 1))
    await store.agreements.put(version('a', 2))
    await store.agreements.put(version('u', 2, 'UVA'))
    expect(await store.agreements.enforce('b', 3)).to.equal(undefined)
    expect(await store.agreements.enforce('u', 3)).to.equal(undefined)
    await store.agreements.put({ ...version('b', 4), bytes: bytes(7) })
    expect(await store.agreements.get('b')).to.deep.include({ state: 'in-force', bytes: bytes(7) })
    expect(await store.agreements.enforce('a', 5)).to.equal('b')
    expect(await store.agreements.enforce('a', 6)).to.equal(undefined)
    expect((await store.agreements.inForce({ dataset: 'wageGap' })).map(({ id }) => id)).to.deep.equal([
      'a',
      'u'
    ])
    expect(
      (await store.agreements.inForce({ dataset: 'wageGap', provider: 'UVA' })).map(({ id }) => id)
    ).to.deep.equal(['u'])
    expect(
      (await store.agreements.byName('wage-gap', 'VU')).map(({ id, state }) => [id, state])
    ).to.deep.equal([
      ['a', 'in-force'],
      ['b', 'superseded']
    ])
    expect(await store.agreements.setState('a', 'revoked', 7)).to.equal(true)
    expect((await store.agreements.inForce()).map(({ id }) => id)).to.deep.equal(['u'])
    expect(await store.agreements.all()).to.have.length(3)
  })

  it('counts uses of a dataset in a sliding window, one use once, and takes back what came to nothing', async () => {
    const store = await state.open()
    const limit = { requests: 2, per: 100 }
    const use = (usedFor: string, at: number) => ({ dataset: 'd', requester: 'UVA', usedFor, at })
    const reserved = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => await store.quota.reserve(use(name, 10), limit))
    )
    expect(reserved).to.deep.equal([true, true, false])
    expect(await store.quota.reserve(use('a', 20), limit)).to.equal(true)
    expect(await store.quota.count('d', 'UVA', 0)).to.equal(2)
    expect(await store.quota.count('d', 'UVA', 0, 'a')).to.equal(1)
    await store.quota.release({ dataset: 'd', requester: 'UVA', usedFor: 'b' })
    expect(await store.quota.reserve(use('c', 30), limit)).to.equal(true)
    expect(await store.quota.reserve(use('e', 109), limit)).to.equal(false)
    expect(await store.quota.reserve(use('e', 110), limit)).to.equal(true)
    expect(await store.quota.reserve({ ...use('x', 30), dataset: 'other' }, limit)).to.equal(true)
    expect(await store.quota.prune(31)).to.equal(3)
  })

  it('keeps memberships by kind, and profiles of datasets with the files they speak for', async () => {
    const store = await state.open()
    await store.memberships.save('charter', 'm', bytes(1))
    await store.memberships.save('charter', 'm', bytes(2))
    expect(await store.memberships.load('charter', 'm')).to.deep.equal(bytes(2))
    expect(await store.memberships.load('status', 'm')).to.equal(undefined)
    await store.memberships.remove('charter', 'm')
    expect(await store.memberships.all('charter')).to.deep.equal([])

    const dataset = {
      id: 'wageGap',
      file: '/w.yaml',
      sources: [{ path: '/p.csv', bytes: 12, modified: 1.5, inode: 2 }],
      tables: [{ name: 'P', rows: 3, columns: [{ name: 'c', type: 'BIGINT', nulls: 0 }], notes: [] }],
      profiledAt: 4
    }
    await store.datasets.put(dataset)
    await store.datasets.put({ ...dataset, profiledAt: 5 })
    expect(await store.datasets.all()).to.deep.equal([{ ...dataset, profiledAt: 5 }])
    expect(await store.datasets.remove('wageGap')).to.equal(true)
    expect(await store.datasets.get('wageGap')).to.equal(undefined)
  })

  it('never gives a number of a sequence twice', async () => {
    const store = await state.open()
    const numbers = await Promise.all(
      Array.from({ length: 20 }, async () => await store.settings.next('capability'))
    )
    expect(new Set(numbers).size).to.equal(20)
    expect(Math.max(...numbers)).to.equal(20)
    await store.settings.set('colour', 'blue')
    expect(await store.settings.get('colour')).to.equal('blue')
  })
})
