import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  createLauncher,
  detectSandbox,
  JobFailed,
  type Launcher,
  type LauncherInit
} from '../../agent/jobs/index.ts'
import type { JobLimits } from '../../services/index.ts'
import { buildRunner } from '../../services/runner/build.mjs'

export const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))
export const LIMITS: JobLimits = {
  memory: 512 * 1024 * 1024,
  threads: 1,
  seconds: 30,
  disk: 256 * 1024 * 1024
}

let built: Promise<string> | undefined
const folders: string[] = []
const launchers: Launcher[] = []

/** To be called by a suite that uses this file: ends and removes what it made. */
export function cleanUp(): void {
  after(async () => {
    await Promise.all(launchers.splice(0).map((launcher) => launcher.stop()))
    await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))
    built = undefined
  })
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dynamos-jobs-'))
  folders.push(folder)
  return folder
}

/** The bundle of the runner, made once. */
export function builtRunner(): Promise<string> {
  built ??= temporaryFolder().then(async (folder) => {
    const outfile = join(folder, 'runner.mjs')
    await buildRunner(outfile)
    return outfile
  })
  return built
}

export async function aLauncher(init: Partial<LauncherInit> = {}): Promise<Launcher> {
  const launcher = await createLauncher({
    folder: await temporaryFolder(),
    runner: init.runner ?? (await builtRunner()),
    nodeModules: NODE_MODULES,
    sandbox: 'none',
    warm: 0,
    ...init
  })
  launchers.push(launcher)
  return launcher
}

/** Skips a suite, loudly, where bubblewrap does not work. */
export async function needsBubblewrap(context: Mocha.Context): Promise<void> {
  const found = await detectSandbox()
  if (found.kind === 'bubblewrap') return
  console.error(
    `\n!!! SANDBOX NOT TESTED (${found.reason}): ${found.message}\n!!! to mend it: ${found.mend}\n`
  )
  // Plain ./scripts/test needs no sandbox; with --all every skipped test counts as failed.
  context.skip()
}

/** What a job failed with. */
export async function failureOf(job: Promise<unknown>): Promise<JobFailed> {
  try {
    await job
  } catch (error) {
    if (error instanceof JobFailed) return error
    throw error
  }
  throw new Error('the job did not fail')
}
