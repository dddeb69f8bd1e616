import { readFile } from 'node:fs/promises'

/** A file's text without the white space around it; undefined where it cannot be read. */
export async function textOf(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined
  )
}

/** When a process began, in clock ticks since boot (proc(5), field 22): a later process of the same number differs. */
export async function processStart(pid: number): Promise<string | undefined> {
  const line = await textOf(`/proc/${pid}/stat`)
  const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ')
  // A zombie has let go of everything but its number.
  return fields?.[0] === 'Z' ? undefined : fields?.[19]
}
