import type { Terms } from '../../protocol/documents/index.ts'
import type { Finding } from './finding.ts'
import { quasiIdentifiers } from './quasi.ts'
import { requiredServices } from './required-services.ts'
import { didYouMean } from './suggestion.ts'

type Tables = readonly { name: string; columns: readonly { name: string }[] }[]
type Add = (level: Finding['level'], clause: string, message: string) => void

/** As the engine compares names: ASCII letters alone have a case there. */
function fold(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** Columns of each table that the agreement shows; undefined where not all are known. */
function shownColumns({ tables }: Terms, known: Tables | null | undefined): string[][] | undefined {
  const allOf = (name: string) =>
    known?.find((table) => table.name === name)?.columns.map((column) => column.name)
  if (tables === '*') return known?.map((table) => table.columns.map((column) => column.name))
  const shown = Object.entries(tables).map(([name, { columns }]) => (columns === '*' ? allOf(name) : columns))
  return shown.every((columns) => columns !== undefined) ? shown : undefined
}

/** Contradictions inside the clause `anonymize`, and names in it that no table of the agreement shows. */
export function checkAnonymize(add: Add, terms: Terms, known: Tables | null | undefined): void {
  const { anonymize } = terms
  if (anonymize === undefined) return
  const { require, forbid } = terms.services
  const ordered = requiredServices(terms).includes('anonymize') && !require.includes('anonymize')
  if (ordered && forbid.includes('anonymize'))
    add('error', 'services.forbid', 'the service "anonymize" is forbidden, and `anonymize` orders it')
  const generalised = Object.keys(anonymize.generalise)
  const among = (names: readonly string[], name: string) => names.some((one) => fold(one) === fold(name))
  const twice = [...anonymize.pseudonymise, ...generalised].find((name) => among(anonymize.suppress, name))
  if (twice !== undefined)
    add('error', 'anonymize.suppress', `column "${twice}" is suppressed and kept in another form`)
  const both = anonymize.pseudonymise.find((name) => among(generalised, name))
  if (both !== undefined)
    add('error', 'anonymize.generalise', `column "${both}" is pseudonymised and generalised`)
  const named = [
    ['anonymize.pseudonymise', anonymize.pseudonymise],
    ['anonymize.generalise', generalised],
    ['anonymize.suppress', anonymize.suppress],
    ['anonymize.quasi', anonymize.quasi ?? []]
  ] as const
  for (const [clause, names] of named) {
    const again = names.find((name, index) => among(names.slice(0, index), name))
    if (again !== undefined) add('error', clause, `column "${again}" is named twice`)
  }
  for (const name of anonymize.quasi ?? []) {
    if (among(anonymize.suppress, name))
      add('error', 'anonymize.quasi', `column "${name}" is suppressed, so that nobody is singled out by it`)
    if (among(anonymize.pseudonymise, name))
      add(
        'error',
        'anonymize.quasi',
        `column "${name}" is pseudonymised: hardly a value of it is shared, so every row would be left out`
      )
  }
  const shown = shownColumns(terms, known)
  if (shown === undefined) return
  const columns = shown.flat()
  for (const [clause, names] of named) {
    for (const name of names) {
      if (!among(columns, name))
        add('error', clause, `no table of the agreement shows a column "${name}"${didYouMean(name, columns)}`)
    }
  }
  const quasi = quasiIdentifiers(anonymize)
  if ((anonymize.k ?? 0) > 1 && shown.length > 1 && quasi.length > 0) {
    const free = shown.filter((table) => !table.some((column) => among(quasi, column))).length
    if (free > 0)
      add(
        'warning',
        'anonymize.k',
        `${free} of ${shown.length} tables show no column that k counts by: they are released whole`
      )
  }
}
