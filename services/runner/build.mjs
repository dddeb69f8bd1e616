import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { buildGraph } from '../draw/build.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const services = dirname(here)

/**
 * Bundles the runner into one file that needs only `@duckdb/node-bindings` beside it: importing 170 modules takes longer
 * than starting the engine. What draws pictures is a bundle of its own in `graph/` beside it: four times as large, and
 * most jobs draw nothing.
 *
 * @param {string} outfile
 * @returns {Promise<void>}
 */
export async function buildRunner(outfile) {
  const beside = dirname(outfile)
  await Promise.all([
    buildJobs(outfile),
    buildGraph(join(beside, 'graph')),
    buildConnector(join(beside, 'connector.mjs'))
  ])
}

/** @param {string} outfile */
async function buildConnector(outfile) {
  await build({
    entryPoints: [join(services, 'connector', 'main.ts')],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // optional parts of the driver that are not installed
    external: ['pg-native', 'pg-cloudflare'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
    },
    logLevel: 'warning'
  })
}

/** @param {string} outfile */
async function buildJobs(outfile) {
  await build({
    entryPoints: [join(here, 'main.ts')],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: ['@duckdb/node-bindings', '@duckdb/node-bindings-*', SQLITE],
    // the engine's CommonJS needs a `require`; an ES module has none
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
    },
    plugins: [algorithms, sqlite],
    logLevel: 'warning'
  })
}

/** The native part of sqlite3, which a jail has at this place; its own search would look around for it. */
const SQLITE = 'sqlite3/build/Release/node_sqlite3.node'
const sqlite = {
  name: 'sqlite',
  setup(bundle) {
    bundle.onResolve({ filter: /^bindings$/ }, ({ path }) => ({ path, namespace: 'sqlite' }))
    bundle.onLoad({ filter: /.*/, namespace: 'sqlite' }, () => ({
      contents: `module.exports = () => require(${JSON.stringify(SQLITE)})`,
      loader: 'js'
    }))
  }
}

/** Every folder of `services/algorithm/` with a manifest is an algorithm. */
const algorithms = {
  name: 'algorithms',
  setup(bundle) {
    bundle.onResolve({ filter: /^dynamos:algorithms$/ }, ({ path }) => ({ path, namespace: 'algorithms' }))
    bundle.onLoad({ filter: /.*/, namespace: 'algorithms' }, async () => {
      const folder = join(services, 'algorithm')
      const entries = await readdir(folder, { recursive: true })
      const names = entries
        .flatMap((entry) => /^([a-zA-Z0-9-]+)[/\\]manifest\.yaml$/.exec(entry)?.[1] ?? [])
        .sort()
      const imports = names.map(
        (name, index) => `import { algorithm as a${index} } from './${name}/index.ts'`
      )
      const pairs = names.map((name, index) => `[${JSON.stringify(name)}, a${index}]`)
      const contents = `${imports.join('\n')}\nexport const algorithms = new Map([${pairs.join(', ')}])`
      return { contents, resolveDir: folder, loader: 'js', watchDirs: [folder] }
    })
  }
}
