import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { loadAgentConfig } from '../../../config/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'

export async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false
  )
}

/** The key named, else that of the configuration at hand; none: the agent itself has to sign. */
export async function keyFile(context: Context, key: string | undefined): Promise<string | undefined> {
  const { cwd } = context.terminal
  if (key !== undefined) return resolve(cwd, key)
  const file = resolve(cwd, context.connection.config ?? 'agent.yaml')
  if (context.connection.config === undefined && !(await isThere(file))) return undefined
  const { identity } = await loadAgentConfig(file)
  return (await isThere(identity.steward)) ? identity.steward : undefined
}

/** @throws {UsageError} when a person did not type yes */
export async function confirm(context: Context, question: string, yes: boolean): Promise<void> {
  if (yes || !context.terminal.interactive) return
  const answer = await context.terminal.ask(`${question} Type yes: `)
  if (answer.trim().toLowerCase() !== 'yes') throw new UsageError('not signed')
}
