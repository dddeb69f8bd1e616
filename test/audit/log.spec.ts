import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import sqlite3 from 'sqlite3'
import {
  append,
  type ChainLine,
  EMPTY_LOG,
  entriesOfRequest,
  entryDigest,
  headAfter,
  type LogEntry,
  logPosition,
  readLog,
  verifyChain,
  verifyLog
} from '../../agent/audit/index.ts'
import { openStore, type Store } from '../../agent/store/index.ts'
import { encodePlain, type LogPosition, MalformedDocument } from '../../protocol/documents/index.ts'

const REQUEST = `bafy${'a'.repeat(55)}`
const CONTRACT = `bafy${'b'.repeat(55)}`

const aDecision: LogEntry = {
  time: 1,
  kind: 'decision',
  request: REQUEST,
  contract: CONTRACT,
  fields: {
    question: 'accept',
    verdict: 'permit',
    clauses: ['wage-gap-2026#archetypes'],
    policy: 'bafypolicy'
  }
}
const anEntry = (time: number): LogEntry => ({ time, kind: 'config', fields: { number: time } })

const SALT = new Uint8Array(16).fill(7)
const digestOf = (entry: LogEntry) => entryDigest(SALT, encodePlain(entry))

function chainOf(entries: readonly LogEntry[]): { lines: ChainLine[]; end: LogPosition } {
  let position = EMPTY_LOG
  const lines = entries.map((entry) => {
    position = headAfter(position, digestOf(entry))
    return { ...position, salt: SALT, entry: encodePlain(entry) }
  })
  return { lines, end: position }
}

/** As they were before there were salts. */
function oldLine(previous: LogPosition, entry: LogEntry): ChainLine {
  const sequence = previous.sequence + 1
  const head = createHash('sha256')
    .update(encodePlain([previous.head, sequence, entry]))
    .digest('hex')
  return { sequence, head, salt: null, entry: encodePlain(entry) }
}

const someEntries = fc.array(
  fc.record({
    time: fc.nat(),
    kind: fc.constantFrom('request', 'offer', 'receipt', 'job-wiped'),
    fields: fc.dictionary(
      fc.string({ maxLength: 8 }).filter((key) => key !== '__proto__'),
      fc.oneof(fc.string({ maxLength: 20 }), fc.nat(), fc.boolean()),
      { maxKeys: 3 }
    )
  }),
  { minLength: 2, maxLength: 20 }
)

describe('the chain of a log', () => {
  it('is intact as it was written, also when checked from the middle', () => {
    fc.assert(
      fc.property(someEntries, fc.nat(), (entries, seed) => {
        const { lines, end } = chainOf(entries)
        expect(verifyChain(lines, { expected: end })).to.deep.equal({ intact: true, position: end })
        const cut = seed % lines.length
        const before = lines[cut - 1]
        const after = before === undefined ? EMPTY_LOG : { sequence: before.sequence, head: before.head }
        expect(verifyChain(lines.slice(cut), { after })).to.deep.equal({ intact: true, position: end })
      })
    )
  })

  it('names the first entry that was changed', () => {
    fc.assert(
      fc.property(someEntries, fc.nat(), fc.nat(), (entries, where, how) => {
        const { lines, end } = chainOf(entries)
        const at = where % lines.length
        const line = lines[at]
        if (line === undefined) return
        const entry = new Uint8Array(line.entry)
        entry[how % entry.length] = (entry[how % entry.length] ?? 0) ^ (1 << (how % 8))
        const verdict = verifyChain(lines.with(at, { ...line, entry }), { expected: end })
        expect(verdict).to.deep.include({ intact: false, sequence: at + 1 })
      })
    )
  })

  it('names the place where an entry was taken out, at the end too when its head was signed', () => {
    fc.assert(
      fc.property(someEntries, fc.nat(), (entries, where) => {
        const { lines, end } = chainOf(entries)
        const at = where % lines.length
        const verdict = verifyChain(lines.toSpliced(at, 1), { expected: end })
        expect(verdict).to.deep.include({ intact: false, sequence: at + 1 })
      })
    )
  })

  it('names the first of two entries that changed places, also when they were renumbered', () => {
    fc.assert(
      fc.property(someEntries, fc.nat(), fc.nat(), fc.boolean(), (entries, one, other, renumber) => {
        const { lines, end } = chainOf(entries)
        const [first, second] = [one % lines.length, other % lines.length].sort((a, b) => a - b)
        const early = lines[first ?? 0]
        const late = lines[second ?? 0]
        if (early === undefined || late === undefined || early === late) return
        const swapped = lines
          .with(early.sequence - 1, renumber ? { ...late, sequence: early.sequence } : late)
          .with(late.sequence - 1, renumber ? { ...early, sequence: late.sequence } : early)
        expect(verifyChain(swapped, { expected: end })).to.deep.include({
          intact: false,
          sequence: early.sequence
        })
      })
    )
  })

  it('that was written anew from some entry on contradicts a head that was signed', () => {
    const { end } = chainOf([anEntry(1), anEntry(2), anEntry(3)])
    const { lines } = chainOf([anEntry(1), anEntry(9), anEntry(3), anEntry(4)])
    expect(verifyChain(lines).intact).to.equal(true)
    expect(verifyChain(lines, { expected: end })).to.deep.include({
      intact: false,
      sequence: 3,
      reason: 'another head was signed for this entry'
    })
  })

  it('has the heads that other implementations must find', () => {
    const first = headAfter(EMPTY_LOG, digestOf(anEntry(1)))
    expect(first).to.deep.equal({
      sequence: 1,
      head: '95617417da95bdb099a7ee0aa35db4aa9c240f311cfe38e478219071e2032098'
    })
    expect(headAfter(first, digestOf(aDecision)).head).to.equal(
      'b211a485fe88b901ec69a6b5086ca2cc620390c9f7248989cd791b8b8f608014'
    )
  })

  it('hashes what the page says, whatever the numbers are', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ maxLength: 70_000 }),
        fc.nat({ max: Number.MAX_SAFE_INTEGER - 1 }),
        (salt, entry, sequence) => {
          const digest = createHash('sha256')
            .update(encodePlain([salt, entry]))
            .digest()
          expect(Buffer.from(entryDigest(salt, entry))).to.deep.equal(digest)
          const previous = { sequence, head: 'b'.repeat(64) }
          const hashed = encodePlain([previous.head, sequence + 1, digest])
          expect(headAfter(previous, digest)).to.deep.equal({
            sequence: sequence + 1,
            head: createHash('sha256').update(hashed).digest('hex')
          })
        }
      )
    )
  })

  it('goes on after entries of before there were salts, which verify by their own rule and come first', () => {
    const first = oldLine(EMPTY_LOG, anEntry(1))
    const second = oldLine(first, anEntry(2))
    const third = { ...headAfter(second, digestOf(anEntry(3))), salt: SALT, entry: encodePlain(anEntry(3)) }
    expect(verifyChain([first, second, third]).intact).to.equal(true)
    const changed = { ...second, entry: encodePlain(anEntry(9)) }
    expect(verifyChain([first, changed, third])).to.deep.include({ intact: false, sequence: 2 })
    expect(verifyChain([first, second, third, oldLine(third, anEntry(4))])).to.deep.include({
      intact: false,
      sequence: 4
    })
  })
})

describe('the log of an agent', () => {
  let folder = ''
  let store: Store
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'audit-'))
    store = await openStore(join(folder, 'state.sqlite'))
  })
  afterEach(async () => {
    await store.close()
    await rm(folder, { recursive: true })
  })

  async function tamper(sql: string): Promise<string | undefined> {
    const database = new sqlite3.Database(join(folder, 'state.sqlite'))
    const error = await new Promise<Error | null>((resolve) => database.exec(sql, resolve))
    await new Promise((resolve) => database.close(resolve))
    return error?.message
  }

  const FILED = { kind: 'decision', request: REQUEST, contract: CONTRACT }
  async function digestAt(sequence: number): Promise<Uint8Array> {
    const line = await store.log.at(sequence)
    if (line === undefined || line.salt === null) throw new Error('there is no such line')
    return entryDigest(line.salt, line.entry)
  }

  async function filled(count: number): Promise<void> {
    await store.transaction(async (tx) => {
      for (let time = 1; time <= count; time++) await append(tx, anEntry(time))
    })
  }

  it('gives each entry the next place, which is the position that documents carry', async () => {
    expect(await logPosition(store)).to.deep.equal(EMPTY_LOG)
    const placed = await store.transaction(async (tx) => {
      const position = await append(tx, aDecision)
      expect(await logPosition(tx)).to.deep.equal(position)
      return position
    })
    expect(placed.sequence).to.equal(1)
    expect(await logPosition(store)).to.deep.equal(placed)
    expect(await entriesOfRequest(store, REQUEST)).to.deep.equal([{ ...placed, entry: aDecision }])
    expect(await store.log.ofContract(CONTRACT)).to.have.length(1)
  })

  it('goes on from where it stands, also after an action that was undone and a write that was no append', async () => {
    await filled(2)
    const two = await logPosition(store)
    const undone = store.transaction(async (tx) => {
      await append(tx, aDecision)
      throw new Error('undone')
    })
    expect(await undone.catch(() => 'undone')).to.equal('undone')
    const three = await store.transaction(async (tx) => await append(tx, aDecision))
    expect(three).to.deep.equal({ ...headAfter(two, await digestAt(3)), sequence: 3 })
    await store.log.insert([
      { ...headAfter(three, digestOf(aDecision)), ...FILED, salt: SALT, entry: encodePlain(aDecision) }
    ])
    const five = await store.transaction(async (tx) => await append(tx, anEntry(5)))
    expect(five.sequence).to.equal(5)
    expect(await verifyLog(store)).to.deep.equal({ intact: true, position: five })
  })

  it('has no entry of an action that was undone', async () => {
    await store
      .transaction(async (tx) => {
        await append(tx, aDecision)
        throw new Error('no')
      })
      .catch(() => undefined)
    expect(await readLog(store)).to.deep.equal([])
  })

  it('keeps one order when many write at once', async () => {
    const positions = await Promise.all(
      Array.from(
        { length: 30 },
        async (_, time) => await store.transaction(async (tx) => await append(tx, anEntry(time)))
      )
    )
    expect(new Set(positions.map(({ sequence }) => sequence)).size).to.equal(30)
    expect(await verifyLog(store)).to.deep.equal({ intact: true, position: await logPosition(store) })
  })

  it('is checked over more than one page', async () => {
    await filled(450)
    expect(await verifyLog(store)).to.deep.include({ intact: true })
    expect((await readLog(store, { from: 449 })).map(({ sequence }) => sequence)).to.deep.equal([449, 450])
  })

  it('refuses entries that hold more than ids, digests, names and counts, and kinds that are not on the list', async () => {
    const refused = async (entry: unknown) =>
      await store.transaction(async (tx) => {
        try {
          // What a caller without types could pass.
          await append(tx, JSON.parse(JSON.stringify(entry)))
        } catch (error) {
          return error instanceof MalformedDocument
        }
        return false
      })
    expect(await refused({ ...anEntry(1), kind: 'gossip' })).to.equal(true)
    expect(await refused({ ...anEntry(1), fields: { sql: 'x'.repeat(513) } })).to.equal(true)
    expect(await refused({ ...anEntry(1), fields: { rows: [[1, 2]] } })).to.equal(true)
    expect(await refused({ ...anEntry(1), fields: { load: 0.5 } })).to.equal(true)
    expect(await refused({ ...aDecision, fields: { question: 'accept' } })).to.equal(true)
    expect(await readLog(store)).to.deep.equal([])
  })

  it('cannot be changed or shortened by a statement', async () => {
    await filled(3)
    expect(await tamper("UPDATE log SET kind = 'x'")).to.match(/only grows/)
    expect(await tamper('DELETE FROM log')).to.match(/only grows/)
  })

  const unguarded = 'DROP TRIGGER log_never_changes; DROP TRIGGER log_never_shrinks;'
  const tricks: [string, string, number][] = [
    [
      'another entry',
      'UPDATE log SET entry = (SELECT entry FROM log WHERE sequence = 1) WHERE sequence = 2',
      2
    ],
    ['another head', "UPDATE log SET head = replace(head, 'a', 'b') WHERE sequence = 3", 3],
    ['an entry less', 'DELETE FROM log WHERE sequence = 2', 2],
    [
      'an entry before the first',
      'INSERT INTO log SELECT 0, head, kind, request, contract, entry, salt FROM log WHERE sequence = 1',
      1
    ],
    ['another salt', 'UPDATE log SET salt = randomblob(16) WHERE sequence = 3', 3],
    ['a salt less', 'UPDATE log SET salt = NULL WHERE sequence = 3', 3],
    ['an entry filed elsewhere', "UPDATE log SET request = 'bafyother' WHERE sequence = 4", 4],
    ['its last entry less', 'DELETE FROM log WHERE sequence = 5', 5]
  ]
  for (const [what, sql, sequence] of tricks) {
    it(`is found out with ${what}, even when the guards of the database were removed`, async () => {
      await filled(5)
      const expected = await logPosition(store)
      expect(await tamper(unguarded + sql)).to.equal(undefined)
      expect(await verifyLog(store, { expected })).to.deep.include({ intact: false, sequence })
    })
  }
})
