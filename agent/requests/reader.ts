import { csvLine } from '../../services/index.ts'
import {
  MEDIA_TYPES,
  type ResultBody,
  type ResultFormat,
  type ResultPage,
  type ResultView
} from '../api/index.ts'
import type { StoredResult } from '../exchange/index.ts'
import type { Exports } from './export.ts'
import type { ResultFiles } from './results.ts'
import { viewResult } from './view.ts'

type SuppressedIn = (request: string, index: number) => Promise<ResultView['suppressed']>

interface Wanted {
  from?: string
  format: ResultFormat
  page?: ResultPage
}

/** Results as people read them: what is at hand at once, the rest written by a job. */
export class ResultReader {
  readonly #results: ResultFiles
  readonly #exports: Exports
  readonly #suppressed: SuppressedIn

  /** @param suppressed whose groups are not in a result, as the request's answer says */
  constructor(results: ResultFiles, exports: Exports, suppressed: SuppressedIn = async () => []) {
    this.#results = results
    this.#exports = exports
    this.#suppressed = suppressed
  }

  /** A picture, by a name that the request's answer lists. */
  async artifact(
    request: string,
    name: string
  ): Promise<{ path: string; mediaType: string; digest: string } | undefined> {
    return await this.#results.artifact(request, name)
  }

  /** @throws {ResultNotWritten} */
  async read(
    request: string,
    { from, format, page }: Wanted,
    signal: AbortSignal
  ): Promise<ResultBody | undefined> {
    const found = await this.#results.find(request, from)
    if (found === undefined) return undefined
    const { result, index } = found
    const suppressed = format === 'json' ? await this.#suppressed(request, index) : []
    const about = { mediaType: MEDIA_TYPES[format], name: `result-${index}.${format}` }
    if (format === 'parquet' && page === undefined) return { ...about, path: result.parquet }
    const next = page === undefined ? null : nextOf(page, result.rowCount)
    const following = next === null ? {} : { next }
    const rows = format === 'parquet' ? undefined : atHand(result, page)
    if (rows !== undefined) {
      const before =
        format === 'json'
          ? `${JSON.stringify({ ...envelopeOf(result, page, rows.length, suppressed), rows })}\n`
          : csvOf(result.columns, rows)
      return { ...about, before, ...following }
    }
    const {
      path,
      rows: written,
      release
    } = await this.#exports.write(
      {
        parquet: result.parquet,
        format,
        offset: page?.offset ?? 0,
        ...(page === undefined ? {} : { limit: page.limit })
      },
      signal
    )
    const around = format === 'json' ? wrapping(envelopeOf(result, page, written, suppressed)) : {}
    return { ...about, path, ...around, ...following, release }
  }
}

/** The rows when the agent has them: those that an answer shows. */
function atHand(result: StoredResult, page: ResultPage | undefined): unknown[][] | undefined {
  const { rows, rowCount } = result
  if (page === undefined) return rows.length >= rowCount ? rows : undefined
  const end = Math.min(rowCount, page.offset + page.limit)
  return end <= rows.length || page.offset >= rowCount ? rows.slice(page.offset, end) : undefined
}

/** Everything but the rows. */
function envelopeOf(
  result: StoredResult,
  page: ResultPage | undefined,
  count: number,
  suppressed: ResultView['suppressed']
) {
  const { rows: _, ...view } = viewResult(result, null)
  const whole = { ...view, suppressed, truncated: count < result.rowCount }
  return page === undefined ? whole : { ...whole, ...page, next: nextOf(page, result.rowCount) }
}

function wrapping(envelope: object): { before: string; after: string } {
  return { before: `${JSON.stringify(envelope).slice(0, -1)},"rows":`, after: '}\n' }
}

function nextOf({ offset, limit }: ResultPage, rowCount: number): number | null {
  return offset + limit < rowCount ? offset + limit : null
}

function csvOf(columns: readonly string[], rows: readonly (readonly unknown[])[]): string {
  return [columns, ...rows].map(csvLine).join('')
}
