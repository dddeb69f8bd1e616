import { randomUUID } from 'node:crypto'
import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { hasCode } from '../../protocol/errors/index.ts'

/** What a group can limit. */
export type Controller = 'memory' | 'pids' | 'cpu'

export interface GroupLimits {
  /** bytes; reached, the kernel kills */
  memory: number
  /** processes and threads */
  processes: number
  cores: number
}

/** The kernel's own limits on the processes of one job. */
export interface ControlGroup {
  limit(limits: GroupLimits): Promise<void>
  add(pids: readonly number[]): Promise<void>
  /** Whether the kernel killed for memory. */
  outOfMemory(): Promise<boolean>
  remove(): Promise<void>
}

export interface ControlGroups {
  readonly version: 1 | 2
  /** Which of the limits hold here; memory always does. */
  readonly controllers: readonly Controller[]
  /** Removes what agents that were killed left behind. */
  sweep(): Promise<void>
  create(id: string): Promise<ControlGroup>
}

const ROOT = '/sys/fs/cgroup'
const CONTROLLERS: readonly Controller[] = ['memory', 'pids', 'cpu']
/** Microseconds over which a share of the processor is counted. */
const PERIOD = 100_000

/** Control groups in which this process may make others; undefined where it may not. */
export async function detectControlGroups(root = ROOT): Promise<ControlGroups | undefined> {
  const own = await readFile('/proc/self/cgroup', 'utf8').catch(() => '')
  for (const detect of [versionTwo, versionOne]) {
    try {
      const groups = await detect(own, root)
      if (groups === undefined) continue
      const trial = await groups.create(randomUUID())
      try {
        await trial.limit({ memory: 64 * 1024 * 1024, processes: 64, cores: 1 })
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

/** One tree of groups for each controller. */
async function versionOne(own: string, root: string): Promise<ControlGroups | undefined> {
  const parents = new Map<Controller, string>()
  for (const controller of CONTROLLERS) {
    const path = new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, 'm').exec(own)?.[1]
    if (path === undefined) continue
    const parent = join(root, controller, path)
    if (await takesGroups(parent)) parents.set(controller, parent)
  }
  if (!parents.has('memory')) return undefined
  return {
    version: 1,
    controllers: [...parents.keys()],
    async sweep() {
      for (const parent of parents.values()) await sweepFolder(parent)
    },
    async create(id) {
      const folders = new Map([...parents].map(([name, parent]) => [name, join(parent, groupName(id))]))
      for (const folder of folders.values()) await mkdir(folder)
      const set = async (controller: Controller, file: string, value: number): Promise<void> => {
        const folder = folders.get(controller)
        if (folder !== undefined) await writeFile(join(folder, file), String(Math.floor(value)))
      }
      return {
        async limit({ memory, processes, cores }) {
          await set('memory', 'memory.limit_in_bytes', memory)
          await set('pids', 'pids.max', processes)
          await set('cpu', 'cpu.cfs_period_us', PERIOD)
          await set('cpu', 'cpu.cfs_quota_us', cores * PERIOD)
        },
        add: async (pids) => await admit([...folders.values()], pids),
        outOfMemory: async () =>
          await counted(join(folders.get('memory') ?? '', 'memory.oom_control'), 'oom_kill'),
        remove: async () => await removeFolders([...folders.values()])
      }
    }
  }
}

async function takesGroups(parent: string): Promise<boolean> {
  const trial = join(parent, groupName(randomUUID()))
  return await mkdir(trial)
    .then(() => rmdir(trial))
    .then(
      () => true,
      () => false
    )
}

/** Needs a delegated group with this process in a sub-group of its own (systemd: Delegate=yes, DelegateSubgroup=). */
async function versionTwo(own: string, root: string): Promise<ControlGroups | undefined> {
  const path = /^0::(\/.*)$/m.exec(own)?.[1]
  if (path === undefined || basename(path) === '') return undefined
  const parent = join(root, dirname(path))
  const handedDown = join(parent, 'cgroup.subtree_control')
  const controllers: Controller[] = []
  for (const controller of CONTROLLERS) {
    // one at a time: a list with one that is missing is refused whole
    const given = await writeFile(handedDown, `+${controller}`).then(
      () => true,
      () => false
    )
    if (given) controllers.push(controller)
  }
  if (!controllers.includes('memory')) return undefined
  return {
    version: 2,
    controllers,
    sweep: () => sweepFolder(parent),
    async create(id) {
      const folder = join(parent, groupName(id))
      await mkdir(folder)
      const set = async (controller: Controller, file: string, value: string): Promise<void> => {
        if (controllers.includes(controller)) await writeFile(join(folder, file), value)
      }
      return {
        async limit({ memory, processes, cores }) {
          await set('memory', 'memory.max', String(Math.floor(memory)))
          await set('memory', 'memory.swap.max', '0').catch(() => undefined)
          await set('pids', 'pids.max', String(processes))
          await set('cpu', 'cpu.max', `${Math.floor(cores * PERIOD)} ${PERIOD}`)
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
