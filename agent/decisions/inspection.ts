import { createHash } from 'node:crypto'
import { grantedSchema } from '../../policy/index.ts'
import { type QueryPart, type Refusal, refusalCode } from '../../protocol/documents/index.ts'
import { type Assignment, anonymisedTables, type ReportOf, type TableSchema } from '../../services/index.ts'
import type { Agreement } from '../agreements/index.ts'
import { anonymizeParameters, type Dataset } from '../datasets/index.ts'
import { JobFailed, type Launcher } from '../jobs/index.ts'
import { refuse } from './components.ts'

export type Inspected = ReportOf<'inspect'>

/** What a requester wants to know of its query, as one agreement lets it. */
export interface InspectionInit {
  /** The requester's agent. */
  requester: string
  sql: string
  algorithm: { name: string; parameters: QueryPart['parameters'] }
  agreement: Agreement
  dataset: Dataset
  anonymize: boolean
}

const MAX_KEPT = 256
const MAX_PER_REQUESTER = 2
const MAX_WAITING = 16

/**
 * What an analyst's SQL reads and yields, under what one agreement shows, and whether the algorithm's parameters fit it. A pure
 * function of text and schema, so answers are kept; at most two inspections of one requester run at once, the others wait.
 */
export class Inspections {
  readonly #launcher: Launcher
  readonly #kept = new Map<string, Inspected | Refusal>()
  readonly #slots = new Map<string, Slots>()

  constructor(launcher: Launcher) {
    this.#launcher = launcher
  }

  async inspect(init: InspectionInit): Promise<Inspected | Refusal> {
    const { requester, sql, algorithm, agreement, dataset, anonymize } = init
    const tables = visibleTables(agreement, dataset, anonymize)
    const key = createHash('sha256')
      .update(JSON.stringify([sql, algorithm, tables]))
      .digest('hex')
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    const leave = await this.#enter(requester)
    if (leave === null)
      return refuse('busy', 'too many queries of this requester are being inspected; try again')
    try {
      const found = await this.#run({ kind: 'inspect', sql, tables, algorithm })
      // How long it took is no property of the text: another time it may be quick enough.
      if ('code' in found && found.code === 'sql-too-complex') return found
      if (this.#kept.size >= MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value ?? '')
      this.#kept.set(key, found)
      return found
    } catch (error) {
      if (!(error instanceof JobFailed)) throw error
      return refuse('sql-too-complex', 'the query could not be inspected in time; make it simpler')
    } finally {
      leave()
    }
  }

  /** @returns how to give the slot back; null when too many wait already */
  async #enter(requester: string): Promise<(() => void) | null> {
    const slots = this.#slots.get(requester) ?? { taken: 0, waiting: [] }
    this.#slots.set(requester, slots)
    if (slots.taken < MAX_PER_REQUESTER) slots.taken++
    else {
      if (slots.waiting.length >= MAX_WAITING) return null
      await new Promise<void>((resolve) => slots.waiting.push(resolve))
    }
    return () => {
      const next = slots.waiting.shift()
      if (next !== undefined) return next()
      slots.taken--
      if (slots.taken === 0) this.#slots.delete(requester)
    }
  }

  async #run(assignment: Extract<Assignment, { kind: 'inspect' }>): Promise<Inspected | Refusal> {
    try {
      return await this.#launcher.inspect(assignment)
    } catch (error) {
      if (!(error instanceof JobFailed)) throw error
      const code = refusalCode.safeParse(error.code)
      if (!code.success || !(code.data.startsWith('sql-') || code.data === 'algorithm-parameters'))
        throw error
      return refuse(code.data, error.hint ?? explain(code.data), error.position ?? null)
    }
  }
}

interface Slots {
  taken: number
  waiting: (() => void)[]
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
    case 'algorithm-parameters':
      return 'the parameters of the algorithm do not fit the columns that the query gives'
    default:
      return 'the query does not fit the tables'
  }
}
