import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MAX_RULES_LENGTH, type RuleFile } from '../../policy/index.ts'
import { hasCode } from '../../protocol/errors/index.ts'

const RULES = '.cedar'
/** Of one folder: rules are written by people. */
const MAX_FILES = 256

/** What lies in a policy folder. */
export interface PolicyFolder {
  /** Its rules, by name of file. */
  files: RuleFile[]
  /** What lies there and is not read. */
  ignored: string[]
}

/**
 * Reads a policy folder; one that does not exist has no rules. A file is handed on as far as the limit of rules goes and one
 * letter further, so that whoever reads it says what is too long.
 *
 * @throws {Error} of the platform, for what cannot be read
 */
export async function readPolicyFolder(folder: string): Promise<PolicyFolder> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  })
  const rules = names.filter((name) => name.endsWith(RULES) && !name.startsWith('.')).sort()
  if (rules.length > MAX_FILES)
    throw new RangeError(`${folder}: expected at most ${MAX_FILES} files, found ${rules.length}`)
  return {
    files: await Promise.all(
      rules.map(async (name) => ({ file: name, text: await textOf(join(folder, name)) }))
    ),
    ignored: names.filter((name) => !rules.includes(name)).sort()
  }
}

async function textOf(file: string): Promise<string> {
  const { size } = await stat(file)
  // Every character has at most four bytes.
  if (size > 4 * MAX_RULES_LENGTH) return ' '.repeat(MAX_RULES_LENGTH + 1)
  return (await readFile(file, 'utf8')).slice(0, MAX_RULES_LENGTH + 1)
}
