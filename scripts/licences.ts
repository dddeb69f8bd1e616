/**
 * Checks the licence of every package that is installed with the agent (not of development tools): each must be on the list
 * of those that an Apache-2.0 program may be distributed with. Prints what breaks the rule and exits 1, else a summary.
 */
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')

const ALLOWED: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MPL-2.0',
  'Python-2.0',
  'Unlicense',
  'Zlib'
])

/** Packages whose manifest names no such licence, with what was read in their files instead. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'dejavu-fonts-ttf':
    'Bitstream Vera: free to use, embed and pass on with its notice; not to be sold by itself'
}

const lockFile = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({ dev: z.boolean().optional(), optional: z.boolean().optional() })
  )
})
const manifest = z.looseObject({
  name: z.string().optional(),
  license: z.union([z.string(), z.looseObject({ type: z.string() })]).optional()
})

/** An SPDX expression without WITH: `OR` needs one part that is allowed, `AND` all. */
export function isAllowed(expression: string): boolean {
  const inner = expression.trim().replace(/^\((.*)\)$/, '$1')
  return inner
    .split(/\s+OR\s+/)
    .some((choice) => choice.split(/\s+AND\s+/).every((licence) => ALLOWED.has(licence.trim())))
}

async function manifestAt(path: string): Promise<z.infer<typeof manifest> | undefined> {
  try {
    return manifest.parse(JSON.parse(await readFile(join(ROOT, path, 'package.json'), 'utf8')))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

async function main(): Promise<number> {
  const lock = lockFile.parse(JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')))
  const counts = new Map<string, number>()
  const broken: string[] = []
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === '' || entry.dev === true) continue
    const found = await manifestAt(path)
    if (found === undefined) {
      // packages for other platforms are in the lock and not on this disk
      if (entry.optional !== true) broken.push(`${path}: in the lock, but not installed`)
      continue
    }
    const licence = (typeof found.license === 'string' ? found.license : found.license?.type) ?? 'none named'
    counts.set(licence, (counts.get(licence) ?? 0) + 1)
    if (!isAllowed(licence) && EXCEPTIONS[found.name ?? path] === undefined)
      broken.push(`${path}: ${licence}`)
  }
  const summary = [...counts].sort(([, one], [, other]) => other - one)
  process.stdout.write(`${summary.map(([licence, count]) => `${count} ${licence}`).join(', ')}\n`)
  for (const line of broken) process.stderr.write(`licence not allowed: ${line}\n`)
  return broken.length === 0 ? 0 : 1
}

process.exitCode = await main()
