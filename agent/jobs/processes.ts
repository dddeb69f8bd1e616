import { readFile } from 'node:fs/promises'

/** A process and all its descendants, as the kernel lists them. */
export async function processTree(pid: number): Promise<number[]> {
  const found = [pid]
  for (const parent of found) {
    const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => '')
    for (const child of children.split(' ')) if (child !== '') found.push(Number(child))
  }
  return found
}

/** Memory that a process holds, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}
