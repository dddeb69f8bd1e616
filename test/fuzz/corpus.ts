import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../architecture/sources.ts'

/** Inputs that are kept: each once was the first to get a certain answer, or broke something. */
export const CORPUS = join(ROOT, 'test', 'fuzz', 'corpus')

export interface Kept {
  readonly file: string
  readonly bytes: Uint8Array
}

export async function keptInputs(target: string): Promise<Kept[]> {
  const folder = join(CORPUS, target)
  const names = await readdir(folder).catch(() => [])
  return await Promise.all(
    names.sort().map(async (name) => ({
      file: join(target, name),
      bytes: new Uint8Array(await readFile(join(folder, name)))
    }))
  )
}

export async function keepInput(target: string, bytes: Uint8Array, folder = CORPUS): Promise<string> {
  const name = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  await mkdir(join(folder, target), { recursive: true })
  const file = join(folder, target, name)
  await writeFile(file, bytes)
  return file
}
