import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made: string[] = []

/** A new empty folder, removed when the tests end. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dynamos-test-'))
  if (made.length === 0) {
    after(async () => {
      await Promise.all(made.map((path) => rm(path, { recursive: true, force: true })))
    })
  }
  made.push(folder)
  return folder
}
