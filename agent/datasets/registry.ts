import { createHash } from 'node:crypto'
import type { DatasetDescription } from '../../protocol/documents/index.ts'
import type { JobLimits, ReportOf, SourceTable } from '../../services/index.ts'
import { type DatasetConfig, sourceTableOf } from '../config/index.ts'
import { findSource, JobFailed, type Launcher } from '../jobs/index.ts'
import type { DatasetSource, Store, StoredDataset } from '../store/index.ts'
import type { Dataset } from './dataset.ts'
import { describe } from './describe.ts'
import { DatasetMissing, DatasetReplaced } from './errors.ts'

export interface DatasetsInit {
  datasets: readonly DatasetConfig[]
  limits: JobLimits
}

interface DatasetsComponents {
  store: Store
  launcher: Launcher
  clock: { now(): number }
}

/**
 * Profiles tables in a job.
 *
 * @throws {JobFailed} `dataset-malformed`, `dataset-missing`
 */
export async function profileTables(
  launcher: Launcher,
  tables: SourceTable[],
  limits: JobLimits,
  options: { signal?: AbortSignal; closely?: boolean } = {}
): Promise<ReportOf<'profile'>> {
  const folder = await launcher.folder({ for: 'profile' })
  try {
    const { closely = false, ...waiting } = options
    const assignment = { kind: 'profile' as const, tables, ...(closely ? { closely } : {}) }
    return (await launcher.run(assignment, folder, limits, waiting)).report
  } finally {
    await folder.wipe()
  }
}

/** The organisation's own datasets. A file is profiled once, and again when it is another one. */
export class Datasets {
  readonly #open = new Map<string, Dataset>()
  readonly #stored = new Map<string, StoredDataset>()
  readonly #refreshing = new Map<string, Promise<void>>()
  readonly #init: DatasetsInit
  readonly #components: DatasetsComponents

  constructor(init: DatasetsInit, components: DatasetsComponents) {
    this.#init = init
    this.#components = components
  }

  /** Profiles what is new or changed. @returns what could not be opened, with the reason; the others are there */
  async open(options?: { signal?: AbortSignal }): Promise<{ id: string; error: unknown }[]> {
    const failed: { id: string; error: unknown }[] = []
    for (const config of this.#init.datasets) {
      try {
        await this.#profile(config, options)
      } catch (error) {
        failed.push({ id: config.id, error })
      }
    }
    return failed
  }

  ids(): string[] {
    return [...this.#open.keys()]
  }

  get(id: string): Dataset | undefined {
    return this.#open.get(id)
  }

  /** Every data file, for the launcher. */
  paths(): string[] {
    return this.#init.datasets.flatMap((dataset) => filesOf(dataset).map((table) => table.path))
  }

  visibilityOf(id: string): 'members' | 'parties' | undefined {
    return this.#open.get(id)?.config.visibility
  }

  /** What the capability says: names, types, rounded counts, never a value. */
  descriptions(): DatasetDescription[] {
    return [...this.#open.values()].map((dataset) => describe(dataset))
  }

  /**
   * `servers: false` leaves out what is on servers: an extract itself looks at it, in the same snapshot.
   *
   * @throws {DatasetReplaced} when a file is another one than was profiled, {DatasetMissing}, {JobFailed} dataset-malformed
   */
  async assertUnchanged(id: string, { servers = true } = {}): Promise<void> {
    const stored = this.#stored.get(id)
    const config = this.#open.get(id)?.config
    if (stored === undefined || config === undefined)
      throw new DatasetMissing(`dataset ${id} is not open here`)
    const { launcher } = this.#components
    const now = servers ? await identify(config, launcher, this.#init.limits) : await identifyFiles(config)
    const then = servers
      ? stored.sources
      : stored.sources.filter((_, index) => config.tables[index]?.format !== 'postgres')
    if (!sameSources(then, now)) {
      throw new DatasetReplaced(
        `dataset ${id}: a file was replaced since it was profiled; it is profiled anew`
      )
    }
  }

  /** Takes up a file that was replaced. */
  async refresh(id: string): Promise<void> {
    const config = this.#init.datasets.find((one) => one.id === id)
    if (config === undefined) return
    // many requests may find the same file replaced: it is looked at once
    const running =
      this.#refreshing.get(id) ?? this.#profile(config).finally(() => this.#refreshing.delete(id))
    this.#refreshing.set(id, running)
    await running
  }

  async #profile(config: DatasetConfig, options?: { signal?: AbortSignal }): Promise<void> {
    const { store, launcher, clock } = this.#components
    const sources = await identify(config, launcher, this.#init.limits)
    const tables = config.tables.map(sourceTableOf)
    // Another description of the same file, a delimiter say, is another dataset.
    const described = `${config.file}#${createHash('sha256').update(JSON.stringify(tables)).digest('hex')}`
    let stored = await store.datasets.get(config.id)
    if (stored === undefined || stored.file !== described || !sameSources(stored.sources, sources)) {
      const report = await profileTables(launcher, tables, this.#init.limits, options)
      stored = { id: config.id, file: described, sources, tables: report.tables, profiledAt: clock.now() }
      await store.datasets.put(stored)
    }
    this.#stored.set(config.id, stored)
    this.#open.set(config.id, {
      config,
      sources: tables.map((table, index) => ({
        ...withTypes(table, stored.tables),
        ...(table.format === 'postgres' ? { version: stored.sources[index]?.version ?? '' } : {})
      })),
      tables: stored.tables.map(({ name, rows, columns }) => ({
        name,
        rows,
        columns: columns.map((column) => ({ name: column.name, type: column.type }))
      }))
    })
  }
}

/** The types that the profile found are pinned, so that a later job cannot infer others from the same file. */
function withTypes(table: SourceTable, profiled: StoredDataset['tables']): SourceTable {
  const found = profiled.find((one) => one.name === table.name)
  if (found === undefined) return table
  const described = new Map(table.columns.map((column) => [column.name, column]))
  return {
    ...table,
    columns: found.columns.map((column) => ({
      ...described.get(column.name),
      name: column.name,
      type: column.type
    }))
  }
}

function filesOf({ tables }: DatasetConfig): DatasetConfig['tables'] {
  return tables.filter(({ format }) => format !== 'postgres')
}

/** What a dataset is made of now. */
async function identify(
  config: DatasetConfig,
  launcher: Launcher,
  limits: JobLimits
): Promise<DatasetSource[]> {
  const remote = config.tables.filter(({ format }) => format === 'postgres')
  const files = await identifyFiles(config)
  if (remote.length === 0) return files
  const versions = await launcher.look(remote.map(sourceTableOf), limits).catch((error: unknown) => {
    throw asMissing(error, `${config.file}: its database cannot be read`)
  })
  return config.tables.map((table): DatasetSource => {
    const version = table.format === 'postgres' ? versions.shift() : undefined
    return version === undefined
      ? (files.shift() ?? { path: table.path, bytes: 0 })
      : { path: table.path, bytes: 0, version }
  })
}

async function identifyFiles(config: DatasetConfig): Promise<DatasetSource[]> {
  return await Promise.all(
    filesOf(config).map(async ({ path }) => {
      try {
        const { bytes, version } = await findSource(path)
        return { path, bytes, version }
      } catch (error) {
        throw asMissing(error, `${config.file}: expected a readable file at ${path}`)
      }
    })
  )
}

function asMissing(error: unknown, message: string): unknown {
  if (!(error instanceof JobFailed) || error.code !== 'dataset-missing') return error
  return new DatasetMissing(message, { cause: error })
}

function sameSources(one: readonly DatasetSource[], other: readonly DatasetSource[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
