import { resolve } from 'node:path'
import { healthView, marketplaceView } from '../../../api/index.ts'
import { loadAgentConfig, readUserFile } from '../../../config/index.ts'
import { openPackage } from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { codeOf } from '../../exit.ts'
import { isLacking, type Lacking, type Patient } from './check.ts'

async function orLacking<T>(get: () => Promise<T>): Promise<T | Lacking> {
  try {
    return await get()
  } catch (error) {
    return { code: codeOf(error), message: error instanceof Error ? error.message : String(error) }
  }
}

/** Everything the checks look at, read once: from the files of the agent, and from itself where it runs. */
export async function examine(context: Context): Promise<Patient> {
  const file = resolve(context.terminal.cwd, context.connection.config ?? 'agent.yaml')
  const config = await orLacking(async () => await loadAgentConfig(file))
  const installed = isLacking(config)
    ? config
    : await orLacking(async () => await openPackage((await readUserFile(config.marketplace)).text))
  const running = await orLacking(async () => {
    const client = await context.client()
    return {
      url: client.url,
      health: await client.get('/health', healthView),
      marketplace: await client.get('/api/v1/marketplace', marketplaceView)
    }
  })
  return { now: Date.now(), config, installed, running }
}
