import { z } from 'zod'
import { agentFile } from './agent.ts'
import { databaseFile } from './database.ts'
import { datasetFile } from './dataset.ts'
import { submissionFile } from './submission.ts'
import { topologyFile } from './topology.ts'

const FILES = {
  agent: agentFile,
  database: databaseFile,
  dataset: datasetFile,
  topology: topologyFile,
  request: submissionFile
}

/** JSON Schemas (2020-12) of the files users write, for editors and other programs, by kind of file. */
export function jsonSchemas(): Record<keyof typeof FILES, Record<string, unknown>> {
  const published = (kind: keyof typeof FILES) => ({
    title: `Dynamos ${kind} file`,
    ...z.toJSONSchema(FILES[kind], { io: 'input', target: 'draft-2020-12' })
  })
  return {
    agent: published('agent'),
    database: published('database'),
    dataset: published('dataset'),
    topology: published('topology'),
    request: published('request')
  }
}
