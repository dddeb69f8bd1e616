import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'yaml'
import { z } from 'zod'
import { type ContractView, contractView, type RequestView, type ResultFormat } from '../../../api/index.ts'
import type { Client } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { codeOf } from '../../exit.ts'
import { renderReadme } from '../../render/index.ts'
import { pathOf } from './follow.ts'
import { fileNames } from './names.ts'
import { assertFree, placeFiles } from './place.ts'

export const ACCEPT: Readonly<Record<ResultFormat, string>> = {
  json: 'application/json',
  csv: 'text/csv',
  parquet: 'application/vnd.apache.parquet'
}
const FORMATS = ['csv', 'parquet'] as const
/** What is always in the folder of an answer; a result has `result.csv` and `result.parquet` when there is one. */
const ALWAYS = ['README.md', 'request.json', 'request.yaml', 'contract.json', 'result.csv', 'result.parquet']

export function resultPath(
  id: string,
  wanted: { from?: string; offset?: number; limit?: number } = {}
): string {
  const query = new URLSearchParams(
    Object.entries(wanted).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]))
  )
  return `${pathOf(id)}/result${query.size === 0 ? '' : `?${query}`}`
}

export async function download(client: Client, path: string, accept: string, file: string): Promise<void> {
  const body = await client.download(path, accept)
  await pipeline(Readable.from(body), createWriteStream(file, { flags: 'wx' }))
}

/** Before anything is asked: a folder that holds an answer already is told at once. @throws {UsageError} */
export async function assertFreeFolder(folder: string, overwrite: boolean): Promise<void> {
  await assertFree(
    ALWAYS.map((name) => join(folder, name)),
    overwrite
  )
}

/** The request as it was written, where this agent knows it. */
export async function submissionOf(client: Client, id: string): Promise<Record<string, unknown> | undefined> {
  return await unlessNone(client.get(`${pathOf(id)}/submission`, z.record(z.string(), z.unknown())))
}

async function contractOf(client: Client, view: RequestView): Promise<ContractView | undefined> {
  if (view.contract === null) return undefined
  return await unlessNone(client.get(`${pathOf(view.request)}/contract`, contractView))
}

async function unlessNone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (['not-found', 'not-asked-here'].includes(codeOf(error))) return undefined
    throw error
  }
}

/**
 * A folder that says all of a request: the answer as JSON, each result as CSV and Parquet, the pictures, the contract, the
 * request to submit again, and a page for people.
 *
 * @throws {UsageError} when one of the files is there already
 */
export async function saveAnswer(
  context: Context,
  client: Client,
  view: RequestView,
  to: { folder: string; overwrite: boolean }
): Promise<void> {
  const [submission, contract] = [await submissionOf(client, view.request), await contractOf(client, view)]
  await placeFiles(to.folder, to.overwrite, async (folder) => {
    const write = async (name: string, text: string) =>
      await writeFile(join(folder, name), text, { flag: 'wx' })
    const saved = await saveResults(client, view, folder)
    const pictures = await saveArtifacts(client, view, folder)
    await write('request.json', jsonText(view))
    if (submission !== undefined) await write('request.yaml', stringify(submission))
    if (contract !== undefined) await write('contract.json', jsonText(contract))
    await write('README.md', renderReadme({ view, submission, contract, results: saved, pictures }))
  })
  context.say(`written to ${to.folder}`)
}

/** @returns the names of each result's files */
async function saveResults(client: Client, view: RequestView, folder: string): Promise<string[][]> {
  const results = view.status === 'completed' ? (view.results ?? []) : []
  const single = results.length === 1
  const stems = fileNames(results.map(({ from }) => from.join('+').replaceAll('.', '_')))
  const saved: string[][] = []
  for (const [index, { from }] of results.entries()) {
    const stem = single ? 'result' : `result-${stems[index]}`
    const [provider] = from
    const path = resultPath(view.request, single || provider === undefined ? {} : { from: provider })
    for (const format of FORMATS)
      await download(client, path, ACCEPT[format], join(folder, `${stem}.${format}`))
    saved.push(FORMATS.map((format) => `${stem}.${format}`))
  }
  return saved
}

async function saveArtifacts(client: Client, view: RequestView, folder: string): Promise<string[]> {
  const names = fileNames(view.artifacts.map(({ name }) => name))
  for (const [index, { name, mediaType }] of view.artifacts.entries()) {
    const path = `${pathOf(view.request)}/artifacts/${encodeURIComponent(name)}`
    await download(client, path, mediaType, join(folder, names[index] ?? '_'))
  }
  return names
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
