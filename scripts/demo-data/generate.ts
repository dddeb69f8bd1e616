/**
 * Writes what the demo starts from into a folder: `generate.ts DIR`. Topology, agreements and requests are copied; each
 * organisation gets its share of the sample as two CSV files beside its dataset.yaml.
 */
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HOLDERS, readSample, rowsOf } from './sample.ts'
import { tablesOf } from './tables.ts'

const here = dirname(fileURLToPath(import.meta.url))

export async function generate(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true })
  await cp(join(here, 'topology.yaml'), join(dir, 'topology.yaml'))
  for (const folder of ['agreements', 'requests'])
    await cp(join(here, folder), join(dir, folder), { recursive: true })
  const sample = readSample()
  for (const holder of HOLDERS) {
    const folder = join(dir, holder)
    await mkdir(folder, { recursive: true })
    await cp(join(here, 'datasets', `${holder}.yaml`), join(folder, 'dataset.yaml'))
    for (const [name, text] of Object.entries(tablesOf(holder, rowsOf(holder, sample))))
      await writeFile(join(folder, name), text)
  }
}

const [, script, dir] = process.argv
if (script === fileURLToPath(import.meta.url)) {
  if (dir === undefined) throw new Error('expected the folder to write to')
  await generate(resolve(dir))
}
