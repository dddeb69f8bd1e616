import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { RuleFile } from '../../../../policy/index.ts'
import { readUserFile } from '../../../config/index.ts'
import { readPolicyFolder } from '../../../policies/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'

/** Rules that somebody named: a folder of them, or one file. */
export interface NamedRules {
  files: RuleFile[]
  /** What lies in the folder and is not read. */
  ignored: string[]
}

/** @throws {UsageError} when there is no such thing */
export async function readRules(context: Context, path: string): Promise<NamedRules> {
  const full = resolve(context.terminal.cwd, path)
  const found = await stat(full).catch((cause: unknown) => {
    throw new UsageError(`${path}: expected a policy folder, or a file with rules; there is none`, { cause })
  })
  if (found.isDirectory()) return await readPolicyFolder(full)
  return { files: [{ file: basename(full), text: (await readUserFile(full)).text }], ignored: [] }
}

/** `2026-05-01`, or with a time; a date means its first instant. */
export function instantOf(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  const instant = Date.parse(text)
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(instant)) return instant
  throw new UsageError(`${option}: expected a time such as 2026-05-01 or 2026-05-01T12:00:00Z, found ${text}`)
}
