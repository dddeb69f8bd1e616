/** Draws the examples anew: `docs/charts/*.svg`, or with a folder as argument, all formats into that. */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLauncher, type Launcher } from '../../agent/jobs/index.ts'
import { Engine } from '../../services/engine/index.ts'
import { buildRunner } from '../../services/runner/build.mjs'
import { quoteText } from '../../services/sql/index.ts'
import { EXAMPLES, type Example } from './examples.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LIMITS = { memory: 512 * 1024 * 1024, threads: 1, seconds: 60, disk: 256 * 1024 * 1024 }

async function drawExample(
  launcher: Launcher,
  engine: Engine,
  example: Example,
  to: string,
  all: boolean
): Promise<string> {
  const { name, sql, ...order } = example
  const folder = await launcher.folder()
  try {
    const path = join(folder.path, 'in', 'a.parquet')
    await engine.run(`COPY (${sql}) TO ${quoteText(path)} (FORMAT parquet)`)
    const { report } = await launcher.run(
      {
        kind: 'convert',
        inputs: [{ kind: 'parts', from: 'VU', paths: ['in/a.parquet'] }],
        union: true,
        steps: [],
        maxInlineRows: 1,
        csv: false,
        graph: order
      },
      folder,
      LIMITS
    )
    const [graph] = report.results.map((result) => result.graph)
    for (const { format, part } of graph?.files ?? [])
      if (all || format === 'svg') await copyFile(join(folder.path, part.path), join(to, `${name}.${format}`))
    return `${name}: ${Math.round(graph?.milliseconds ?? 0)} ms${(graph?.notes ?? []).map((note) => `; ${note}`).join('')}`
  } finally {
    await folder.wipe()
  }
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
  for (const example of EXAMPLES)
    process.stdout.write(`${await drawExample(launcher, engine, example, to, target !== undefined)}\n`)
  await launcher.stop()
} finally {
  await rm(work, { recursive: true, force: true })
}
process.exit(0)
