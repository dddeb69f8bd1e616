import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { text } from '../architecture/sources.ts'
import { blocksOf, outputOf, scriptOf } from './blocks.ts'
import { freePort, needsToRun, PROGRAM, runAll } from './running.ts'

describe('docs/agreements.md', () => {
  const blocks = blocksOf(text('docs/agreements.md'))

  it('gets two organisations from nothing to an agreement in force, and to its end', async function () {
    needsToRun(this)
    this.timeout(180_000)
    const dir = await mkdtemp(join(tmpdir(), 'dynamos-agreements-'))
    const ports = [await freePort(), await freePort(), await freePort(), await freePort()]
    // the ports of the page may be taken on the machine that tests it
    const preamble = `dynamos() {
      local words=("$@")
      if [[ $1 == init ]]; then
        words=("\${words[@]//4101/${ports[0]}}"); words=("\${words[@]//4102/${ports[1]}}")
        words=("\${words[@]//7701/${ports[2]}}"); words=("\${words[@]//7702/${ports[3]}}")
      fi
      ${JSON.stringify(process.execPath)} ${JSON.stringify(PROGRAM)} "\${words[@]}"
    }`
    try {
      const { code, stdout, stderr } = await runAll(scriptOf(blocks, preamble), dir)
      expect(code, `${stdout}\n${stderr}`).to.equal(0)
      for (const [index, { output }] of blocks.entries())
        if (output !== undefined) expect(outputOf(stdout, index)).to.include(output)
    } finally {
      await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    }
  })
})
