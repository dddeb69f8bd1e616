import { createHash } from 'node:crypto'
import { grantedSchema } from '../../policy/index.ts'
import { type Refusal, refusalCode } from '../../protocol/documents/index.ts'
import { anonymisedTables, type ReportOf, type TableSchema } from '../../services/index.ts'
import type { Agreement } from '../agreements/index.ts'
import { anonymizeParameters, type Dataset } from '../datasets/index.ts'
import { JobFailed, type Launcher } from '../jobs/index.ts'
import { refuse } from './components.ts'

export type Inspected = ReportOf<'inspect'>

const MAX_KEPT = 256
const MAX_PER_REQUESTER = 2

/**
 * What an analyst's SQL reads and yields, under what one agreement shows. A pure function of text and schema, so answers are
 * kept; at most two inspections of one requester run at once.
 */
export class Inspections {
  readonly #launcher: Launcher
  readonly #kept = new Map<string, Inspected | Refusal>()
  readonly #running = new Map<string, number>()

  constructor(launcher: Launcher) {
    this.#launcher = launcher
  }

  async inspect(
    requester: string,
    sql: string,
    agreement: Agreement,
    dataset: Dataset,
    anonymize: boolean
  ): Promise<Inspected | Refusal> {
    const tables = visibleTables(agreement, dataset, anonymize)
    const key = createHash('sha256')
      .update(JSON.stringify([sql, tables]))
      .digest('hex')
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    const running = this.#running.get(requester) ?? 0
    if (running >= MAX_PER_REQUESTER)
      return refuse('busy', 'two queries of this requester are being inspected; try again')
    this.#running.set(requester, running + 1)
    try {
      const found = await this.#run(sql, tables)
      if (this.#kept.size >= MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value ?? '')
      this.#kept.set(key, found)
      return found
    } catch (error) {
      if (!(error instanceof JobFailed)) throw error
      return refuse('sql-too-complex', 'the query could not be inspected in time; make it simpler')
    } finally {
      const left = (this.#running.get(requester) ?? 1) - 1
      if (left === 0) this.#running.delete(requester)
      else this.#running.set(requester, left)
    }
  }

  async #run(sql: string, tables: TableSchema[]): Promise<Inspected | Refusal> {
    try {
      return await this.#launcher.inspect({ kind: 'inspect', sql, tables })
    } catch (error) {
      if (!(error instanceof JobFailed)) throw error
      const code = refusalCode.safeParse(error.code)
      if (!code.success || !code.data.startsWith('sql-')) throw error
      return refuse(code.data, error.hint ?? explain(code.data), error.position ?? null)
    }
  }
}

/** The tables as the analyst's SQL meets them. */
export function visibleTables(agreement: Agreement, dataset: Dataset, anonymize: boolean): TableSchema[] {
  const { terms } = agreement.payload
  const granted = grantedSchema(terms, dataset.tables).map(({ name, columns }) => ({ name, columns }))
  return anonymize ? anonymisedTables(granted, anonymizeParameters(terms, dataset.config)) : granted
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
    default:
      return 'the query does not fit the tables'
  }
}
