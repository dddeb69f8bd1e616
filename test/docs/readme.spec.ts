import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { filesBelow, ROOT, text } from '../architecture/sources.ts'
import { blocksOf, outputOf, scriptOf } from './blocks.ts'
import { freePort, needsToRun, PROGRAM, runAll } from './running.ts'

describe('The README', () => {
  const blocks = blocksOf(text('README.md'))

  it('has commands to run', () => {
    expect(blocks.length).to.be.greaterThan(3)
    expect(blocks.some(({ exit }) => exit === 3)).to.equal(true)
  })

  it('names only files that are there, as do the pages', () => {
    const pages = [
      'README.md',
      'CONTRIBUTING.md',
      'SECURITY.md',
      'CHANGELOG.md',
      ...filesBelow('docs', (path) => path.endsWith('.md'))
    ]
    const broken = pages.flatMap((page) =>
      [...text(page).matchAll(/\]\((?!https?:|#)(?<target>[^)#]+)/g)]
        .map(({ groups }) => groups?.target ?? '')
        .filter((target) => !existsSync(join(ROOT, page, '..', target)))
        .map((target) => `${page}: ${target}`)
    )
    expect(broken).to.deep.equal([])
  })

  it('gets a newcomer from an empty folder to an answer and a refusal', async function () {
    // Plain ./scripts/test needs no sandbox and says that it skips; with --all nothing is skipped.
    needsToRun(this)
    this.timeout(120_000)
    const dir = await mkdtemp(join(tmpdir(), 'dynamos-readme-'))
    const [p2p, http] = [await freePort(), await freePort()]
    // the ports of the README may be taken on the machine that tests it
    const preamble = `dynamos() {
      if [[ $1 == init ]]; then set -- "$@" --listen /ip4/127.0.0.1/tcp/${p2p} --api 127.0.0.1:${http}; fi
      ${JSON.stringify(process.execPath)} ${JSON.stringify(PROGRAM)} "$@"
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
