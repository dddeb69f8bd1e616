import { constants } from 'node:fs'
import { copyFile, mkdir, open, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Assignment, SourceTable } from '../../services/index.ts'
import { JobFailed } from './errors.ts'
import { INSIDE } from './jail-command.ts'
import { findSource, type SourceFiles } from './source-files.ts'

/** Of one table; each makes the start of a jail slower. */
const MOST_BINDS = 64

/** The tables of an owner that an assignment reads. */
export function tablesOf(assignment: Assignment): SourceTable[] {
  if (assignment.kind === 'profile') return assignment.tables
  return assignment.kind === 'extract' ? assignment.tables.map((table) => table.source) : []
}

/** The owner's files that an assignment reads, as its description has them. */
export function sourcesOf(assignment: Assignment): string[] {
  const files = tablesOf(assignment).filter(({ format }) => format !== 'postgres')
  return [...new Set(files.map(({ path }) => path))]
}

/** What stands for a path of a description in a job. */
export type Seen = Pick<SourceTable, 'path' | 'files' | 'beside'>

/** The same assignment with its files under the paths the job sees. */
export function relocate<A extends Assignment>(assignment: A, files: ReadonlyMap<string, Seen>): A {
  return withTables(assignment, (table) =>
    table.format === 'postgres' ? table : { ...table, ...files.get(table.path) }
  )
}

/** The same assignment over other tables. */
export function withTables<A extends Assignment>(
  assignment: A,
  seen: (table: SourceTable) => SourceTable
): A {
  if (assignment.kind === 'profile') return { ...assignment, tables: assignment.tables.map(seen) }
  if (assignment.kind === 'extract') {
    const tables = assignment.tables.map((table) => ({ ...table, source: seen(table.source) }))
    return { ...assignment, tables }
  }
  return assignment
}

/** Which files a path stood for, when a jail was made with it. */
export async function stampOf(path: string): Promise<string | undefined> {
  return (await findSource(path).catch(() => undefined))?.version
}

/** The files as they are on the host, for a job without a sandbox. */
export function seenAsIs({ path, files, beside }: SourceFiles): Seen {
  return { path, ...(files === undefined ? {} : { files }), ...(beside.length === 0 ? {} : { beside }) }
}

/**
 * The files of one source under paths inside a jail, and what has to be bound for it; a name stays what it was, it appears in
 * what a user reads. What the job's user may not read is copied into the job's folder first: that happens only when the agent
 * runs as root and its files are closed to others.
 */
export async function mountSource(
  source: SourceFiles,
  index: number,
  folder: string,
  handOver: boolean
): Promise<{ seen: Seen; binds: Map<string, string> }> {
  const { path, files, beside } = source
  const inside = `${INSIDE.data}/${index}/${basename(path) || 'data'}`
  const shared = !handOver || (await readable(source))
  const copies = join(folder, 'in', `.source-${index}`)
  if (!shared) await mkdir(copies)
  const copied = async (from: string, name: string): Promise<string> => {
    const to = join(copies, name)
    await mkdir(dirname(to), { recursive: true })
    await copyRegular(from, to)
    return to
  }
  if (files !== undefined) {
    if (!shared) for (const name of files) await copied(join(path, name), name)
    // the folder of a pattern may hold anything besides, and be that of the whole host
    if (shared && files.length <= MOST_BINDS)
      return {
        seen: { path: inside, files },
        binds: new Map(files.map((name) => [join(path, name), join(inside, name)]))
      }
    return { seen: { path: inside, files }, binds: new Map([[shared ? path : copies, inside]]) }
  }
  const binds = new Map([[shared ? path : await copied(path, basename(path)), inside]])
  // called after the path, also where that is a link and they lie beside what it leads to
  const named = (one: string): string => inside + one.slice(one.lastIndexOf('-'))
  for (const one of beside) binds.set(shared ? one : await copied(one, basename(one)), named(one))
  return { seen: seenAsIs({ ...source, path: inside, beside: beside.map(named) }), binds }
}

/** What was a file a moment ago may be a pipe by now, for which a copy would wait without end. */
async function copyRegular(from: string, to: string): Promise<void> {
  const handle = await open(from, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if (!(await handle.stat()).isFile())
      throw new JobFailed('dataset-changed', `${from} is no regular file any more`, {
        hint: `${basename(from)} changed since the offer`
      })
    await copyFile(`/proc/self/fd/${handle.fd}`, to, constants.COPYFILE_FICLONE)
  } finally {
    await handle.close()
  }
}

/** Whether others may read all of it. */
export async function readable({ path, files, beside }: SourceFiles): Promise<boolean> {
  const all = files?.map((name) => join(path, name)) ?? [path, ...beside]
  for (const one of all) if (((await stat(one)).mode & 0o004) === 0) return false
  if (files === undefined) return true
  const folders = new Set(files.flatMap((name) => ancestors(name)))
  for (const one of folders) if (((await stat(join(path, one))).mode & 0o001) === 0) return false
  return true
}

function ancestors(name: string): string[] {
  const parts = name.split('/').slice(0, -1)
  return ['', ...parts.map((_, index) => parts.slice(0, index + 1).join('/'))]
}
