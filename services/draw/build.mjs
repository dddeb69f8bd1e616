import { cp, mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const { resolve } = createRequire(import.meta.url)

/**
 * Bundles what draws pictures into a folder, with the font and the WebAssembly beside it.
 *
 * @param {string} folder
 * @returns {Promise<void>}
 */
export async function buildGraph(folder) {
  await mkdir(folder, { recursive: true })
  await Promise.all([
    build({
      entryPoints: [join(here, 'index.ts')],
      outfile: join(folder, 'graph.mjs'),
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      logLevel: 'warning'
    }),
    cp(resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'), join(folder, 'DejaVuSans.ttf')),
    cp(resolve('dejavu-fonts-ttf/LICENSE'), join(folder, 'DejaVuSans.LICENSE')),
    cp(resolve('@resvg/resvg-wasm/index_bg.wasm'), join(folder, 'resvg.wasm'))
  ])
}
