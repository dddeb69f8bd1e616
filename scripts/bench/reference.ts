import { DuckDBInstance } from '@duckdb/node-api'
import { PROVIDERS, pathOf, QUERY } from './data.ts'

export interface Reference {
  /** Runs the query over all providers' files in one engine, without agreements, network or sandboxes. */
  ask(): Promise<Map<string, number>>
  close(): void
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

/** DuckDB answering the same SQL directly over the same CSV files: the yardstick. */
export async function openReference(dir: string): Promise<Reference> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const parts = PROVIDERS.map((provider) => {
    const [person, job] = (['person', 'job'] as const).map((table) => literal(pathOf(dir, provider, table)))
    return `(WITH person AS (FROM read_csv(${person})), job AS (FROM read_csv(${job})) ${QUERY})`
  })
  const sql = `SELECT gender, avg(wage) FROM (${parts.join(' UNION ALL ')}) GROUP BY gender ORDER BY gender`
  return {
    async ask() {
      const rows = (await connection.runAndReadAll(sql)).getRows()
      return new Map(rows.map(([gender, average]) => [String(gender), Number(average)]))
    },
    close: () => {
      connection.closeSync()
      instance.closeSync()
    }
  }
}
