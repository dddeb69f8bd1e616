import { DuckDBInstance } from '@duckdb/node-api'
import { PROVIDERS, pathOf, QUERY } from './data.ts'

export interface Reference {
  /** Runs the query over all providers' files in one engine, without agreements, network or sandboxes. */
  ask(): Promise<Map<string, number>>
  /** The same for another query, and what is done `over` its rows: the text before and after FROM. */
  rows(query: string, over: readonly [before: string, after: string]): Promise<unknown[][]>
  close(): void
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

/** DuckDB answering the same SQL directly over the same CSV files: the yardstick. */
export async function openReference(dir: string): Promise<Reference> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const rowsOf: Reference['rows'] = async (query, [before, after]) => {
    const parts = PROVIDERS.map((provider) => {
      const [person, job] = (['person', 'job'] as const).map((table) => literal(pathOf(dir, provider, table)))
      return `(WITH person AS (FROM read_csv(${person})), job AS (FROM read_csv(${job})) ${query})`
    })
    return (
      await connection.runAndReadAll(`${before} FROM (${parts.join(' UNION ALL ')}) AS u ${after}`)
    ).getRows()
  }
  return {
    async ask() {
      const rows = await rowsOf(QUERY, ['SELECT gender, avg(wage)', 'GROUP BY gender ORDER BY gender'])
      return new Map(rows.map(([gender, average]) => [String(gender), Number(average)]))
    },
    rows: rowsOf,
    close: () => {
      connection.closeSync()
      instance.closeSync()
    }
  }
}
