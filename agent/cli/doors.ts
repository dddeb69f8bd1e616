import type { AgentConfig, DatasetTable } from '../config/index.ts'

/** An agent that runs in this process. */
export interface RunningAgent {
  peerId: string
  /** URL of its API. */
  api: string
  /** Finishes or hands back what runs; after `deadlineMs` it drops what is left. */
  stop(deadlineMs: number): Promise<void>
}

export interface ProfiledTable {
  name: string
  rows: number
  columns: { name: string; type: string; nulls: number }[]
  notes: string[]
}

/** What only the daemon's code can do. It is loaded when a command needs it: `--help` shall not wait for libp2p. */
export interface Doors {
  startAgent(config: AgentConfig): Promise<RunningAgent>
  /** Looks at a file in a sandboxed job: rows, columns and their types, over the whole file. */
  profileDataset(config: AgentConfig, tables: readonly DatasetTable[]): Promise<ProfiledTable[]>
}

export const daemonDoors: Doors = {
  startAgent: async (config) => await (await import('../daemon/index.ts')).startAgent(config),
  profileDataset: async (config, tables) =>
    await (await import('../daemon/index.ts')).profileDataset(config, tables)
}
