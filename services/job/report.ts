import { z } from 'zod'
import { column, identifier, jobPath } from './assignment.ts'

/** A file the job wrote; `digest` is sha2-256 in hex, of the file's bytes. */
export const part = z.strictObject({
  path: jobPath,
  bytes: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  digest: z.string().regex(/^[0-9a-f]{64}$/)
})

export const profiledColumn = z.strictObject({
  name: identifier,
  type: z.string(),
  nulls: z.int().nonnegative(),
  /** What its values look like, where that often belongs to a person; `unique`: nearly every row has another. */
  shape: z
    .enum([
      'mail address',
      'account number',
      'citizen service number',
      'telephone number',
      'network address',
      'postal code',
      'unique'
    ])
    .exactOptional(),
  /** Its values where they are few: for the data owner's own description, never for others. */
  codes: z.array(z.string().max(64)).max(24).exactOptional()
})

export const profileReport = z.strictObject({
  kind: z.literal('profile'),
  tables: z.array(
    z.strictObject({
      name: identifier,
      rows: z.int().nonnegative(),
      columns: z.array(profiledColumn),
      notes: z.array(z.string())
    })
  )
})

export const extractReport = z.strictObject({
  kind: z.literal('extract'),
  tables: z.array(
    z.strictObject({ name: identifier, dataset: identifier.optional(), part, columns: z.array(column) })
  )
})

/** `origin`: the column of a table that it is, unchanged; an expression has none. */
export const inspectedColumn = z.strictObject({
  ...column.shape,
  origin: z.strictObject({ dataset: identifier.optional(), table: identifier, column: identifier }).optional()
})

/** What the analyst's statement is, found without any data. `uses` is the bound lineage: every table and column that is read. */
export const inspectReport = z.strictObject({
  kind: z.literal('inspect'),
  columns: z.array(inspectedColumn),
  uses: z.array(
    z.strictObject({ dataset: identifier.optional(), table: identifier, columns: z.array(identifier) })
  ),
  functions: z.array(z.string()),
  /** Why rows of several providers may not simply be put together: groups, aggregates, distinct, windows, set operations. */
  notDistributable: z.array(z.enum(['group by', 'aggregate', 'distinct', 'window', 'set operation'])),
  /** LIMIT and ORDER BY act per provider; they are listed in a result's notes. */
  perProvider: z.array(z.enum(['limit', 'order by'])),
  /** With `units`: why it is not certain whom a row is about, or what the statement may not do with it. */
  unitProblem: z
    .strictObject({ reason: z.string().max(1024), position: z.int().nonnegative().optional() })
    .optional()
})

export const queryReport = z.strictObject({
  kind: z.literal('query'),
  columns: z.array(column),
  parts: z.array(part),
  rows: z.int().nonnegative(),
  /** Groups that stay because too few units are in them, or because of what left before: exactly. */
  suppressed: z.int().nonnegative().optional(),
  /** CSV of the groups that leave: set, unit, content. */
  released: part.optional(),
  /** Rows into and out of each step, for receipts. */
  steps: z.array(
    z.strictObject({
      service: z.string(),
      rows: z.int().nonnegative(),
      /** Rows of the tables that anonymising left out, exactly: for the data owner alone. */
      withheld: z.int().nonnegative().optional(),
      milliseconds: z.number()
    })
  )
})

/** The picture of a result: the same in each format; no files when there was nothing to draw, which a note says. */
export const picture = z.strictObject({
  files: z.array(z.strictObject({ format: z.enum(['svg', 'png', 'vl.json']), part })).max(3),
  notes: z.array(z.string().max(300)).max(16),
  milliseconds: z.number().nonnegative()
})

const canonicalDigest = z.string().regex(/^[0-9a-f]{64}$/)

export const convertReport = z.strictObject({
  kind: z.literal('convert'),
  /** With `again`, for each result: the digests of both canonical forms, and whether they are the same. */
  verification: z
    .array(z.strictObject({ first: canonicalDigest, again: canonicalDigest, same: z.boolean() }))
    .optional(),
  /** None of them where a verification found a difference. */
  results: z.array(
    z.strictObject({
      from: z.array(z.string()),
      columns: z.array(z.string()),
      types: z.array(z.string()),
      /** JSON values: DECIMAL and integers beyond 2^53 as strings, NaN and infinities as strings, times ISO 8601. */
      rows: z.array(z.array(z.unknown())),
      rowCount: z.int().nonnegative(),
      truncated: z.boolean(),
      parquet: part,
      csv: part.optional(),
      graph: picture.optional()
    })
  )
})

export const exportReport = z.strictObject({
  kind: z.literal('export'),
  rows: z.int().nonnegative(),
  file: part
})

/** A failure as the runner tells it. `message` may quote data: it stays in the local log. `position` is in the analyst's own text. */
export const jobError = z.strictObject({
  kind: z.literal('error'),
  code: z.enum([
    'sql-syntax',
    'sql-not-select',
    'sql-function-not-allowed',
    'sql-table-unknown',
    'sql-column-unknown',
    'sql-too-complex',
    'sql-invalid',
    'sql-runtime',
    'schema-mismatch',
    'algorithm-parameters',
    'anonymize-parameters',
    'graph-specification',
    'output-too-large',
    'memory-limit',
    'disk-limit',
    'dataset-malformed',
    'dataset-missing',
    'internal'
  ]),
  message: z.string().max(8192),
  /** Character offset in the analyst's text, from 0. */
  position: z.int().nonnegative().optional(),
  /** Safe to show to the analyst: names only what the analyst may know, never a value. */
  hint: z.string().max(1024).optional()
})

export const report = z.discriminatedUnion('kind', [
  profileReport,
  extractReport,
  inspectReport,
  queryReport,
  convertReport,
  exportReport,
  jobError
])
export type Report = z.infer<typeof report>
export type JobErrorReport = z.infer<typeof jobError>
export type ReportOf<K extends Report['kind']> = Extract<Report, { kind: K }>
export type Part = z.infer<typeof part>
