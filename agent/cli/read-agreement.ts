import { dirname, resolve } from 'node:path'
import { filesNamedBy, MAX_HIERARCHY_LENGTH } from '../../policy/index.ts'
import { readAttached, readUserFile } from '../config/index.ts'
import type { Context } from './context.ts'

export interface ReadAgreement {
  text: string
  /** For messages. */
  name: string
  /** Hierarchy files that the text names, by the names it gives them. */
  files: Record<string, string>
}

export async function readAgreement(context: Context, file: string): Promise<ReadAgreement> {
  const { cwd } = context.terminal
  const isInput = file === '-'
  const text = isInput ? await context.terminal.readInput() : (await readUserFile(resolve(cwd, file))).text
  const folder = isInput ? cwd : dirname(resolve(cwd, file))
  const files = await readAttached(filesNamedBy(text), folder, MAX_HIERARCHY_LENGTH)
  return { text, name: isInput ? 'standard input' : file, files }
}

export function ownValue(files: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(files, name) ? files[name] : undefined
}
