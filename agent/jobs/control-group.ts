import { randomUUID } from 'node:crypto'
import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { hasCode } from '../../protocol/errors/index.ts'

/** The kernel's own limits on the processes of one job. */
export interface ControlGroup {
  /** bytes; reached, the kernel kills */
  limit(memory: number, processes: number): Promise<void>
  add(pids: readonly number[]): Promise<void>
  /** Whether the kernel killed for memory. */
  outOfMemory(): Promise<boolean>
  remove(): Promise<void>
}

export interface ControlGroups {
  readonly version: 1 | 2
  /** Removes what agents that were killed left behind. */
  sweep(): Promise<void>
  create(id: string): Promise<ControlGroup>
}

const ROOT = '/sys/fs/cgroup'

/** Control groups in which this process may make others; undefined where it may not. */
export async function detectControlGroups(): Promise<ControlGroups | undefined> {
  const own = await readFile('/proc/self/cgroup', 'utf8').catch(() => '')
  for (const groups of [versionTwo(own), versionOne(own)]) {
    if (groups === undefined) continue
    try {
      const trial = await groups.create(randomUUID())
      try {
        await trial.limit(64 * 1024 * 1024, 64)
        await groups.sweep()
        return groups
      } finally {
        await trial.remove()
      }
    } catch {
      // not ours to use
    }
  }
  return undefined
}

function versionOne(own: string): ControlGroups | undefined {
  const path = (controller: string): string | undefined =>
    new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, 'm').exec(own)?.[1]
  const memory = path('memory')
  if (memory === undefined) return undefined
  const pids = path('pids')
  return {
    version: 1,
    async sweep() {
      await sweepFolder(join(ROOT, 'memory', memory))
      if (pids !== undefined) await sweepFolder(join(ROOT, 'pids', pids))
    },
    async create(id) {
      const memoryFolder = join(ROOT, 'memory', memory, groupName(id))
      const pidsFolder = pids === undefined ? undefined : join(ROOT, 'pids', pids, groupName(id))
      const folders = [memoryFolder, ...(pidsFolder === undefined ? [] : [pidsFolder])]
      for (const folder of folders) await mkdir(folder)
      return {
        async limit(bytes, processes) {
          await writeFile(join(memoryFolder, 'memory.limit_in_bytes'), String(Math.floor(bytes)))
          if (pidsFolder !== undefined) await writeFile(join(pidsFolder, 'pids.max'), String(processes))
        },
        add: async (processes) => await admit(folders, processes),
        outOfMemory: async () => await counted(join(memoryFolder, 'memory.oom_control'), 'oom_kill'),
        remove: async () => await removeFolders(folders)
      }
    }
  }
}

/** Needs a delegated group with this process in a sub-group of its own (systemd: Delegate=yes, DelegateSubgroup=). */
function versionTwo(own: string): ControlGroups | undefined {
  const path = /^0::(\/.*)$/m.exec(own)?.[1]
  if (path === undefined || basename(path) === '') return undefined
  const parent = join(ROOT, dirname(path))
  return {
    version: 2,
    sweep: () => sweepFolder(parent),
    async create(id) {
      const folder = join(parent, groupName(id))
      await writeFile(join(parent, 'cgroup.subtree_control'), '+memory +pids')
      await mkdir(folder)
      return {
        async limit(bytes, processes) {
          await writeFile(join(folder, 'memory.max'), String(Math.floor(bytes)))
          await writeFile(join(folder, 'memory.swap.max'), '0').catch(() => undefined)
          await writeFile(join(folder, 'pids.max'), String(processes))
        },
        add: async (processes) => await admit([folder], processes),
        outOfMemory: async () => await counted(join(folder, 'memory.events'), 'oom_kill'),
        remove: async () => await removeFolders([folder])
      }
    }
  }
}

async function admit(folders: readonly string[], pids: readonly number[]): Promise<void> {
  for (const folder of folders) {
    for (const pid of pids) {
      // a process that has gone meanwhile needs no limit
      await writeFile(join(folder, 'cgroup.procs'), String(pid)).catch((error: unknown) => {
        if (!hasCode(error, 'ESRCH')) throw error
      })
    }
  }
}

async function counted(file: string, key: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1] ?? 0) > 0
}

/** The kernel empties a group a moment after its last process was reaped. */
async function removeFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    for (let attempt = 0; attempt < 20; attempt++) {
      const removed = await rmdir(folder).then(
        () => true,
        (error: unknown) => hasCode(error, 'ENOENT')
      )
      if (removed) break
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}

/** The name says whose it is, so that another agent can tell when that one is gone. */
function groupName(id: string): string {
  return `dynamos-${process.pid}-${id}`
}

async function sweepFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^dynamos-(\d+)-/.exec(name)?.[1]
    if (pid === undefined) continue
    const alive = await access(`/proc/${pid}`).then(
      () => true,
      () => false
    )
    if (!alive) await rmdir(join(folder, name)).catch(() => undefined)
  }
}
