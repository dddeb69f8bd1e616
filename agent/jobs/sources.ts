import { constants } from 'node:fs'
import { copyFile, mkdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Assignment } from '../../services/index.ts'
import { JobFailed } from './errors.ts'
import { INSIDE } from './jail-command.ts'

/** The owner's files that an assignment reads. */
export function sourcesOf(assignment: Assignment): string[] {
  if (assignment.kind === 'profile') return [...new Set(assignment.tables.map((table) => table.path))]
  if (assignment.kind === 'extract') return [...new Set(assignment.tables.map((table) => table.source.path))]
  return []
}

/** The same assignment with its files under the paths the job sees. */
export function relocate<A extends Assignment>(assignment: A, files: ReadonlyMap<string, string>): A {
  const path = (host: string): string => files.get(host) ?? host
  if (assignment.kind === 'profile') {
    return { ...assignment, tables: assignment.tables.map((table) => ({ ...table, path: path(table.path) })) }
  }
  if (assignment.kind === 'extract') {
    const tables = assignment.tables.map((table) => ({
      ...table,
      source: { ...table.source, path: path(table.source.path) }
    }))
    return { ...assignment, tables }
  }
  return assignment
}

/** Which file a path was, when a jail was made with it. */
export async function stampOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined)
  return found?.isFile() ? `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}` : undefined
}

/** Paths inside the jail for files of the host; a name stays what it was, it appears in what a user reads. */
export function insidePaths(paths: readonly string[]): Map<string, string> {
  return new Map(paths.map((path, index) => [path, `${INSIDE.data}/${index}/${basename(path)}`]))
}

/**
 * Makes files ready to be bound: one that the job's user may not read is copied into the job's folder first. That happens
 * only when the agent runs as root and its files are closed to others.
 *
 * @returns host paths to bind, by the path in the assignment
 * @throws {JobFailed} dataset-missing
 */
export async function bindable(
  paths: readonly string[],
  folder: string,
  handOver: boolean
): Promise<Map<string, string>> {
  const binds = new Map<string, string>()
  for (const [index, path] of paths.entries()) {
    const found = await stat(path).catch(() => undefined)
    if (!found?.isFile()) {
      throw new JobFailed('dataset-missing', `${path} is no file`, { hint: `${basename(path)} is missing` })
    }
    if (!handOver || readable(found.mode)) binds.set(path, path)
    else {
      const copy = join(folder, 'in', `.source-${index}`, basename(path))
      await mkdir(join(folder, 'in', `.source-${index}`))
      await copyFile(path, copy, constants.COPYFILE_FICLONE)
      binds.set(path, copy)
    }
  }
  return binds
}

/** Whether others may read. */
export function readable(mode: number): boolean {
  return (mode & 0o004) !== 0
}
