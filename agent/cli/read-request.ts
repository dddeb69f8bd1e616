import { resolve } from 'node:path'
import { parseSubmission, readUserFile, type Submission } from '../config/index.ts'
import type { Context } from './context.ts'

/**
 * A request file, or standard input for `-`, checked here so that a mistake is told with its line even when no agent runs.
 *
 * @throws {ConfigInvalid}, {RequestTypeNotSupported}
 */
export async function readRequest(
  context: Context,
  file: string
): Promise<{ text: string; submission: Submission }> {
  const { text, name } =
    file === '-'
      ? { text: await context.terminal.readInput(), name: 'standard input' }
      : { text: (await readUserFile(resolve(context.terminal.cwd, file))).text, name: file }
  return { text, submission: parseSubmission(text, name) }
}
