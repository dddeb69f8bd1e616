import { readFile, stat } from 'node:fs/promises'
import type { Isolation } from '../../protocol/documents/index.ts'
import type { ControlGroups } from './control-group.ts'
import { isolationOf } from './isolation.ts'
import { Jail } from './jail.ts'
import { type Host, jailCommand } from './jail-command.ts'
import type { JobFolder, SandboxKind } from './launcher.ts'
import { bindable, insidePaths, readable, stampOf } from './sources.ts'

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
  /** Path inside by path on the host. */
  files: ReadonlyMap<string, string>
  /** What each file was then. */
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

  /** @throws {JobFailed} dataset-missing */
  async start(folder: JobFolder, sources: readonly string[]): Promise<StartedJail> {
    const { host, runner, nodeModules, sandbox } = this.init
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
        files: new Map(sources.map((path) => [path, path])),
        stamps: await stamped(sources)
      }
    }
    const stamps = await stamped(sources)
    const binds = await bindable(sources, folder.path, this.handsOver)
    const files = insidePaths(sources)
    const mounts = new Map([...binds].map(([path, from]) => [from, files.get(path) ?? path]))
    const command = await jailCommand(host, { folder: folder.path, runner, nodeModules, files: mounts })
    return { jail: new Jail(command, { cwd: folder.path }), folder, files, stamps }
  }

  /** Sources that a jail made in advance can hold: those that need no copy. */
  async bindableInAdvance(sources: readonly string[]): Promise<string[]> {
    const kept: string[] = []
    for (const path of sources) {
      const found = await stat(path).catch(() => undefined)
      if (found?.isFile() && (!this.handsOver || readable(found.mode))) kept.push(path)
    }
    return kept
  }

  /** Reads the runner once, so that the first job does not wait for the disk. */
  async touch(): Promise<void> {
    await readFile(this.init.runner)
  }
}

async function stamped(paths: readonly string[]): Promise<Map<string, string>> {
  const stamps = new Map<string, string>()
  for (const path of paths) {
    const stamp = await stampOf(path)
    if (stamp !== undefined) stamps.set(path, stamp)
  }
  return stamps
}

/** Whether a jail still shows exactly these files as they are now. */
export async function stillShows(started: StartedJail, sources: readonly string[]): Promise<boolean> {
  for (const path of sources) {
    const then = started.stamps.get(path)
    if (then === undefined || then !== (await stampOf(path))) return false
  }
  return true
}
