import { randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { AgentConfig } from './agent.ts'
import { ConfigInvalid } from './errors.ts'
import { readSource } from './source.ts'

/** The user a token stands for when an agent speaks for nobody: its steward. */
const STEWARD = 'steward'
const TOKEN_BYTES = 32
const token = z
  .string()
  .regex(/^[A-Za-z0-9_-]{32,256}$/, 'expected a token of at least 32 letters, digits, "_" or "-"')
const tokensFile = z.record(z.string().min(1).max(256), token)

export interface Tokens {
  /** The user of a bearer token, as the configuration names them; takes as long for a wrong token as for a right one. */
  userOf(bearer: string): string | undefined
  /** What that user may do besides asking and reading. */
  rolesOf(user: string): ('steward' | 'operator')[]
}

async function existing(file: string): Promise<Record<string, string>> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return {}
    throw new ConfigInvalid(file, [{ path: '', message: 'could not be read' }], { cause })
  }
  const parsed = tokensFile.safeParse(readSource(text, file).value)
  if (parsed.success) return parsed.data
  // Without what was found: it may be a secret.
  throw new ConfigInvalid(file, [
    { path: '', message: 'expected a map of users to tokens of at least 32 letters, digits, "_" or "-"' }
  ])
}

/** Whole or not at all, and for the owner's eyes only. */
async function writeSecret(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const draft = `${file}.new`
  await writeFile(draft, text, { mode: 0o600, flush: true })
  await rename(draft, file)
}

/**
 * The tokens of the users in `config`: read from its tokens file, made for users who have none, kept there (mode 0600); users
 * that the configuration no longer names lose theirs. The first user's (or the steward's) token is also written to its own file.
 *
 * @throws {ConfigInvalid} when the tokens file is not one
 */
export async function openTokens(
  config: Pick<AgentConfig, 'users' | 'api'> & Partial<Pick<AgentConfig, 'stewards' | 'operators'>>,
  random: (bytes: number) => Uint8Array = randomBytes
): Promise<Tokens> {
  const users = config.users.length === 0 ? [STEWARD] : config.users
  const kept = await existing(config.api.tokens)
  const tokens = new Map(
    users.map((user) => [user, kept[user] ?? Buffer.from(random(TOKEN_BYTES)).toString('base64url')])
  )
  await writeSecret(config.api.tokens, `${JSON.stringify(Object.fromEntries(tokens), null, 2)}\n`)
  await writeSecret(config.api.token, `${tokens.get(users[0] ?? STEWARD) ?? ''}\n`)
  // Whose token is in the file of its own runs the agent, unless the configuration says who does.
  const { stewards = users.slice(0, 1), operators = users.slice(0, 1) } = config
  return {
    rolesOf: (user) => [
      ...(stewards.includes(user) ? (['steward'] as const) : []),
      ...(operators.includes(user) ? (['operator'] as const) : [])
    ],
    userOf: (bearer) => {
      let found: string | undefined
      for (const [user, secret] of tokens) {
        const one = Buffer.from(secret)
        const other = Buffer.from(bearer)
        if (one.byteLength === other.byteLength && timingSafeEqual(one, other)) found = user
      }
      return found
    }
  }
}
