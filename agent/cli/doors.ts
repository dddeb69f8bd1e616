import type { ReportOf } from '../../services/index.ts'
import type { AgentConfig, DatasetTable } from '../config/index.ts'
import { EXIT } from './exit.ts'

/** For what runs to be handed back after an error that nobody caught, in milliseconds. */
const GIVE_UP_MS = 2000

/** An agent that runs in this process. */
export interface RunningAgent {
  peerId: string
  /** URL of its API. */
  api: string
  /** Finishes or hands back what runs; after `deadlineMs` it drops what is left. */
  stop(deadlineMs: number): Promise<void>
}

export type ProfiledTable = ReportOf<'profile'>['tables'][number]

/** What only the daemon's code can do. It is loaded when a command needs it: `--help` shall not wait for libp2p. */
export interface Doors {
  startAgent(config: AgentConfig): Promise<RunningAgent>
  /** Looks at a file in a sandboxed job: rows, columns and their types, over the whole file. */
  profileDataset(config: AgentConfig, tables: readonly DatasetTable[]): Promise<ProfiledTable[]>
}

export const daemonDoors: Doors = {
  startAgent: async (config) => {
    const { guardProcess, startAgent } = await import('../daemon/index.ts')
    const agent = await startAgent(config)
    const giveUp = (): void => {
      void agent.stop(GIVE_UP_MS).finally(() => process.exit(EXIT.failed))
    }
    guardProcess({ log: agent.log, giveUp })
    return agent
  },
  profileDataset: async (config, tables) =>
    await (await import('../daemon/index.ts')).profileDataset(config, tables)
}
