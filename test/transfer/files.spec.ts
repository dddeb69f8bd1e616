import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type FilePart, filePartSink, filePartSource } from '../../agent/flows/index.ts'
import { memoryPair } from '../../protocol/streams/index.ts'
import { type PartSink, type PartSource, receiveParts, sendParts } from '../../protocol/transfer/index.ts'
import { aPart, FLOW, GENEROUS, infoOf, type MemoryPart } from './parts.ts'

describe('parts in files', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flows-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  async function aFile(part: MemoryPart): Promise<FilePart> {
    const path = join(folder, `out-${part.index}`)
    await writeFile(path, part.content)
    return { ...infoOf(part), path }
  }

  async function transfer(source: PartSource, sink: PartSink) {
    const [out, into] = memoryPair('/dynamos/flow/1')
    return await Promise.allSettled([
      sendParts(out, FLOW, source, { idleMs: 2_000 }),
      receiveParts(into, async () => ({ sink, ...GENEROUS }), { idleMs: 2_000 })
    ])
  }

  it('arrive as they were, for the owner’s eyes only', async () => {
    const parts = [aPart(0, 700_000), aPart(1, 0)]
    const sink = await filePartSink(join(folder, 'in'))
    const [sent, received] = await transfer(filePartSource(await Promise.all(parts.map(aFile))), sink)
    expect([sent.status, received.status]).to.deep.equal(['fulfilled', 'fulfilled'])
    for (const part of parts) {
      expect(await readFile(sink.pathOf(part))).to.deep.equal(Buffer.from(part.content))
      expect((await stat(sink.pathOf(part))).mode & 0o077).to.equal(0)
    }
    expect(await readdir(join(folder, 'in'))).to.have.length(2)
  })

  it('leave nothing behind when they changed after they were announced', async () => {
    const part = aPart(0, 700_000)
    const file = await aFile(part)
    await writeFile(file.path, aPart(9, 700_000).content)
    const sink = await filePartSink(join(folder, 'in'))
    const sides = await transfer(filePartSource([file]), sink)
    expect(sides.map((side) => side.status === 'rejected' && side.reason.code)).to.deep.equal([
      'flow-altered',
      'flow-altered'
    ])
    expect(await readdir(join(folder, 'in'))).to.deep.equal([])
  })

  it('are a typed failure at both ends when the file is gone', async () => {
    const file = { ...infoOf(aPart(0, 10)), path: join(folder, 'nowhere') }
    const sides = await transfer(filePartSource([file]), await filePartSink(join(folder, 'in')))
    expect(sides.map((side) => side.status === 'rejected' && side.reason.code)).to.deep.equal([
      'internal',
      'internal'
    ])
  })

  it('are still there for the next try, while what broke off is removed', async () => {
    const part = aPart(0, 1_000)
    const first = await filePartSink(join(folder, 'in'))
    await transfer(filePartSource([await aFile(part)]), first)
    await writeFile(join(folder, 'in', '1-1.incoming'), new Uint8Array(10))
    expect(await readdir(join(folder, 'in'))).to.have.length(2)
    const again = await filePartSink(join(folder, 'in'))
    expect(await readdir(join(folder, 'in'))).to.have.length(1)
    expect(await again.has(part)).to.equal(true)
    expect(await again.has(aPart(1, 1_000))).to.equal(false)
    expect(await again.has({ ...part, bytes: 999 })).to.equal(false)
  })
})
