import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { checkSource, problemAt } from './check.ts'
import { ConfigInvalid } from './errors.ts'
import { filePath } from './fields.ts'
import { readConfigFile } from './file.ts'

const text = z.string().min(1).max(1024)

/** A message about it never quotes it. */
const secret = z.unknown().transform((written, context) => {
  if (typeof written === 'string' && written !== '') return written
  context.addIssue('expected a text, in quotes where it is digits')
  return z.NEVER
})

/** How a PostgreSQL server is reached; the `path` of a table of format postgres. */
export const databaseFile = z.strictObject({
  host: text.refine(
    (host) => !host.startsWith('/'),
    'expected a name or address; sockets of this machine are not read'
  ),
  port: z.int().min(1).max(65_535).default(5432),
  database: text,
  user: text,
  password: secret.optional(),
  /** The environment variable of the agent that holds it. */
  passwordEnv: text.optional(),
  tls: z.enum(['required', 'off']).default('required'),
  /** Certificates that vouch for the server; default: those that the runtime knows. */
  ca: filePath.optional()
})

export interface DatabaseFile {
  host: string
  port: number
  database: string
  user: string
  password?: string
  tls: { ca?: string } | null
}

const READABLE_BY_OTHERS = 0o077

/** What the parser says of broken syntax may quote it: `password: !secret` is a tag to it. */
function withoutQuotes(error: unknown): unknown {
  if (!(error instanceof ConfigInvalid)) return error
  const told = error.problems.map((problem) =>
    problem.line === undefined
      ? problem
      : {
          ...problem,
          message: 'cannot be read; a text with other signs than letters and digits stands in quotes'
        }
  )
  return new ConfigInvalid(error.file, told)
}

/** @throws {ConfigInvalid} also when others may read a file that holds a password */
export async function loadDatabaseFile(path: string): Promise<DatabaseFile> {
  const source = await readConfigFile(path).catch((error: unknown) => {
    throw withoutQuotes(error)
  })
  const { password, passwordEnv, tls, ca, ...where } = checkSource(source, databaseFile)
  if (password !== undefined && ((await stat(path)).mode & READABLE_BY_OTHERS) !== 0)
    throw problemAt(source, ['password'], 'others may read this file: `chmod 600` it, or use passwordEnv')
  if (password !== undefined && passwordEnv !== undefined)
    throw problemAt(source, ['passwordEnv'], 'expected password or passwordEnv, found both')
  const secret = passwordEnv === undefined ? password : process.env[passwordEnv]
  if (passwordEnv !== undefined && secret === undefined)
    throw problemAt(source, ['passwordEnv'], 'the agent has no such environment variable')
  const trusted = ca === undefined ? {} : { ca: await readFile(resolve(dirname(path), ca), 'utf8') }
  return {
    ...where,
    ...(secret === undefined ? {} : { password: secret }),
    tls: tls === 'off' ? null : trusted
  }
}
