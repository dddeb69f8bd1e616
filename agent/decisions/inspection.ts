import { createHash } from 'node:crypto'
import { DatasetChanged, grantedSchema, protectedRefusal } from '../../policy/index.ts'
import { type QueryPart, type Refusal, refusalCode } from '../../protocol/documents/index.ts'
import {
  AGGREGATES,
  type Assignment,
  qualifiedName,
  type ReportOf,
  type TableSchema
} from '../../services/index.ts'
import type { Agreement } from '../agreements/index.ts'
import {
  AnonymizeImpossible,
  anonymisedOf,
  anonymisedSchema,
  type Dataset,
  protectedDatasets
} from '../datasets/index.ts'
import { JobFailed, type Launcher } from '../jobs/index.ts'
import type { Dossier } from '../negotiation/index.ts'
import { refuse } from './components.ts'
import { Turns } from './turns.ts'

export type Inspected = ReportOf<'inspect'>

/** A dataset of a request, and the agreement by which it is shown. */
export interface Grant {
  agreement: Pick<Agreement, 'payload'>
  dataset: Pick<Dataset, 'config' | 'tables'>
}

/** What a requester wants to know of its query, as one agreement about each dataset lets it. */
export interface InspectionInit {
  /** The requester's organisation. */
  requester: string
  /** What was found for a request is kept with it. */
  dossier: Dossier
  sql: string
  algorithm: { name: string; parameters: QueryPart['parameters'] }
  grants: readonly Grant[]
  /** Whether the chain anonymises here. */
  anonymize: boolean
}

const MAX_KEPT = 256
const MAX_WAITING = 16
const MOST_NAMES = 256

/**
 * What an analyst's SQL reads and yields, under what agreements show, and whether the algorithm's parameters fit it. A pure
 * function of text and schema, so answers are kept: with the request, whatever they are, so that its rows ask once and nobody
 * else's texts push them out while it runs; and a few for other requests of the same text. One inspection of each organisation
 * at a time, so that slow texts are waited for by those who wrote them.
 */
export class Inspections {
  readonly #launcher: Pick<Launcher, 'inspect'>
  readonly #kept = new Map<string, Inspected | Refusal>()
  readonly #ofRequest = new WeakMap<Dossier, Map<string, Inspected | Refusal>>()
  readonly #turns = new Turns(MAX_WAITING)

  constructor(launcher: Pick<Launcher, 'inspect'>) {
    this.#launcher = launcher
  }

  async inspect(init: InspectionInit): Promise<Inspected | Refusal> {
    const { requester, dossier, sql, algorithm, grants, anonymize } = init
    const tables = tablesOrRefusal(grants, anonymize, dossier.request.payload.options.anonymize)
    if ('code' in tables) return tables
    const units = unitsIn(grants)
    const key = createHash('sha256')
      .update(JSON.stringify([sql, algorithm, tables, units]))
      .digest('hex')
    const own = this.#ofRequest.get(dossier) ?? new Map<string, Inspected | Refusal>()
    this.#ofRequest.set(dossier, own)
    const known = own.get(key) ?? this.#kept.get(key)
    if (known !== undefined) {
      own.set(key, known)
      return known
    }
    const leave = await this.#turns.take(requester)
    if (leave === null)
      return refuse('busy', 'too many queries of this organisation are being inspected; try again')
    try {
      const found = own.get(key) ?? (await this.#run({ kind: 'inspect', sql, tables, algorithm, ...units }))
      own.set(key, found)
      // How long it took is no property of the text: for another request it may be quick enough.
      if (!('code' in found) || found.code !== 'sql-too-complex') this.#keep(key, found)
      return found
    } finally {
      leave()
    }
  }

  #keep(key: string, found: Inspected | Refusal): void {
    if (this.#kept.size >= MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value ?? '')
    this.#kept.set(key, found)
  }

  async #run(assignment: Extract<Assignment, { kind: 'inspect' }>): Promise<Inspected | Refusal> {
    try {
      return await this.#launcher.inspect(assignment)
    } catch (error) {
      if (!(error instanceof JobFailed)) throw error
      const code = refusalCode.safeParse(error.code)
      if (!code.success || !(code.data.startsWith('sql-') || code.data === 'algorithm-parameters'))
        return refuse('sql-too-complex', 'the query could not be inspected in time; make it simpler')
      const refusal = refuse(code.data, error.hint ?? explain(code.data), error.position ?? null)
      return { ...refusal, acceptable: namesShown(code.data, assignment.tables) }
    }
  }
}

/** Whom the rows of the tables are about, where an agreement protects them. */
function unitsIn(grants: readonly Grant[]): Pick<Extract<Assignment, { kind: 'inspect' }>, 'units'> {
  const found = protectedDatasets(
    grants.map(({ agreement, dataset }) => ({ terms: agreement.payload.terms, dataset }))
  )
  if (found === null) return {}
  return { units: found.units.map(({ dataset, table, column }) => ({ dataset, table, column })) }
}

/** Why what is asked is not such that the people behind it are protected, as one of the agreements orders; null: it is. */
export function unprotected(
  grants: readonly Grant[],
  algorithm: string,
  { unitProblem }: Inspected
): Refusal | null {
  const problem =
    unitProblem === undefined ? null : { reason: unitProblem.reason, position: unitProblem.position ?? null }
  const refusals = grants.map(({ agreement }) =>
    protectedRefusal(agreement, { algorithm, aggregates: AGGREGATES, problem })
  )
  return refusals.find((one) => one !== null) ?? null
}

/** Only who is a party to the agreement gets as far as an inspection: it may know what there is to name. */
function namesShown(code: Refusal['code'], tables: readonly TableSchema[]): Refusal['acceptable'] {
  const several = new Set(tables.map(({ dataset }) => dataset)).size > 1
  const called = (table: TableSchema) => (several ? qualifiedName(table) : undefined) ?? table.name
  if (code === 'sql-table-unknown') return { tables: tables.map(called).slice(0, MOST_NAMES) }
  if (code !== 'sql-column-unknown') return null
  const columns = tables.flatMap((table) => table.columns.map(({ name }) => `${called(table)}.${name}`))
  return { columns: columns.slice(0, MOST_NAMES) }
}

/**
 * The tables as the analyst's SQL meets them.
 *
 * @param asked whether it is the asker who wants them anonymised
 */
export function visibleTables(grants: readonly Grant[], anonymize: boolean, asked: boolean): TableSchema[] {
  const shown = grants.map(({ agreement, dataset }) => ({ terms: agreement.payload.terms, dataset }))
  const changed = new Set(anonymize ? anonymisedOf(shown, asked) : [])
  return shown.flatMap((one) => {
    const { terms, dataset } = one
    const met = changed.has(one) ? anonymisedSchema(terms, dataset) : grantedSchema(terms, dataset.tables)
    return met.map(({ name, columns }) => ({ name, columns, dataset: dataset.config.id }))
  })
}

/** An agreement that no longer fits the dataset is no fault of the hop: the asker, a party to it, is told. */
function tablesOrRefusal(...init: Parameters<typeof visibleTables>): TableSchema[] | Refusal {
  try {
    return visibleTables(...init)
  } catch (error) {
    if (error instanceof AnonymizeImpossible) return refuse('anonymize-parameters', error.message)
    if (error instanceof DatasetChanged) return refuse('dataset-changed', error.message)
    throw error
  }
}

/** What a query reads of one dataset. */
export function usesOf({ uses }: Inspected, dataset: string): Inspected['uses'] {
  return uses.filter((use) => use.dataset === dataset)
}

function explain(code: string): string {
  switch (code) {
    case 'sql-syntax':
      return 'the SQL does not parse'
    case 'sql-not-select':
      return 'expected one SELECT statement'
    case 'sql-function-not-allowed':
      return 'the query calls a function that is not on the list'
    case 'sql-table-unknown':
      return 'the query names a table that does not exist'
    case 'sql-column-unknown':
      return 'the query names a column that does not exist'
    case 'sql-too-complex':
      return 'the query is too deep or too wide'
    case 'algorithm-parameters':
      return 'the parameters of the algorithm do not fit the columns that the query gives'
    default:
      return 'the query does not fit the tables'
  }
}
