import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

const ROOMS = ['protocol', 'policy', 'services', 'agent'] as const
const SKIPPED = new Set(['node_modules', 'dist', 'coverage', '.git', '.lab'])

/** Paths of files below a folder of the project, relative to its root. */
export function filesBelow(folder: string, accept: (path: string) => boolean): string[] {
  const found: string[] = []
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (SKIPPED.has(entry.name)) continue
    if (entry.isDirectory()) found.push(...filesBelow(path, accept))
    else if (accept(path)) found.push(path)
  }
  return found.sort()
}

export function text(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

export interface Import {
  from: string
  /** A path relative to the root, or the name of a package. */
  to: string
  local: boolean
  /** `import type`, `export type`, or every imported name marked `type`: nothing of it runs. */
  typeOnly: boolean
  /** `import('…')`: loaded only when that code runs. */
  lazy: boolean
}

const STATEMENT =
  /^[ \t]*(?:import|export)\b(?<clause>[^'"();]*?)\bfrom\s*['"](?<named>[^'"]+)['"]|^[ \t]*import\s*['"](?<bare>[^'"]+)['"]|\bimport\(\s*['"](?<lazy>[^'"]+)['"]\s*\)/gm

function isTypeOnly(clause: string): boolean {
  if (/^\s+type\b/.test(clause)) return true
  const names = /^\s*\{(?<inside>[^}]*)\}\s*$/.exec(clause)?.groups?.inside
  if (names === undefined) return false
  const list = names.split(',').map((name) => name.trim())
  return list.filter((name) => name !== '').every((name) => name.startsWith('type '))
}

/** What a file imports, found in its text. */
export function importsOf(path: string): Import[] {
  const found: Import[] = []
  for (const { groups } of text(path).matchAll(STATEMENT)) {
    const target = groups?.named ?? groups?.bare ?? groups?.lazy
    if (target === undefined) continue
    const local = target.startsWith('.')
    found.push({
      from: path,
      to: local ? relative(ROOT, resolve(ROOT, dirname(path), target)) : target,
      local,
      typeOnly: groups?.clause !== undefined && isTypeOnly(groups.clause),
      lazy: groups?.lazy !== undefined
    })
  }
  return found
}

/** The TypeScript of the four rooms. */
export function roomSources(): string[] {
  return ROOMS.flatMap((room) => filesBelow(room, (path) => path.endsWith('.ts')))
}
