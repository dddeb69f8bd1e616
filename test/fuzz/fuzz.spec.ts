import { execFile } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { ROOT } from '../architecture/sources.ts'
import { CORPUS, keptInputs } from './corpus.ts'
import { readOne } from './run.ts'
import { TARGETS } from './targets/index.ts'

/** Each target gets so many made inputs here; `npm run fuzz` makes more, and looks which code they reach. */
const RUNS = 300
const SEED = 20_260_101
const MAX_CORPUS_BYTES = 1 << 20
/** A guard against an input that never ends, not a measure of speed. */
const HANGS_AFTER_MS = 240_000

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesOf(join(folder, entry.name)) : [join(folder, entry.name)]
  )
}

describe('Bytes from outside', () => {
  for (const target of TARGETS) {
    it(`are a value or a refusal to ${target.name}: seeds and inputs that were kept`, async () => {
      for (const input of await target.seeds()) await readOne(target, input)
      for (const { bytes } of await keptInputs(target.name)) await readOne(target, bytes)
    })
  }

  it(`are a value or a refusal: ${RUNS} made inputs for every reader, in little memory`, async function () {
    this.timeout(HANGS_AFTER_MS + 10_000)
    // A process of its own: a reader that hangs, fills memory or takes the process with it must not take the tests.
    const { NODE_V8_COVERAGE: _counted, ...env } = process.env
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        '--max-old-space-size=256',
        '--import=tsx',
        '--import=./agent/polyfill.ts',
        'test/fuzz/main.ts',
        '--blind',
        `--runs=${RUNS}`,
        `--seed=${SEED}`
      ],
      { cwd: ROOT, env, timeout: HANGS_AFTER_MS, killSignal: 'SIGKILL', maxBuffer: 16 << 20 }
    )
    for (const { name } of TARGETS) expect(stdout).to.match(new RegExp(`^${name}: \\d+ inputs`, 'm'))
  })

  it('that are kept are few and belong to a reader', () => {
    const files = filesOf(CORPUS)
    expect(files.reduce((sum, file) => sum + statSync(file).size, 0)).to.be.below(MAX_CORPUS_BYTES)
    const names = TARGETS.map(({ name }) => join(CORPUS, name, '/'))
    expect(files.filter((file) => !names.some((name) => file.startsWith(name)))).to.deep.equal([])
  })
})
