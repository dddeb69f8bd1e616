/** What a connector is told, as one JSON line on its standard input, and what it answers. Nothing an analyst wrote is in it. */
import { z } from 'zod'

const identifier = z.string().min(1).max(128)

export const databaseConnection = z.strictObject({
  /** An address: names are looked up outside. */
  host: z.string(),
  port: z.int().min(1).max(65_535),
  database: z.string(),
  user: z.string(),
  password: z.string().optional(),
  /** Null: not encrypted. */
  tls: z.strictObject({ servername: z.string().optional(), ca: z.string().optional() }).nullable()
})

export const connectorOrder = z.strictObject({
  connection: databaseConnection,
  seconds: z.number().positive(),
  /** Of all files together. */
  bytes: z.number().positive(),
  /** `file`: where to write the columns that are named, or all; absent: only look. */
  tables: z
    .array(
      z.strictObject({
        table: z.string().max(260),
        columns: z.array(identifier).optional(),
        file: z.string().optional()
      })
    )
    .min(1)
})

export const connectorAnswer = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('tables'),
    /** Columns with the engine's types; `version` stands for the rows that are visible. */
    tables: z.array(
      z.strictObject({
        version: z.string(),
        columns: z.array(z.strictObject({ name: identifier, type: z.string().max(64) }))
      })
    )
  }),
  z.strictObject({
    kind: z.literal('failed'),
    code: z.enum(['dataset-missing', 'dataset-malformed', 'disk-limit', 'job-timeout', 'internal']),
    /** For the local log: the server's words. */
    message: z.string().max(8192),
    hint: z.string().max(1024)
  })
])

export type ConnectorOrder = z.infer<typeof connectorOrder>
export type ConnectorAnswer = z.infer<typeof connectorAnswer>
export type DatabaseConnection = z.infer<typeof databaseConnection>
