import { resolve } from 'node:path'
import { type Agreed, byDomain, type KnownFacts, parseAgreement } from '../../../../policy/index.ts'
import { loadDatasetFile } from '../../../config/index.ts'
import type { Context } from '../../context.ts'
import { ownValue, readAgreement } from '../../read-agreement.ts'

/** Files that an agreement is compared with, where no agent is asked. */
export interface Compared {
  dataset?: string | undefined
  beside: readonly string[]
}

/**
 * What those files say.
 *
 * @throws {ConfigInvalid}, {AgreementMalformed} for a file that cannot be read as what it should be
 */
export async function factsOfFiles(context: Context, { dataset, beside }: Compared): Promise<KnownFacts> {
  const others: Agreed[] = []
  for (const file of beside) {
    const { text, name, files } = await readAgreement(context, file)
    others.push(parseAgreement(text, name, byDomain, (attached) => ownValue(files, attached)))
  }
  if (dataset === undefined) return { beside: others }
  const { tables } = await loadDatasetFile(resolve(context.terminal.cwd, dataset))
  // Columns that the file does not describe are inferred when the dataset is profiled
  return { beside: others, tables: tables.map(({ name, columns }) => ({ name, columns, partial: true })) }
}
