import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Results, StoredResult } from '../exchange/index.ts'
import { viewResult } from './view.ts'

const storedResults = z.array(
  z.strictObject({
    from: z.array(z.string()),
    columns: z.array(z.string()),
    types: z.array(z.string()),
    rows: z.array(z.array(z.unknown())),
    rowCount: z.int(),
    truncated: z.boolean(),
    parquet: z.string(),
    csv: z.string().nullable()
  })
)

const INDEX = 'results.json'

/** Results on disk, a folder for each request: Parquet and CSV whole, JSON as shown. */
export class ResultFiles implements Results {
  readonly #folder: string
  readonly #arrived: (request: string, results: readonly StoredResult[]) => void

  constructor(folder: string, arrived: (request: string, results: readonly StoredResult[]) => void) {
    this.#folder = folder
    this.#arrived = arrived
  }

  async folder(request: string): Promise<string> {
    const folder = join(this.#folder, request)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return folder
  }

  async store(request: string, results: readonly StoredResult[]): Promise<void> {
    const folder = await this.folder(request)
    for (const [index, result] of results.entries()) {
      await writeFile(join(folder, `result-${index}.json`), `${JSON.stringify(viewResult(result))}\n`, {
        mode: 0o600
      })
    }
    await writeFile(join(folder, INDEX), JSON.stringify(results), { mode: 0o600, flush: true })
    this.#arrived(request, results)
  }

  async read(request: string): Promise<StoredResult[] | undefined> {
    try {
      return storedResults.parse(JSON.parse(await readFile(join(this.#folder, request, INDEX), 'utf8')))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
  }

  /** The file of one result; `from` chooses by organisation. */
  async file(
    request: string,
    { from, format }: { from?: string; format: 'json' | 'csv' | 'parquet' }
  ): Promise<{ path: string; mediaType: string } | undefined> {
    const results = await this.read(request)
    if (results === undefined) return undefined
    const index = from === undefined ? 0 : results.findIndex((result) => result.from.includes(from))
    const result = results[index]
    if (result === undefined) return undefined
    if (format === 'parquet') return { path: result.parquet, mediaType: 'application/vnd.apache.parquet' }
    if (format === 'csv') return result.csv === null ? undefined : { path: result.csv, mediaType: 'text/csv' }
    return { path: join(this.#folder, request, `result-${index}.json`), mediaType: 'application/json' }
  }
}
