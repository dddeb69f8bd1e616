import { createWriteStream } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'yaml'
import { MEDIA_TYPES, type RequestView, requestView, type TermsView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'

/** What a request brought, as a file beside the configuration, and the terms that came with it. */
export interface Brought {
  file: string
  /** For the description: no agreement about it can be wider. */
  madeFrom: { request: string; contract: string; terms: TermsView }
}

/** @throws {UsageError} when the request brought nothing, or several results and none is named */
export async function resultOf(
  context: Context,
  request: string,
  to: { config: string; id: string; from: string | undefined }
): Promise<Brought> {
  const client = await context.client()
  const path = `/api/v1/requests/${encodeURIComponent(request)}`
  const view = await client.get(path, requestView)
  const { contract, terms } = view
  if (view.status !== 'completed' || terms === undefined || contract === null)
    throw new UsageError(`expected a request that brought a result here, found one that is ${view.status}`)
  const file = join(dirname(to.config), `${to.id}.parquet`)
  const body = await client.download(`${path}/result${chosen(view, to.from)}`, MEDIA_TYPES.parquet)
  await pipeline(Readable.from(body), createWriteStream(file, { flags: 'wx' }))
  return { file, madeFrom: { request: view.request, contract, terms } }
}

function chosen({ results = [] }: RequestView, from: string | undefined): string {
  if (from !== undefined) return `?from=${encodeURIComponent(from)}`
  if (results.length < 2) return ''
  const names = results.map((result) => result.from.join('+')).join(', ')
  throw new UsageError(`the request brought ${results.length} results: --from NAME chooses one of ${names}`)
}

/** As it stands in the description. */
export function madeFromLines(madeFrom: Brought['madeFrom']): string {
  return `# What a request brought, and the terms that came with it: they hold here too, and no agreement about it can be wider.
${stringify({ madeFrom })}`
}
