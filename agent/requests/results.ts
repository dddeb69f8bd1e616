import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { hasCode } from '../../protocol/errors/index.ts'
import type { Results, StoredResult } from '../exchange/index.ts'
import { replacePrivateFile } from '../identity/index.ts'

/** A name that is no path, whatever follows it. */
const artifactName = z.string().regex(/^[a-z0-9][a-z0-9-]*(\.[a-z0-9]+)+$/)

const storedResults = z.array(
  z.strictObject({
    from: z.array(z.string()),
    columns: z.array(z.string()),
    types: z.array(z.string()),
    rows: z.array(z.array(z.unknown())),
    rowCount: z.int(),
    truncated: z.boolean(),
    units: z.record(z.string(), z.string()).exactOptional(),
    parquet: z.string(),
    csv: z.string().nullable(),
    artifacts: z
      .array(z.strictObject({ name: artifactName, mediaType: z.string(), digest: z.string() }))
      .optional(),
    notes: z.array(z.string()).optional(),
    verified: z
      .strictObject({
        of: z.string(),
        at: z.string(),
        digest: z.string(),
        again: z.string(),
        salt: z.string()
      })
      .exactOptional()
  })
)

type UnitsOf = (request: string, result: Pick<StoredResult, 'from' | 'columns'>) => Record<string, string>

const INDEX = 'results.json'

/** Results on disk, a folder for each request: each whole as Parquet, and an index with the rows that are shown at once. */
export class ResultFiles implements Results {
  readonly #folder: string
  readonly #arrived: (request: string, results: readonly StoredResult[]) => void
  readonly #unitsOf: UnitsOf

  /** @param unitsOf what is known of a result's units when it arrives */
  constructor(
    folder: string,
    arrived: (request: string, results: readonly StoredResult[]) => void,
    unitsOf: UnitsOf = () => ({})
  ) {
    this.#folder = folder
    this.#arrived = arrived
    this.#unitsOf = unitsOf
  }

  async folder(request: string): Promise<string> {
    const folder = join(this.#folder, request)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return folder
  }

  /**
   * Resolves when every file of the results is on disk under its name: what is signed afterwards, `completed`, cannot be taken
   * back.
   */
  async store(request: string, arrived: readonly StoredResult[]): Promise<void> {
    const folder = await this.folder(request)
    const results = arrived.map((result) => {
      const units = this.#unitsOf(request, result)
      return Object.keys(units).length === 0 ? result : { ...result, units }
    })
    const files = results.flatMap(({ parquet, csv, artifacts = [] }) => [
      parquet,
      ...(csv === null ? [] : [csv]),
      ...artifacts.map(({ name }) => join(folder, name))
    ])
    await Promise.all(files.map(syncToDisk))
    await replacePrivateFile(join(folder, INDEX), JSON.stringify(results))
    await syncToDisk(this.#folder)
    await syncToDisk(dirname(this.#folder))
    this.#arrived(request, results)
  }

  async read(request: string): Promise<StoredResult[] | undefined> {
    try {
      return storedResults.parse(JSON.parse(await readFile(join(this.#folder, request, INDEX), 'utf8')))
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined
      throw error
    }
  }

  /** A picture, by a name that the request's answer lists; no other name leads anywhere. */
  async artifact(
    request: string,
    name: string
  ): Promise<{ path: string; mediaType: string; digest: string } | undefined> {
    const artifacts = (await this.read(request))?.flatMap((result) => result.artifacts ?? [])
    const found = artifacts?.find((artifact) => artifact.name === name)
    if (found === undefined) return undefined
    return { path: join(this.#folder, request, found.name), mediaType: found.mediaType, digest: found.digest }
  }

  /** One result; `from` chooses by organisation, without it the first. */
  async find(request: string, from?: string): Promise<{ result: StoredResult; index: number } | undefined> {
    const results = (await this.read(request)) ?? []
    const index = from === undefined ? 0 : results.findIndex((result) => result.from.includes(from))
    const result = results[index]
    return result === undefined ? undefined : { result, index }
  }

  /** Removes what a share that failed left of results: nobody is told of them. */
  async discard(request: string): Promise<void> {
    await rm(join(this.#folder, request), { recursive: true, force: true })
  }

  /**
   * Removes what an earlier run of the agent began and did not finish.
   *
   * @param isVoid whether a request has ended without a result
   */
  async sweep(isVoid: (request: string) => Promise<boolean>): Promise<void> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return []
      throw error
    })
    for (const name of names) {
      const known = await readdir(join(this.#folder, name)).catch(() => [INDEX])
      if (!known.includes(INDEX) || (await isVoid(name))) await this.discard(name)
    }
  }
}

/** A file's bytes, or the names in a folder. */
async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
