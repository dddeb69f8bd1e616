/** The daemon: puts the rooms together and runs them. */
export { findInstallation, type Installation, InstallationBroken } from './installation.ts'
export { guardProcess } from './process-guard.ts'
export { type ProfiledTable, profileDataset } from './profile.ts'
export type { AgentSeams } from './seams.ts'
export { type RunningAgent, startAgent } from './start-agent.ts'
