import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { fakeOperations } from '../api/fake-operations.ts'
import { type Draft, draftOf, exportOf } from '../audit/export-builder.ts'
import { fakeAgents } from './fake-agent.ts'
import { runs } from './fake-terminal.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/audit/${name}.audit`, import.meta.url))

describe('dynamos audit open', () => {
  const agents = fakeAgents()
  let shown: Draft[]
  let before: string
  beforeEach(async () => {
    shown = await draftOf(await readFile(fixture('vu')))
    before = join(agents.folder, 'before.audit')
    await writeFile(before, await exportOf(shown))
  })

  /** Asks an agent that exports this now. */
  async function opens(now: Uint8Array) {
    const { audit } = fakeOperations()
    const exported = async function* () {
      yield now
    }
    const agent = await agents.listen({ audit: { ...audit, export: exported } })
    const out = join(agents.folder, 'now.audit')
    const said = await runs(['audit', 'open', before, '--out', out, ...agent])
    return { ...said, written: await readFile(out).catch(() => null) }
  }

  it('writes what goes on from the earlier export', async () => {
    const now = await exportOf(shown)
    const { code, err, written } = await opens(now)
    expect(code, err).to.equal(0)
    expect(written === null ? null : Buffer.compare(written, now)).to.equal(0)
  })

  it('writes nothing when the log was written anew, and names the first entry that is another', async () => {
    const entries = shown.filter((draft) => draft.kind === 'entry')
    const changed = entries[2]
    if (changed === undefined) throw new Error('expected three entries')
    changed.entry.time = Number(changed.entry.time) + 1
    const { code, err, written } = await opens(await exportOf(shown))
    expect(code).to.equal(4)
    expect(err).to.match(new RegExp(`entry ${changed.sequence} of the log`))
    expect(written).to.equal(null)
  })

  it('writes nothing when the log ends before what was exported', async () => {
    const last = shown.findLastIndex(({ kind }) => kind === 'entry' || kind === 'links')
    const { code, err, written } = await opens(await exportOf(shown.toSpliced(last, 1)))
    expect(code).to.equal(4)
    expect(err).to.include('found none')
    expect(written).to.equal(null)
  })

  it('writes nothing when the log is no chain any more', async () => {
    const now = Buffer.from(await exportOf(shown))
    const at = now.byteLength >> 1
    now[at] = (now[at] ?? 0) ^ 1
    const { code, err, written } = await opens(now)
    expect(code).to.equal(4)
    expect(err).to.match(/at record \d+/)
    expect(written).to.equal(null)
  })
})
