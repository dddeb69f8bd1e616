import { mkdirSync, mkdtempSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { keepInput } from './corpus.ts'
import { Coverage } from './coverage.ts'
import { Crash, run } from './run.ts'
import { TARGETS } from './targets/index.ts'

const USAGE = `npm run fuzz -- [--target NAME]… [--runs N] [--seed S] [--blind] [--keep BYTES]
  --target  a name of the list, or its beginning; all without it
  --runs    inputs per target (2000)
  --seed    the same seed makes the same inputs (the time of day)
  --blind   without looking which code an input reaches: several times faster
  --keep    keep inputs that reached something new and are at most so long, in test/fuzz/corpus
  --list    the targets`

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true, default: [] },
    runs: { type: 'string', default: '2000' },
    seed: { type: 'string' },
    blind: { type: 'boolean', default: false },
    keep: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false }
  }
})
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}
if (values.list) {
  for (const { name } of TARGETS) console.log(name)
  process.exit(0)
}
const chosen = TARGETS.filter(
  ({ name }) => values.target.length === 0 || values.target.some((wanted) => name.startsWith(wanted))
)
const runs = Number(values.runs)
const seed = values.seed === undefined ? Date.now() % 1_000_000_007 : Number(values.seed)
if (chosen.length === 0 || !Number.isSafeInteger(runs) || !Number.isSafeInteger(seed)) {
  console.error(USAGE)
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'dynamos-fuzz-'))
const current = join(folder, 'current')
mkdirSync(folder, { recursive: true })
// Whoever waits for this process finds the input here when it hangs or dies.
console.log(`seed ${seed}; the input that is being read: ${current}`)
const coverage = values.blind ? undefined : await Coverage.start()
let failed = 0
for (const target of chosen) {
  const began = performance.now()
  console.log(`${target.name}: begins`)
  try {
    const found = await run(target, { runs, seed, current, ...(coverage === undefined ? {} : { coverage }) })
    const reached = coverage === undefined ? '' : `, ${coverage.blocks} blocks`
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    console.log(
      `${target.name}: ${found.runs} inputs, ${found.answers.size} kinds of answer${reached}, ${seconds} s`
    )
    if (values.keep !== undefined)
      for (const input of found.news)
        if (input.byteLength <= Number(values.keep)) await keepInput(target.name, input)
  } catch (thrown) {
    if (!(thrown instanceof Crash)) throw thrown
    failed += 1
    const file = join(folder, `${target.name.replaceAll('/', '-')}-${failed}`)
    await writeFile(file, thrown.input)
    console.error(`${thrown.message}\n${target.name}: CRASHED; the input: ${file}`)
  }
}
coverage?.stop()
process.exit(failed === 0 ? 0 : 1)
