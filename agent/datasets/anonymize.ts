import {
  anonymisationInWords,
  DatasetChanged,
  type GrantedTable,
  grantedSchema,
  quasiIdentifiers,
  requiredServices
} from '../../policy/index.ts'
import type { Terms } from '../../protocol/documents/index.ts'
import { anonymisedTables, Failure, foldName, sameName, type TableSchema } from '../../services/index.ts'
import type { Dataset } from './dataset.ts'
import { AnonymizeImpossible } from './errors.ts'

/** Of a dataset, what anonymising needs to know. */
export type Described = Pick<Dataset, 'config' | 'tables'>
type Clause = NonNullable<Terms['anonymize']>

function subjectOf(table: string, dataset: Described): string | undefined {
  return dataset.config.tables.find((one) => one.name === table)?.subject
}

/** Whether `k` looks at a table: then the job has to know whom its rows are about, also where that is shown to nobody. */
function isCounted(table: GrantedTable, clause: Clause | undefined): boolean {
  if (clause === undefined || (clause.k ?? 0) < 2) return false
  return table.columns.some(({ name }) => quasiIdentifiers(clause).some((one) => sameName(one, name)))
}

/**
 * The tables as a job reads them: what the agreement shows, and where `k` counts subjects, their column. Anonymising drops
 * that column before any other SQL than ours sees the table.
 *
 * @throws {DatasetChanged} when the agreement names what the dataset has not
 * @throws {AnonymizeImpossible} when the subject of a table is none of its columns
 */
export function tablesToRead(terms: Terms, dataset: Described, anonymize: boolean): GrantedTable[] {
  const granted = grantedSchema(terms, dataset.tables)
  if (!anonymize) return granted
  return granted.map((table) => {
    const subject = subjectOf(table.name, dataset)
    if (subject === undefined || !isCounted(table, terms.anonymize)) return table
    if (table.columns.some(({ name }) => sameName(name, subject))) return table
    const column = dataset.tables
      .find((one) => one.name === table.name)
      ?.columns.find(({ name }) => sameName(name, subject))
    if (column === undefined)
      throw new AnonymizeImpossible(`"k": table "${table.name}" has no column "${subject}", its subject`)
    return { ...table, columns: [...table.columns, column] }
  })
}

/**
 * Columns that become pseudonyms; without a word of the agreement the subjects, in every table that shows a column of their
 * name: also of a table that is not shown, since another may refer to it.
 */
function pseudonymised(terms: Terms, dataset: Described): string[] {
  if (terms.anonymize !== undefined) return terms.anonymize.pseudonymise
  const subjects = dataset.config.tables.flatMap(({ subject }) => subject ?? [])
  const shown = grantedSchema(terms, dataset.tables).flatMap(({ columns }) => columns)
  const names = shown.map(({ name }) => name).filter((name) => subjects.some((one) => sameName(one, name)))
  return [...new Map(names.map((name) => [foldName(name), name])).values()]
}

/** A dataset as one agreement shows it. */
export interface ShownDataset {
  terms: Terms
  dataset: Described
}

/**
 * Which datasets of a request the step changes. One that its own agreement leaves as it is stays so when only another one of
 * the request is to be anonymised; a step that nobody's agreement requires is about all.
 *
 * @param asked whether the asker wants it
 */
export function anonymisedOf<T extends ShownDataset>(shown: readonly T[], asked: boolean): readonly T[] {
  const ordered = shown.filter(({ terms }) => requiredServices(terms).includes('anonymize'))
  return asked || ordered.length === 0 ? shown : ordered
}

/**
 * What the step does to each dataset of a request.
 *
 * @param asked whether the asker wants it
 * @returns parameters by dataset; a dataset that is not in it is left as it is
 */
export function anonymizeByDataset(
  shown: readonly ShownDataset[],
  asked: boolean
): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    anonymisedOf(shown, asked).map(({ terms, dataset }) => [
      dataset.config.id,
      anonymizeParameters(terms, dataset)
    ])
  )
}

/**
 * What `anonymize` does to a dataset: what the agreement orders; where it orders nothing and the asker wants it, the
 * subjects of the tables become pseudonyms. Pseudonyms are per dataset.
 *
 * @throws {DatasetChanged} when a column to anonymise is in no table that is shown: under another name it would be shown raw
 */
export function anonymizeParameters(terms: Terms, dataset: Described): Record<string, unknown> {
  const { anonymize } = terms
  const domain = dataset.config.id
  if (anonymize === undefined) return { pseudonymise: pseudonymised(terms, dataset), domain }
  const granted = grantedSchema(terms, dataset.tables)
  const { pseudonymise, generalise, suppress, k = 0 } = anonymize
  const quasi = quasiIdentifiers(anonymize)
  const shown = granted.flatMap((table) => table.columns.map(({ name }) => name))
  const absent = [...pseudonymise, ...Object.keys(generalise), ...suppress, ...(anonymize.quasi ?? [])].find(
    (name) => !shown.some((one) => sameName(one, name))
  )
  if (absent !== undefined)
    throw new DatasetChanged(`the agreement anonymises column "${absent}", which no table that it shows has`)
  if (k < 2) return { pseudonymise, generalise, suppress, domain }
  const subjects = granted.flatMap((table) => {
    const subject = subjectOf(table.name, dataset)
    if (subject === undefined || !isCounted(table, anonymize)) return []
    const isShown = table.columns.some(({ name }) => sameName(name, subject))
    return [[table.name, { column: subject, shown: isShown }] as const]
  })
  return { pseudonymise, generalise, suppress, domain, k, quasi, subjects: Object.fromEntries(subjects) }
}

/**
 * The tables as the analyst's SQL meets them once they are anonymised.
 *
 * @throws {DatasetChanged}, {AnonymizeImpossible} saying which column cannot become what
 */
export function anonymisedSchema(terms: Terms, dataset: Described): TableSchema[] {
  const read = tablesToRead(terms, dataset, true).map(({ name, columns }) => ({ name, columns }))
  try {
    return anonymisedTables(read, anonymizeParameters(terms, dataset))
  } catch (error) {
    if (error instanceof Failure && error.hint !== undefined) throw new AnonymizeImpossible(error.hint)
    throw error
  }
}

/** Whether anything becomes a pseudonym: then there is a key to share. */
export function givesPseudonyms(terms: Terms, dataset: Described): boolean {
  return pseudonymised(terms, dataset).length > 0
}

/** What anonymising does here, in sentences for whoever gets the result. */
export function anonymizeNotes(terms: Terms, dataset: Described): string[] {
  if (terms.anonymize !== undefined) return anonymisationInWords(terms).map((part) => `anonymize ${part}`)
  const names = pseudonymised(terms, dataset)
  return names.length > 0
    ? [`anonymize replaces ${names.join(', ')} by pseudonyms`]
    : ['anonymize changes nothing: no table that is shown has a subject, and the agreement names no column']
}

/**
 * What the clause `anonymize` asks of this dataset and cannot have, column by column.
 *
 * @returns clause and reason of each
 */
export function anonymizeProblems(terms: Terms, dataset: Described): { clause: string; message: string }[] {
  const { anonymize } = terms
  if (anonymize === undefined) return []
  const nothing = { pseudonymise: [], generalise: {}, suppress: [] }
  const parts: [clause: string, part: Clause][] = Object.entries(anonymize.generalise).map(([column, to]) => [
    `anonymize.generalise.${column}`,
    { ...nothing, generalise: { [column]: to } }
  ])
  const { k, quasi } = anonymize
  if (k !== undefined)
    parts.push(['anonymize.k', { ...nothing, k, quasi: quasi ?? quasiIdentifiers(anonymize) }])
  return parts.flatMap(([clause, part]) => {
    try {
      anonymisedSchema({ ...terms, anonymize: part }, dataset)
      return []
    } catch (error) {
      if (error instanceof AnonymizeImpossible) return [{ clause, message: error.message }]
      // Names that are not there are found with those of the other clauses.
      if (error instanceof DatasetChanged) return []
      throw error
    }
  })
}

/** Tables that `k` looks at and that have no subject: each of their rows counts as somebody. */
export function tablesCountedByRows(terms: Terms, dataset: Described): string[] {
  return grantedSchema(terms, dataset.tables)
    .filter((table) => isCounted(table, terms.anonymize) && subjectOf(table.name, dataset) === undefined)
    .map(({ name }) => name)
}
