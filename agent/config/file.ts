import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ConfigInvalid } from './errors.ts'
import { readSource, type Source } from './source.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'expected a file, found a folder',
  EACCES: 'may not be read by this user'
}

/** The text of a file that a user named. @throws {ConfigInvalid} when it cannot be read */
export async function readUserFile(path: string): Promise<{ file: string; text: string }> {
  const file = resolve(path)
  try {
    return { file, text: await readFile(file, 'utf8') }
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    throw new ConfigInvalid(file, [{ path: '', message: REASONS[code] ?? `could not be read (${code})` }], {
      cause
    })
  }
}

/** @throws {ConfigInvalid} */
export async function readConfigFile(path: string): Promise<Source> {
  const { file, text } = await readUserFile(path)
  return readSource(text, file)
}
