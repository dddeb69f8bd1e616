/**
 * The model check: `npm run --silent model -- [--deep] [--mutants] [--walks N] [--seed S] [--length N]`. Goes through every
 * configuration, then through the faults that it has to find, then walks at random beyond the bounds. Exit code 1: a law broke.
 */
import '../../agent/polyfill.ts'
import { parseArgs } from 'node:util'
import { type Checked, check, hunt } from './check.ts'
import { CONFIGURATIONS, DEEP } from './configurations.ts'
import type { Found } from './explore.ts'
import { MUTANTS } from './mutants.ts'
import { walk } from './walk.ts'

const { values } = parseArgs({
  options: {
    deep: { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
    walks: { type: 'string', default: '500' },
    length: { type: 'string', default: '300' },
    seed: { type: 'string' }
  }
})

function line({ name, states, steps, depth, cut, exhausted, longest, seconds }: Checked): string {
  const end = exhausted ? 'exhausted, no bound hit' : 'NOT exhausted: the bound on states was hit'
  const beyond = cut === 0 ? 'no epoch beyond the bound' : `${cut} states of a later epoch not followed`
  const ends = longest === null ? '' : `; all end, after ${longest} steps at most`
  return `${name}\n  ${states} states, ${steps} steps, depth ${depth}; ${end}; ${beyond}${ends} (${seconds.toFixed(1)} s of one core)`
}

function print({ law, steps }: Found): void {
  console.log(`  ${law}`)
  for (const [index, step] of steps.entries()) console.log(`  ${String(index + 1).padStart(3)}. ${step}`)
}

let failed = false
if (!values.mutants)
  for (const configuration of values.deep ? [...CONFIGURATIONS, ...DEEP] : CONFIGURATIONS) {
    const checked = check(configuration)
    console.log(line(checked))
    if (checked.broken === null) continue
    failed = true
    print(checked.broken)
  }
for (const mutant of MUTANTS) {
  const found = hunt(mutant)
  const caught = found !== null && mutant.breaks.test(found.law)
  console.log(`${caught ? 'caught' : 'NOT CAUGHT'}: ${mutant.name}`)
  if (found !== null) print(found)
  failed ||= !caught
}
const seed = Number(values.seed ?? Date.now() % 2 ** 31)
const walked = walk(seed, Number(values.walks), Number(values.length))
console.log(`${walked.walks} walks at random, ${walked.steps} steps, seed ${seed}`)
if (walked.broken !== null) {
  failed = true
  print(walked.broken)
}
process.exitCode = failed ? 1 : 0
