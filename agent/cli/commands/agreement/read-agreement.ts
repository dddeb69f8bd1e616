import { resolve } from 'node:path'
import { readUserFile } from '../../../config/index.ts'
import type { Context } from '../../context.ts'

export async function readAgreement(context: Context, file: string): Promise<{ text: string; name: string }> {
  if (file === '-') return { text: await context.terminal.readInput(), name: 'standard input' }
  const { text } = await readUserFile(resolve(context.terminal.cwd, file))
  return { text, name: file }
}
