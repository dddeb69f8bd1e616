import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { peerOfKeyFile } from '../../agent/identity/index.ts'
import { text } from '../architecture/sources.ts'
import { runs } from '../cli/fake-terminal.ts'
import { blocksOf } from './blocks.ts'

/** The words of a command; quotes hold blanks together. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
}

describe('The page about marketplaces', () => {
  let cwd = ''
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'dynamos-page-'))
  })
  afterEach(() => rm(cwd, { recursive: true }))

  it('has commands that work as they stand, one after the other', async () => {
    const blocks = blocksOf(text('docs/marketplace.md'))
    expect(blocks).to.have.length(5)
    for (const line of blocks.flatMap(({ script }) => script.split('\n'))) {
      const [program, ...words] = wordsOf(line)
      expect(program).to.equal('dynamos')
      const args = await Promise.all(
        words.map(async (word) => {
          const [, folder] = /^PEER-OF-(\w+)$/.exec(word) ?? []
          return folder === undefined ? word : (await peerOfKeyFile(join(cwd, folder, 'authority.key'))).peer
        })
      )
      const { code, err } = await runs(args, { cwd })
      expect(code, `${line}\n${err}`).to.equal(0)
    }
  })
})
