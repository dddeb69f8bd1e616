import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { hasCode } from '../../protocol/errors/index.ts'

/** A process and all its descendants, as the kernel lists them. */
export async function processTree(pid: number): Promise<number[]> {
  const found = [pid]
  for (const parent of found) found.push(...(await childPids(parent)))
  return found
}

async function childPids(parent: number): Promise<number[]> {
  const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => '')
  return children
    .split(' ')
    .filter((child) => child !== '')
    .map(Number)
}

/** The processes that one started itself, and when each began. */
export async function childrenOf(parent: number): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  for (const pid of await childPids(parent)) {
    const began = await beginningOf(pid)
    if (began !== undefined) found.set(pid, began)
  }
  return found
}

/** Memory that a process holds, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}

/**
 * What files that a process and its descendants hold open, and that have no name any more, take of the disk: no folder shows
 * them. Files of another kind of memory (`memfd`, pipes) take none.
 */
export async function unlinkedBytes(pid: number): Promise<number> {
  const sizes = new Map<string, number>()
  for (const process of await processTree(pid)) {
    const folder = `/proc/${process}/fd`
    for (const name of await readdir(folder).catch(() => [])) {
      const link = await readlink(`${folder}/${name}`).catch(() => '')
      if (!link.startsWith('/') || link.startsWith('/memfd:') || !link.endsWith(' (deleted)')) continue
      const held = await stat(`${folder}/${name}`).catch(() => undefined)
      if (held?.isFile() && held.nlink === 0)
        sizes.set(`${held.dev}:${held.ino}`, Math.max(held.size, held.blocks * 512))
    }
  }
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0)
}

/** When a process began, as the kernel counts: with its number, what tells it from a later one. Undefined once it ran its last. */
export async function beginningOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return ''
    throw error
  })
  // the name before the last parenthesis may hold anything
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state = 'X'] = fields
  return text === '' || state === 'Z' || state === 'X' ? undefined : fields[19]
}
