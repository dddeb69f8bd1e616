/**
 * What a launcher tells a sandboxed runner to do, and what the runner answers: one JSON document each way. Everything a
 * job needs is in the assignment and in its own folder; it has no network and no other file.
 */
import { z } from 'zod'

/** A name of a table or column; quoted by us whenever it becomes SQL. */
export const identifier = z.string().min(1).max(128)

/** A path inside the job folder, never absolute and never upwards. */
export const jobPath = z
  .string()
  .max(512)
  .regex(/^(?!\/)(?!.*\.\.)[^\0]+$/, 'a relative path without ".."')

/** Of one table. */
const MAX_FILES = 10_000

export const csvOptions = z.strictObject({
  delimiter: z.string().length(1).optional(),
  quote: z.string().length(1).optional(),
  encoding: z.enum(['utf-8', 'latin-1', 'utf-16']).optional(),
  decimal: z.enum(['.', ',']).optional(),
  nulls: z.array(z.string()).max(64).optional()
})

/** A column of a dataset as its steward described it; `from` is the name in the file, `values` a code table. */
export const sourceColumn = z.strictObject({
  name: identifier,
  from: identifier.optional(),
  type: z.string().max(64).optional(),
  values: z.record(z.string(), z.string()).optional()
})

/**
 * A table of the data owner. `path` is absolute on the host, for Parquet perhaps a folder or a pattern; the launcher makes it
 * visible, read-only, to this job alone.
 */
export const sourceTable = z.strictObject({
  name: identifier,
  path: z.string().startsWith('/'),
  format: z.enum(['csv', 'parquet', 'json', 'sqlite', 'postgres']),
  csv: csvOptions.optional(),
  /** The table or view in a database, when it has another name there. */
  table: z.string().min(1).max(260).optional(),
  /** Of a table on a server: the rows that are expected there. `path` is the file that says how to reach it. */
  version: z.string().max(256).optional(),
  /** Set by the launcher: what a connector copied of it into `path`, in this order. */
  copied: z
    .array(z.strictObject({ name: identifier, type: z.string().max(64) }))
    .max(2000)
    .optional(),
  /** Set by the launcher: the files that a folder or pattern stands for, relative to `path`, which is then their folder. */
  files: z.array(z.string()).max(MAX_FILES).optional(),
  /** Set by the launcher: what a database keeps beside its file, absolute. */
  beside: z.array(z.string()).max(2).optional(),
  columns: z.array(sourceColumn).max(2000)
})

export const column = z.strictObject({ name: identifier, type: z.string().max(256) })
/** A table as a statement meets it; of several datasets that have one of its name it is called `dataset.name`. */
export const tableSchema = z.strictObject({
  name: identifier,
  dataset: identifier.optional(),
  columns: z.array(column).min(1).max(2000)
})

/** Of all datasets of one request. */
const MAX_TABLES = 512

/**
 * `profile`: the data owner looks at a new file. Types come from the whole file. With `closely` also what its steward needs to
 * describe it: codes, which are values, and what values look like.
 */
export const profileAssignment = z.strictObject({
  kind: z.literal('profile'),
  closely: z.boolean().optional(),
  tables: z.array(sourceTable).min(1).max(64)
})

/** `extract`: raw data, only SQL we generate. `where` is a predicate printed by policy/ from a parsed tree. Writes `out/table-N.parquet`. */
export const extractAssignment = z.strictObject({
  kind: z.literal('extract'),
  tables: z
    .array(
      z.strictObject({
        source: sourceTable,
        dataset: identifier.optional(),
        columns: z.array(identifier).min(1),
        where: z.string().max(65_536).optional()
      })
    )
    .min(1)
    .max(MAX_TABLES)
})

/** The column that tells whom the rows of a table are about; null: of nobody who is protected. */
export const unitColumn = z.strictObject({
  dataset: identifier.optional(),
  table: identifier,
  column: identifier.nullable()
})

/**
 * `inspect`: schemas and the analyst's text, no data. With `algorithm`, whether its parameters fit what the query gives; with
 * `units`, whether it is certain whom each row is about.
 */
export const inspectAssignment = z.strictObject({
  kind: z.literal('inspect'),
  units: z.array(unitColumn).max(MAX_TABLES).optional(),
  sql: z.string().max(65_536),
  tables: z.array(tableSchema).max(MAX_TABLES),
  algorithm: z.strictObject({ name: identifier, parameters: z.record(z.string(), z.unknown()) }).optional()
})

export const step = z.discriminatedUnion('service', [
  z.strictObject({ service: z.literal('query'), sql: z.string().max(65_536) }),
  z.strictObject({
    service: z.literal('anonymize'),
    parameters: z.record(z.string(), z.unknown()),
    /** For the tables of a query's datasets, in place of `parameters`; those of a dataset that is not here stay as they are. */
    datasets: z.record(identifier, z.record(z.string(), z.unknown())).optional(),
    key: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
  }),
  z.strictObject({ service: z.literal('aggregate') }),
  z.strictObject({
    service: z.literal('algorithm'),
    name: identifier,
    parameters: z.record(z.string(), z.unknown()),
    /** complete: rows to result. partial: rows to mergeable state. merge: states to result. */
    phase: z.enum(['complete', 'partial', 'merge'])
  })
])

/**
 * One input of a job: either the tables of an extract (`tables`), for a first step `query`, or the parts that one party
 * sent (`from`), for a first step `aggregate`, `algorithm` or a conversion.
 */
export const input = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('tables'),
    tables: z
      .array(z.strictObject({ name: identifier, dataset: identifier.optional(), path: jobPath }))
      .min(1)
      .max(MAX_TABLES)
  }),
  z.strictObject({
    kind: z.literal('parts'),
    from: z.string().max(128),
    paths: z.array(jobPath).max(10_000),
    columns: z.array(column).optional()
  })
])

const decimalText = z.string().regex(/^-?\d{1,18}(\.\d{1,9})?$/)

/** What leaves the job are aggregates of groups of at least `minGroupSize` units of each table that is read. */
export const protection = z.strictObject({
  minGroupSize: z.int().min(1).max(1_000_000),
  /** Of every table of the job; `shown`: whether the statement may see the column. */
  units: z.array(unitColumn.extend({ shown: z.boolean() })).max(MAX_TABLES),
  /** Between what the values of a column are taken, as decimals. */
  bounds: z
    .array(
      z.strictObject({
        dataset: identifier.optional(),
        table: identifier,
        column: identifier,
        min: decimalText.optional(),
        max: decimalText.optional()
      })
    )
    .max(2000),
  /** What hashes of units are keyed with, hex. */
  salt: z.string().regex(/^[0-9a-f]{64}$/),
  /** CSV of the groups that left before: set, unit, content. */
  earlier: jobPath.optional(),
  /** How many more units can be remembered. */
  room: z.int().nonnegative()
})

/** `query`: a party's share of a chain, over an extract or over received parts. Writes Parquet parts `out/part-N.parquet`. */
export const queryAssignment = z.strictObject({
  kind: z.literal('query'),
  inputs: z.array(input).min(1).max(64),
  steps: z.array(step).min(1).max(16),
  /** A query, then an algorithm: only what this lets leave is written. Also writes `out/released.csv`. */
  protect: protection.optional(),
  /** More rows than this fail the job with `output-too-large`. */
  maxRows: z.int().positive().optional(),
  partBytes: z
    .int()
    .positive()
    .default(8 * 1024 * 1024)
})

/** A picture of each result. */
export const graphOrder = z.strictObject({
  /** Vega-Lite as JSON text, by whoever asked; absent: chosen from the result's shape. */
  specification: z.string().max(65_536).optional(),
  /** What made the result, and the column it worked on. */
  algorithm: identifier.optional(),
  value: identifier.optional(),
  /** Of result columns. */
  units: z.record(z.string(), z.string().max(256)).optional()
})

/** `convert`: at the recipient. Merges parts (all into one when `merge` is given or `union` is true, else one result per sender) and writes each result as Parquet and JSON. */
export const convertAssignment = z.strictObject({
  kind: z.literal('convert'),
  inputs: z.array(input).min(1).max(64),
  union: z.boolean(),
  steps: z.array(step).max(4),
  maxInlineRows: z.int().positive().default(1000),
  /** Also write `out/result-N.csv`. */
  csv: z.boolean().default(true),
  /** Also draw each result: `out/graph-N.svg`, `.png` and `.vl.json`. */
  graph: graphOrder.optional(),
  /** The same once more, as another party made it: only to be compared with, in canonical forms whose digests are salted. */
  again: z
    .strictObject({ inputs: z.array(input).min(1).max(64), salt: z.string().regex(/^([0-9a-f]{2}){16,64}$/) })
    .optional()
})

/** `export`: at the recipient, when somebody asks. Writes rows of one stored result to `out/result.<format>`; JSON is the rows alone. */
export const exportAssignment = z.strictObject({
  kind: z.literal('export'),
  path: jobPath,
  format: z.enum(['json', 'csv', 'parquet']),
  offset: z.int().nonnegative().default(0),
  /** Omitted: all that are left. */
  limit: z.int().positive().optional()
})

export const assignment = z.discriminatedUnion('kind', [
  profileAssignment,
  extractAssignment,
  inspectAssignment,
  queryAssignment,
  convertAssignment,
  exportAssignment
])
export type Assignment = z.infer<typeof assignment>
export type SourceTable = z.infer<typeof sourceTable>
export type TableSchema = z.infer<typeof tableSchema>
export type Column = z.infer<typeof column>
export type Step = z.infer<typeof step>

/** Limits the launcher enforces from outside; DuckDB is told the same memory so that it spills first. */
export interface JobLimits {
  /** bytes */
  memory: number
  /** CPU threads DuckDB may use */
  threads: number
  /** wall seconds, then SIGKILL */
  seconds: number
  /** bytes that the job folder may hold, spill included */
  disk: number
}
