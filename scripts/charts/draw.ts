import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { JobFolder, Launcher } from '../../agent/jobs/index.ts'
import type { Engine } from '../../services/engine/index.ts'
import type { Assignment, JobLimits, ReportOf } from '../../services/index.ts'
import { quoteText } from '../../services/sql/index.ts'

export type Order = NonNullable<Extract<Assignment, { kind: 'convert' }>['graph']>
export type Picture = NonNullable<ReportOf<'convert'>['results'][number]['graph']>

/**
 * Has the picture of what a query yields drawn by a job, as a recipient's agent does. What `read` does not take out of the
 * job's folder is gone afterwards.
 */
export async function drawPicture<T>(
  { launcher, engine, limits }: { launcher: Launcher; engine: Engine; limits: JobLimits },
  sql: string,
  graph: Order,
  read: (picture: Picture, folder: JobFolder) => Promise<T>
): Promise<T> {
  const folder = await launcher.folder()
  try {
    const path = join(folder.path, 'in', 'a.parquet')
    await mkdir(dirname(path), { recursive: true })
    await engine.run(`COPY (${sql}) TO ${quoteText(path)} (FORMAT parquet)`)
    const { report } = await launcher.run(
      {
        kind: 'convert',
        inputs: [{ kind: 'parts', from: 'VU', paths: ['in/a.parquet'] }],
        union: true,
        steps: [],
        maxInlineRows: 10,
        csv: false,
        graph
      },
      folder,
      limits
    )
    const [picture] = report.results.map((result) => result.graph)
    if (picture === undefined) throw new Error('no picture was reported')
    return await read(picture, folder)
  } finally {
    await folder.wipe()
  }
}
