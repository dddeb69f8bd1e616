import { readFile } from 'node:fs/promises'
import type { Isolation } from '../../protocol/documents/index.ts'
import type { ControlGroups } from './control-group.ts'
import { isolationOf } from './isolation.ts'
import { Jail } from './jail.ts'
import { type Host, jailCommand } from './jail-command.ts'
import type { JobFolder, SandboxKind } from './launcher.ts'
import { findSource, type SourceFiles } from './source-files.ts'
import { mountSource, readable, type Seen, seenAsIs, stampOf } from './sources.ts'

export interface StarterInit {
  sandbox: SandboxKind
  host: Host | undefined
  runner: string
  nodeModules: string
  groups: ControlGroups | undefined
}

/** A jail and what it was made with. */
export interface StartedJail {
  jail: Jail
  folder: JobFolder
  /** What it sees, by the path in the assignment. */
  files: ReadonlyMap<string, Seen>
  /** What each was then. */
  stamps: ReadonlyMap<string, string>
}

/** Starts jails, with or without a sandbox. */
export class Starter {
  constructor(private readonly init: StarterInit) {}

  get handsOver(): boolean {
    return (
      this.init.host?.root === true &&
      this.init.host.setpriv !== undefined &&
      this.init.sandbox === 'bubblewrap'
    )
  }

  /** Without a sandbox nothing keeps a job from leaving its groups. */
  get isolation(): Isolation {
    const { host, groups, sandbox } = this.init
    return sandbox === 'none' ? [] : isolationOf(host?.filter !== undefined, groups?.controllers ?? [])
  }

  /** @throws {JobFailed} dataset-missing, dataset-malformed */
  async start(folder: JobFolder, sources: readonly string[]): Promise<StartedJail> {
    const { host, runner, nodeModules, sandbox } = this.init
    const found = new Map<string, SourceFiles>()
    for (const path of sources) found.set(path, await findSource(path))
    const stamps = new Map([...found].map(([path, { version }]) => [path, version]))
    if (sandbox === 'none' || host === undefined) {
      const env = {
        PATH: process.env.PATH ?? '/usr/bin',
        TZ: 'UTC',
        LANG: 'C.UTF-8',
        NODE_PATH: nodeModules,
        UV_THREADPOOL_SIZE: '2'
      }
      const jail = new Jail(
        { command: process.execPath, args: ['--max-old-space-size=256', runner] },
        { cwd: folder.path, env }
      )
      return {
        jail,
        folder,
        files: new Map([...found].map(([path, source]) => [path, seenAsIs(source)])),
        stamps
      }
    }
    const files = new Map<string, Seen>()
    const mounts = new Map<string, string>()
    for (const [index, [path, source]] of [...found].entries()) {
      const { seen, binds } = await mountSource(source, index, folder.path, this.handsOver)
      files.set(path, seen)
      for (const [from, to] of binds) mounts.set(from, to)
    }
    const command = await jailCommand(host, { folder: folder.path, runner, nodeModules, files: mounts })
    return { jail: new Jail(command, { cwd: folder.path }), folder, files, stamps }
  }

  /** Sources that a jail made in advance can hold: those that need no copy. */
  async bindableInAdvance(sources: readonly string[]): Promise<string[]> {
    const kept: string[] = []
    for (const path of sources) {
      const found = await findSource(path).catch(() => undefined)
      if (found !== undefined && (!this.handsOver || (await readable(found)))) kept.push(path)
    }
    return kept
  }

  /** Reads the runner once, so that the first job does not wait for the disk. */
  async touch(): Promise<void> {
    await readFile(this.init.runner)
  }
}

/** Whether a jail still shows exactly these files as they are now. */
export async function stillShows(started: StartedJail, sources: readonly string[]): Promise<boolean> {
  for (const path of sources) {
    const then = started.stamps.get(path)
    if (then === undefined || then !== (await stampOf(path))) return false
  }
  return true
}
