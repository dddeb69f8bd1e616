/** Draws the examples anew: `docs/charts/*.svg`, or with a folder as argument, all formats into that. */
import '../../agent/polyfill.ts'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLauncher } from '../../agent/jobs/index.ts'
import { Engine } from '../../services/engine/index.ts'
import { buildRunner } from '../../services/runner/build.mjs'
import { drawPicture } from './draw.ts'
import { EXAMPLES, type Example } from './examples.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LIMITS = { memory: 512 * 1024 * 1024, threads: 1, seconds: 60, disk: 256 * 1024 * 1024 }

/** @returns what to print about it */
async function drawExample(
  by: Parameters<typeof drawPicture>[0],
  { name, sql, ...order }: Example,
  to: string,
  all: boolean
): Promise<string> {
  return await drawPicture(by, sql, order, async ({ files, milliseconds, notes }, folder) => {
    for (const { format, part } of files)
      if (all || format === 'svg') await copyFile(join(folder.path, part.path), join(to, `${name}.${format}`))
    return `${name}: ${Math.round(milliseconds)} ms${notes.map((note) => `; ${note}`).join('')}`
  })
}

const [target] = process.argv.slice(2)
const to = target === undefined ? join(ROOT, 'docs', 'charts') : resolve(target)
const work = await mkdtemp(join(tmpdir(), 'dynamos-charts-'))
try {
  await mkdir(to, { recursive: true })
  const runner = join(work, 'runner.mjs')
  await buildRunner(runner)
  const launcher = await createLauncher({
    folder: join(work, 'jobs'),
    runner,
    nodeModules: join(ROOT, 'node_modules'),
    sandbox: 'none',
    warm: 0
  })
  const engine = await Engine.open()
  const by = { launcher, engine, limits: LIMITS }
  for (const example of EXAMPLES)
    process.stdout.write(`${await drawExample(by, example, to, target !== undefined)}\n`)
  await launcher.stop()
} finally {
  await rm(work, { recursive: true, force: true })
}
process.exit(0)
