import { join } from 'node:path'
import type { Engine } from '../engine/index.ts'
import type { Assignment, JobLimits, Report } from '../job/index.ts'
import { runConvert } from './convert.ts'
import { runExport } from './export.ts'
import { runExtract } from './extract.ts'
import type { JobPlace } from './place.ts'
import { runProfile } from './profile.ts'
import { runQuery } from './query.ts'

/** The engine spills before the launcher's limit on the whole process is reached. */
const ENGINE_SHARE = 0.8

export async function confine(
  engine: Engine,
  place: JobPlace,
  limits: JobLimits,
  files: readonly string[]
): Promise<void> {
  await engine.confine({
    memory: limits.memory * ENGINE_SHARE,
    threads: limits.threads,
    spill: limits.disk,
    scratch: place.scratch,
    folders: [place.in, place.out, place.scratch],
    // a folder of parts is written under its own path, which does not lie within itself
    files: [...files, place.out]
  })
}

export async function runJob(
  engine: Engine,
  assignment: Exclude<Assignment, { kind: 'inspect' }>,
  limits: JobLimits,
  place: JobPlace
): Promise<Report> {
  const tables =
    assignment.kind === 'profile'
      ? assignment.tables
      : assignment.kind === 'extract'
        ? assignment.tables.map((table) => table.source)
        : []
  const files = tables.flatMap((table) => table.files?.map((file) => join(table.path, file)) ?? [table.path])
  await confine(engine, place, limits, files)
  switch (assignment.kind) {
    case 'profile':
      return await runProfile(engine, assignment, place)
    case 'extract':
      return await runExtract(engine, assignment, place)
    case 'query':
      return await runQuery(engine, assignment, place)
    case 'convert':
      return await runConvert(engine, assignment, place)
    case 'export':
      return await runExport(engine, assignment, place)
  }
}
