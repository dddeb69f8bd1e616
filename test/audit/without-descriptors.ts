import { closeSync, openSync, writeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { checkingApart } from '../../agent/audit/index.ts'
import { toError } from '../../protocol/errors/index.ts'

/** Run with few file descriptors: uses them all, asks for a check, and tells what came of it and whether it is still there. */
const apart = checkingApart(process.argv[2] ?? '', '/nowhere/state.sqlite')
const taken: number[] = []
try {
  for (;;) taken.push(openSync('/dev/null', 'r'))
} catch {
  // all of them are in use
}
const found = await apart({}).then(
  () => 'a verdict',
  (error: unknown) => toError(error).name
)
await setTimeout(100)
for (const one of taken) closeSync(one)
writeSync(1, `${found}\nalive\n`)
