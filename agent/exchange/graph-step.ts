import { join } from 'node:path'
import { fileIdOf, type Section } from '../../protocol/documents/index.ts'
import type { Assignment, ReportOf } from '../../services/index.ts'
import { JobFailed } from '../jobs/index.ts'
import type { Dossier } from '../negotiation/index.ts'
import { shareFailed } from './blame.ts'
import { moveFile } from './job-run.ts'
import type { ShareComponents, StoredArtifact, StoredResult } from './ports.ts'

export const GRAPH = 'graph'

const MEDIA_TYPES = { svg: 'image/svg+xml', png: 'image/png', 'vl.json': 'application/json' } as const

type Order = NonNullable<Extract<Assignment, { kind: 'convert' }>['graph']>
type Picture = ReportOf<'convert'>['results'][number]['graph']

/** What the job is told of the picture that a contract asks for. */
export function graphOrderOf(
  { units }: Pick<ShareComponents, 'units'>,
  dossier: Dossier,
  contract: string,
  section: Extract<Section, { as: 'recipient' }>
): Order {
  const { value } = section.parameters
  return {
    ...(section.graph === undefined ? {} : { specification: section.graph }),
    algorithm: dossier.contract(contract).contract.payload.algorithm,
    ...(typeof value === 'string' && value !== '' && value.length <= 128 ? { value } : {}),
    ...(units === undefined ? {} : { units: units(dossier, contract) })
  }
}

/** Moves the picture of one result out of the job's folder; the first is `graph.svg`, the next `graph-2.svg`. */
export async function keepPicture(
  picture: Picture,
  index: number,
  folder: string,
  to: string
): Promise<Pick<StoredResult, 'artifacts' | 'notes'>> {
  if (picture === undefined) return {}
  const artifacts: StoredArtifact[] = []
  for (const { format, part } of picture.files) {
    const name = `${GRAPH}${index === 0 ? '' : `-${index + 1}`}.${format}`
    await moveFile(join(folder, part.path), join(to, name))
    artifacts.push({ name, mediaType: MEDIA_TYPES[format], digest: fileIdOf(part.digest) })
  }
  return { artifacts, notes: picture.notes.map((note) => `${GRAPH}: ${note}`) }
}

/** A specification that cannot be drawn: the asker's people here read why, which names their own columns only. */
export function explained(
  components: Pick<ShareComponents, 'self' | 'progress'>,
  request: string,
  error: unknown
): unknown {
  if (!(error instanceof JobFailed) || error.code !== 'graph-specification') return error
  components.progress(request, GRAPH, error.hint ?? error.message)
  return shareFailed(error, components.self.peer, GRAPH)
}
