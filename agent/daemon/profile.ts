import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReportOf } from '../../services/index.ts'
import { type AgentConfig, type DatasetTable, sourceTableOf } from '../config/index.ts'
import { profileTables } from '../datasets/index.ts'
import { createLauncher } from '../jobs/index.ts'
import { findInstallation } from './installation.ts'

export type ProfiledTable = ReportOf<'profile'>['tables'][number]

/**
 * Looks at data files in a sandboxed job of their own: rows, columns and their types over the whole file, codes, and what
 * values look like. Needs no running agent.
 *
 * @throws {JobFailed} `dataset-malformed`, `dataset-missing`, `sandbox-unavailable`
 */
export async function profileDataset(
  config: AgentConfig,
  tables: readonly DatasetTable[]
): Promise<ProfiledTable[]> {
  const installation = findInstallation()
  const folder = await mkdtemp(join(tmpdir(), 'dynamos-profile-'))
  const launcher = await createLauncher({
    folder,
    runner: installation.runner,
    nodeModules: installation.nodeModules,
    sandbox: config.sandbox === 'required' ? 'bubblewrap' : 'none',
    warm: 0
  })
  try {
    const { memory, seconds, disk } = config.hosting.perJob
    const limits = { memory, seconds, disk, threads: config.resources.cores }
    return (await profileTables(launcher, tables.map(sourceTableOf), limits, { closely: true })).tables
  } finally {
    await launcher.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
