/**
 * Makes dist/: the command line (the daemon in chunks that only `agent run` loads), the runner of jobs, and the manifests of
 * services beside them. Compiles sqlite3 once, from the sources in its own package.
 */
import { chmod, cp, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { buildRunner } from '../services/runner/build.mjs'
import { ensureSqlite } from './sqlite.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')

/** Packages that load a file of their own by its place: a native module or WebAssembly. */
const BY_PLACE = ['@cedar-policy/cedar-wasm', '@duckdb/*', 'classic-level', 'sqlite3']

async function buildAgent() {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  await build({
    absWorkingDir: root,
    entryPoints: { dynamos: 'agent/cli/main.ts', 'log-check': 'agent/audit/apart/main.ts' },
    outdir: dist,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    minifyWhitespace: true,
    minifySyntax: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: BY_PLACE,
    define: { DYNAMOS_VERSION: JSON.stringify(version) },
    // CommonJS inside needs a `require`, and some of it its own place; an ES module has neither.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);"
    },
    logLevel: 'warning'
  })
  await chmod(join(dist, 'dynamos.js'), 0o755)
}

async function copyManifests() {
  const services = join(root, 'services')
  for (const file of await readdir(services, { recursive: true }))
    if (/(\.yaml|[/\\]schema\.json)$/.test(file)) await cp(join(services, file), join(dist, 'services', file))
}

await rm(dist, { recursive: true, force: true })
await mkdir(dist, { recursive: true })
await Promise.all([buildAgent(), buildRunner(join(dist, 'runner.js')), copyManifests(), ensureSqlite(root)])
