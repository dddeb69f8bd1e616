import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { access, constants, lstat, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { hasCode } from '../../protocol/errors/index.ts'
import { JobFailed } from './errors.ts'

/** What a path of a description stands for, now. */
export interface SourceFiles {
  /** The file, or the folder in which the files are. */
  path: string
  /** Of a folder or pattern: relative to `path`, in order. */
  files?: string[]
  /** What a database keeps beside its file: without it the file alone would be read as it was some time ago. */
  beside: string[]
  bytes: number
  /** Changes when any of it does: which files there are, and size, times and inode of each. */
  version: string
}

/** Of one table; more take longer to look at than to read. */
const MOST_FILES = 10_000
const DEEPEST = 16
const PATTERN = /[*?[]/
const BESIDE = ['-wal', '-journal']

/**
 * Looks up the files of a source. A folder is all Parquet files below it; `*`, `?`, `[…]` and `**` stand for names in a path.
 *
 * @throws {JobFailed} dataset-missing; dataset-malformed for what is no regular file, a link that leads out of its folder, a file
 *   that this process may not read, or more files than one table may have
 */
export async function findSource(path: string): Promise<SourceFiles> {
  // a file may be called `data[1].csv`
  const found = await stat(path, { bigint: true }).catch((cause: unknown) => {
    if (PATTERN.test(path)) return undefined
    throw missing(path, cause)
  })
  if (found === undefined || found.isDirectory()) return await findMany(path, found !== undefined)
  await assertReadable(path, found, basename(path))
  await assertInside(path, await realpath(dirname(path)), basename(path))
  const beside: string[] = []
  const stamps = [stamp(basename(path), found)]
  // they lie beside the file itself, where the path is a link to it
  const real = await realpath(path)
  for (const suffix of BESIDE) {
    const log = real + suffix
    const more = await stat(log, { bigint: true }).catch(() => undefined)
    // an empty one says nothing
    if (more === undefined || more.size === 0n) continue
    await assertReadable(log, more, basename(log))
    await assertInside(log, dirname(real), basename(log))
    beside.push(log)
    stamps.push(stamp(suffix, more))
  }
  return { path, beside, bytes: Number(found.size), version: versionOf(stamps) }
}

async function findMany(path: string, folder: boolean): Promise<SourceFiles> {
  const base = folder ? path : baseOf(path)
  const wanted = folder ? matcher('**/*.parquet') : matcher(path.slice(base === '/' ? 1 : base.length + 1))
  const real = await realpath(base).catch((cause: unknown) => {
    throw missing(path, cause)
  })
  const named = (await below(base, '', 0)).filter((name) => wanted.test(name))
  const files = [...new Set(await Promise.all(named.map((name) => insideOf(base, real, name))))].sort()
  // the engine would take it for a pattern, and read others twice
  const odd = files.find((name) => PATTERN.test(name))
  if (odd !== undefined) throw malformed(odd, 'expected a name without "*", "?" and "["')
  if (files.length === 0)
    throw new JobFailed('dataset-missing', `${path} stands for no file`, {
      hint: `${basename(path)} stands for no file`
    })
  const stamps: string[] = []
  let bytes = 0
  for (const name of files) {
    const found = await statOf(join(base, name))
    await assertReadable(join(base, name), found, name)
    stamps.push(stamp(name, found))
    bytes += Number(found.size)
  }
  return { path: base, files, beside: [], bytes, version: versionOf(stamps) }
}

/** Everything below a folder but what tools keep for themselves (`_SUCCESS`, `.crc`). */
async function below(base: string, inside: string, depth: number): Promise<string[]> {
  const names: string[] = []
  const entries = await readdir(join(base, inside), { withFileTypes: true }).catch((cause: unknown) => {
    throw missing(join(base, inside), cause)
  })
  for (const entry of entries) {
    if (/^[._]/.test(entry.name)) continue
    const name = inside === '' ? entry.name : `${inside}/${entry.name}`
    if (entry.isDirectory()) {
      if (depth === DEEPEST) throw malformed(name, `expected folders at most ${DEEPEST} deep`)
      names.push(...(await below(base, name, depth + 1)))
    } else names.push(name)
    if (names.length > MOST_FILES) throw malformed(basename(base), `expected at most ${MOST_FILES} files`)
  }
  return names
}

/** The folder before the first part that is a pattern. */
function baseOf(pattern: string): string {
  const parts = pattern.split('/')
  const first = parts.findIndex((part) => PATTERN.test(part))
  return parts.slice(0, first).join('/') || '/'
}

function matcher(pattern: string): RegExp {
  const source = pattern
    .split('/')
    .map((part) => {
      if (part === '**') return '(?:[^/]+/)*'
      const text = part.replaceAll(/\[([^\]]*)\]|[.+^${}()|\\\]*?[]/g, (sign, set: string | undefined) => {
        if (set !== undefined) return `[${set.replace(/^!/, '^').replaceAll(/[\\[\]]/g, '\\$&')}]`
        return sign === '*' ? '[^/]*' : sign === '?' ? '[^/]' : `\\${sign}`
      })
      return `${text}/`
    })
    .join('')
  try {
    return new RegExp(`^${source.replace(/\/$/, '')}$`)
  } catch (cause) {
    throw new JobFailed('dataset-malformed', `${pattern} is no pattern`, {
      cause,
      hint: 'the path is a pattern that cannot be read'
    })
  }
}

async function statOf(path: string): Promise<BigIntStats> {
  try {
    return await stat(path, { bigint: true })
  } catch (cause) {
    throw missing(path, cause)
  }
}

async function assertReadable(path: string, found: BigIntStats, name: string): Promise<void> {
  if (!found.isFile()) throw malformed(name, `expected a regular file, found ${kindOf(found)}`)
  try {
    await access(path, constants.R_OK)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) throw missing(path, cause)
    throw malformed(name, 'the agent may not read it')
  }
}

/** Whoever may write into a folder of data shall not make the agent read what lies elsewhere. */
async function assertInside(path: string, folder: string, name: string): Promise<void> {
  if (!(await lstat(path)).isSymbolicLink()) return
  const target = await realpath(path)
  if (!target.startsWith(folder === sep ? sep : folder + sep))
    throw malformed(
      name,
      'a link that leads out of its folder; write the path it leads to into the description'
    )
}

/** The file itself, where a name below a folder is a link to another file below it. */
async function insideOf(base: string, real: string, name: string): Promise<string> {
  const path = join(base, name)
  if (!(await lstat(path)).isSymbolicLink()) return name
  await statOf(path)
  await assertInside(path, real, name)
  return relative(real, await realpath(path))
}

function kindOf(found: BigIntStats): string {
  if (found.isDirectory()) return 'a folder'
  if (found.isFIFO()) return 'a pipe'
  if (found.isSocket()) return 'a socket'
  return 'a device'
}

function stamp(name: string, { dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [name, dev, ino, size, mtimeNs, ctimeNs].join('\0')
}

function versionOf(stamps: readonly string[]): string {
  return createHash('sha256').update(stamps.join('\n')).digest('hex')
}

function missing(path: string, cause: unknown): JobFailed {
  if (hasCode(cause, 'EACCES', 'EPERM')) return malformed(basename(path), 'the agent may not read it')
  return new JobFailed('dataset-missing', `${path} is not there`, {
    cause,
    hint: `${basename(path)} is missing`
  })
}

function malformed(name: string, problem: string): JobFailed {
  return new JobFailed('dataset-malformed', `${name}: ${problem}`, { hint: `${name}: ${problem}` })
}
