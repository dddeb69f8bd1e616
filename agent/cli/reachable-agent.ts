import { AgentUnreachable, type Client } from '../client/index.ts'
import type { Context } from './context.ts'
import { UsageError } from './exit.ts'

/** The agent at hand, for what can be done without one too: undefined when none was named and none is configured here. */
export async function reachableAgent(context: Context): Promise<Client | undefined> {
  const named = context.connection.agent !== undefined || context.connection.token !== undefined
  try {
    return await context.client()
  } catch (error) {
    if (named || !(error instanceof UsageError)) throw error
    return undefined
  }
}

/** What an agent answers; undefined where none runs. */
export async function unlessUnreachable<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof AgentUnreachable) return undefined
    throw error
  }
}
