import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { RequestView, ResultFormat } from '../../../api/index.ts'
import type { Client } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { pathOf } from './follow.ts'
import { saveArtifacts } from './save-artifacts.ts'

export const ACCEPT: Readonly<Record<ResultFormat, string>> = {
  json: 'application/json',
  csv: 'text/csv',
  parquet: 'application/vnd.apache.parquet'
}

export function resultPath(id: string, from: string | undefined): string {
  return `${pathOf(id)}/result${from === undefined ? '' : `?from=${encodeURIComponent(from)}`}`
}

export async function download(
  client: Client,
  source: { id: string; from: string | undefined; format: ResultFormat },
  file: string
): Promise<void> {
  const body = await client.download(resultPath(source.id, source.from), ACCEPT[source.format])
  await pipeline(Readable.from(body), createWriteStream(file))
}

/** Names of organisations become names of files: whatever is no letter, digit, dot, blank or dash is left out. */
function fileNameOf(from: readonly string[]): string {
  return from.join('+').replaceAll(/[^\p{L}\p{N}+ _-]/gu, '_')
}

/** The answer as `request.json`, every result as CSV and Parquet, and the pictures. */
export async function saveAnswer(
  context: Context,
  client: Client,
  view: RequestView,
  folder: string
): Promise<void> {
  await writeFile(join(folder, 'request.json'), `${JSON.stringify(view, undefined, 2)}\n`)
  const results = view.status === 'completed' ? (view.results ?? []) : []
  for (const { from } of results) {
    const name = results.length === 1 ? 'result' : `result-${fileNameOf(from)}`
    const [provider] = from
    for (const format of ['csv', 'parquet'] as const)
      await download(
        client,
        { id: view.request, from: results.length === 1 ? undefined : provider, format },
        join(folder, `${name}.${format}`)
      )
  }
  await saveArtifacts(client, view, folder)
  context.say(`written to ${folder}`)
}
