/**
 * The files users write (agent.yaml, dataset, topology, request): schemas, places of mistakes, defaults. What comes out is
 * plain data with absolute paths and base units (bytes, milliseconds, milliwatts, millionths).
 */

export {
  type AgentConfig,
  loadAgentConfig,
  type Machine,
  type Receive,
  takesResultsOf,
  thisMachine
} from './agent.ts'
export { readAttached } from './attached.ts'
export { checkSource, describeValue, problemAt } from './check.ts'
export { commentedAgentConfig } from './commented.ts'
export { type DatabaseFile, databaseFile, loadDatabaseFile } from './database.ts'
export {
  type DatasetColumn,
  type DatasetConfig,
  type DatasetTable,
  declaredType,
  loadDatasetFile,
  parseDataset,
  sourceTableOf
} from './dataset.ts'
export {
  ConfigInvalid,
  type ConfigProblem,
  GraphSpecificationInvalid,
  RequestTypeNotSupported
} from './errors.ts'
export { readConfigFile, readUserFile } from './file.ts'
export { durationInMilliseconds, sizeInBytes } from './quantities.ts'
export { jsonSchemas } from './schemas.ts'
export { readSource, type Source, sourceOfValue } from './source.ts'
export { parseSubmission, type Submission, submission } from './submission.ts'
export { submissionFileOf } from './submission-file.ts'
export { openTokens, type Tokens } from './tokens.ts'
export {
  loadTopology,
  parseTopology,
  type Topology,
  type TopologyAgent,
  type TopologyAgreement
} from './topology.ts'
