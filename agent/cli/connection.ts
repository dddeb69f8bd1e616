import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Connection } from '../client/index.ts'
import { type AgentConfig, ConfigInvalid, loadAgentConfig } from '../config/index.ts'
import { UsageError } from './exit.ts'
import type { Terminal } from './terminal.ts'

const DEFAULT_URL = 'http://127.0.0.1:7700'
const ANY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** Where an agent with this configuration answers. */
export function apiUrl({ api }: Pick<AgentConfig, 'api'>): string {
  const host = ANY_ADDRESS[api.host] ?? api.host
  return `http://${host.includes(':') ? `[${host}]` : host}:${api.port}`
}

async function configIn(options: ConnectionOptions, cwd: string): Promise<AgentConfig | undefined> {
  if (options.config !== undefined) return await loadAgentConfig(resolve(cwd, options.config))
  try {
    return await loadAgentConfig(resolve(cwd, 'agent.yaml'))
  } catch (error) {
    const absent = error instanceof ConfigInvalid && toCode(error.cause) === 'ENOENT'
    if (absent) return undefined
    throw error
  }
}

function toCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

async function tokenIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (cause) {
    const reason = toCode(cause) === 'ENOENT' ? 'there is no such file' : 'it could not be read'
    throw new UsageError(
      `${file}: expected the file with the token of an agent; ${reason}. The agent writes it when it starts; --token FILE names another`,
      { cause }
    )
  }
}

function urlOf(text: string): string {
  try {
    const url = new URL(/^https?:\/\//.test(text) ? text : `http://${text}`)
    return url.href.replace(/\/+$/, '')
  } catch (cause) {
    throw new UsageError(`--agent: expected a URL such as ${DEFAULT_URL}, found ${text}`, { cause })
  }
}

/** `--agent` and `--token`, else DYNAMOS_AGENT and DYNAMOS_TOKEN (a file), else those of `agent.yaml`. */
export async function findConnection(
  options: ConnectionOptions,
  { env, cwd }: Pick<Terminal, 'env' | 'cwd'>
): Promise<Connection> {
  const agent = options.agent ?? (env.DYNAMOS_AGENT || undefined)
  const token = options.token ?? (env.DYNAMOS_TOKEN || undefined)
  const config = agent === undefined || token === undefined ? await configIn(options, cwd) : undefined
  const url = agent === undefined ? (config === undefined ? DEFAULT_URL : apiUrl(config)) : urlOf(agent)
  if (agent === undefined && config?.api.port === 0)
    throw new UsageError(
      `${config.file}: api.listen takes any free port, so the file does not tell where the agent answers; name it with --agent URL`
    )
  const file = token === undefined ? config?.api.token : resolve(cwd, token)
  if (file === undefined)
    throw new UsageError(
      'expected a token: go to the folder of agent.yaml, or name --agent URL and --token FILE (or DYNAMOS_AGENT and DYNAMOS_TOKEN)'
    )
  return { url, token: await tokenIn(file) }
}

export interface ConnectionOptions {
  agent?: string
  token?: string
  config?: string
}
