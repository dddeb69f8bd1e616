/**
 * Runs jobs: single-use, sandboxed processes, the only place where the data engine touches anything.
 *
 * ```ts
 * const launcher = await createLauncher({ folder, runner, nodeModules, sandbox: 'bubblewrap', warm: 1 })
 * const folder = await launcher.folder()
 * const { report, usage } = await launcher.run(assignment, folder, limits, { signal })
 * await folder.wipe()
 * ```
 */

export type { LauncherInit } from './create-launcher.ts'
export { createLauncher } from './create-launcher.ts'
export type { SandboxFound } from './detect-sandbox.ts'
export { detectSandbox } from './detect-sandbox.ts'
export type { JobFailedInit, JobFailureCode } from './errors.ts'
export { JobFailed } from './errors.ts'
export type { IsolationFound } from './isolation.ts'
export { detectIsolation } from './isolation.ts'
export type { JobFolder, JobResult, JobUsage, Launcher, SandboxKind } from './launcher.ts'
export type { JobLogger } from './logger.ts'
export type { SourceFiles } from './source-files.ts'
export { findSource } from './source-files.ts'
