import { rm, stat } from 'node:fs/promises'
import { LabFailed } from './errors.ts'
import { marketplaceFile } from './prepare.ts'
import { isAlive, stopAll } from './processes.ts'
import { forgetState, readState } from './state.ts'
import { type LabView, viewOf } from './up.ts'

const STOP_TIMEOUT_MS = 15_000

async function isLab(dir: string): Promise<boolean> {
  return await stat(marketplaceFile(dir)).then(
    () => true,
    () => false
  )
}

/** Stops every agent. Keys, data and logs stay, unless told to purge. */
export async function labDown(
  dir: string,
  options: { purge: boolean; timeout?: number }
): Promise<{ dir: string; stopped: string[]; killed: string[] }> {
  const state = await readState(dir)
  const agents = state?.agents ?? {}
  const running: string[] = []
  for (const [name, agent] of Object.entries(agents)) if (await isAlive(agent)) running.push(name)
  const killed = await stopAll(agents, { timeout: options.timeout ?? STOP_TIMEOUT_MS })
  await forgetState(dir)
  if (options.purge) {
    if (!(await isLab(dir)))
      throw new LabFailed(`${dir}: expected the folder of a lab, found none; nothing was removed`)
    await rm(dir, { recursive: true })
  }
  return { dir, stopped: running, killed }
}

/** The agents a lab started, and which of them run. */
export async function labStatus(dir: string): Promise<LabView & { running: string[] }> {
  const state = (await readState(dir)) ?? { agents: {} }
  const running: string[] = []
  for (const [name, agent] of Object.entries(state.agents)) if (await isAlive(agent)) running.push(name)
  return { ...viewOf(dir, state), running }
}
