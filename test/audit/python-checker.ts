import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { z } from 'zod'
import { ROOT } from '../architecture/sources.ts'

const PYTHON = '/usr/bin/python3'
const CHECKER = join(ROOT, 'scripts/audit-check')

/** The second checker needs packages of Debian: without them plain ./scripts/test skips, loudly, and --all fails. */
export function needsPython(context: Mocha.Context): void {
  const there = spawnSync(PYTHON, ['-c', 'import cbor2, cryptography']).status === 0
  if (!there && process.env.DYNAMOS_TEST_ALL !== '1') context.skip()
}

/** What the second checker says of each file. */
export function saidByPython<T>(answer: z.ZodType<T>, files: readonly string[]): T[] {
  const { stdout, stderr } = spawnSync(PYTHON, [CHECKER, '--json', ...files], {
    encoding: 'utf8',
    maxBuffer: 1 << 26
  })
  if (stderr !== '') throw new Error(stderr)
  return stdout
    .trim()
    .split('\n')
    .map((line) => answer.parse(JSON.parse(line)))
}
