import { z } from 'zod'
import {
  anyOrNames,
  column,
  count,
  duration,
  header,
  identifier,
  name,
  organisation,
  text
} from './fields.ts'
import { role } from './membership.ts'

const declaredBound = z.string().regex(/^-?\d{1,18}(\.\d{1,9})?$/)

export const describedColumn = z.strictObject({
  ...column.shape,
  unit: text.optional(),
  /** What its codes mean, where the steward wrote a code table: these are the values that an analyst meets. */
  values: z.array(z.string().max(256)).max(256).optional(),
  /** Between what its values lie, as the steward wrote it: decimal numbers, found in no data. */
  min: declaredBound.optional(),
  max: declaredBound.optional(),
  description: text.optional(),
  sensitive: z.boolean().optional()
})

export const datasetDescription = z.strictObject({
  id: name,
  title: text,
  contact: text.optional(),
  tables: z
    .array(
      z.strictObject({
        name: identifier,
        rows: count,
        subject: identifier.optional(),
        columns: z.array(describedColumn).max(2000)
      })
    )
    .max(64)
})
export type DatasetDescription = z.infer<typeof datasetDescription>

export const resources = z.strictObject({
  cores: z.int().positive(),
  /** bytes */
  memory: count,
  /** bytes */
  disk: count,
  milliwatts: z.strictObject({ idle: count, full: count }),
  /** milligrams CO2e per kWh */
  carbon: count,
  /** Price of an hour of CPU in millionths of `currency`. */
  price: z.strictObject({ cpuHourMicros: count, currency: z.string().max(8) }).optional()
})
export type Resources = z.infer<typeof resources>

/** Whom a compute provider serves, and how far. */
export const hosting = z.strictObject({
  for: anyOrNames,
  algorithms: anyOrNames,
  perJob: z.strictObject({ memory: count, seconds: count, disk: count })
})
export type Hosting = z.infer<typeof hosting>

export const sandbox = z.enum(['bubblewrap', 'none'])

/**
 * What a party's kernel holds its sandboxed jobs to: a list of system calls, and control groups for memory, processes and
 * processor time. What is not named is watched from outside, or not at all.
 */
export const isolation = z.array(z.enum(['seccomp', 'memory', 'processes', 'cpu'])).max(4)
export type Isolation = z.infer<typeof isolation>

/** An agent's own description; a higher `sequence` replaces a lower one. */
export const capability = z.strictObject({
  ...header('capability'),
  sequence: count,
  organisation,
  agent: z.string().max(64),
  roles: z.array(role).max(2),
  datasets: z.array(datasetDescription).max(256),
  services: z.array(name).max(256),
  algorithms: z.array(name).max(256),
  archetypes: z.array(name).max(256),
  resources,
  hosting: hosting.optional(),
  sandbox,
  isolation: isolation.optional(),
  /** Share of the cores in use, in thousandths, when it was signed. */
  load: count,
  /** How long others may keep it without asking again. */
  keepFor: duration
})
