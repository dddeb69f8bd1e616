import type { JobLimits } from '../../services/index.ts'
import type { ControlGroup, ControlGroups } from './control-group.ts'
import { JobFailed } from './errors.ts'
import type { Jail } from './jail.ts'
import { folderBytes } from './job-folder.ts'
import { processTree, residentBytes, unlinkedBytes } from './processes.ts'

/** What the runtime itself needs beside the engine's memory. */
const RUNTIME_BYTES = 160 * 1024 * 1024
/** What it compiles and collects beside the engine's threads. */
const RUNTIME_CORES = 1
const PROCESSES = 96
const LOOK_MILLISECONDS = 50
/** Files without a name are looked for less often: it means to look at all that is open. */
const UNLINKED_EVERY = 4

/** What is watched: a jail, or another process that is like one. */
export type Watched = Pick<Jail, 'pid' | 'kill'>

/** Holds one jail to its limits while it works. */
export class Watch {
  private timer: NodeJS.Timeout | undefined
  private deadline: NodeJS.Timeout | undefined
  private group: ControlGroup | undefined
  private looking = false
  private looks = 0

  constructor(
    private readonly jail: Watched,
    private readonly folder: string,
    private readonly limits: JobLimits,
    private readonly groups: ControlGroups | undefined,
    private readonly id: string
  ) {}

  /** To be called when the jail is ready and before it gets its order: nothing untrusted runs until then. */
  async start(): Promise<void> {
    const { memory, seconds, threads } = this.limits
    const pid = this.jail.pid
    if (this.groups !== undefined && pid !== undefined) {
      this.group = await this.groups.create(this.id)
      await this.group.limit({
        memory: memory + RUNTIME_BYTES,
        processes: PROCESSES,
        cores: threads + RUNTIME_CORES
      })
      await this.group.add(await processTree(pid))
    }
    this.deadline = setTimeout(() => {
      this.jail.kill(
        new JobFailed('job-timeout', `longer than ${seconds} s`, {
          hint: `the job ran longer than ${seconds} s`
        })
      )
    }, seconds * 1000)
    this.resume()
  }

  /** A jail that waits for its next order uses nothing up: no need to look. */
  rest(): void {
    clearInterval(this.timer)
  }

  resume(): void {
    clearInterval(this.timer)
    this.timer = setInterval(() => void this.look(), LOOK_MILLISECONDS)
  }

  /** Ends watching; says whether the kernel killed the job for memory. */
  async stop(): Promise<boolean> {
    clearTimeout(this.deadline)
    clearInterval(this.timer)
    if (this.group === undefined) return false
    const outOfMemory = await this.group.outOfMemory()
    await this.group.remove()
    return outOfMemory
  }

  private async tooLarge(): Promise<boolean> {
    const { disk } = this.limits
    const seen = await folderBytes(this.folder, disk)
    if (seen > disk || this.jail.pid === undefined || this.looks++ % UNLINKED_EVERY !== 0) return seen > disk
    return seen + (await unlinkedBytes(this.jail.pid)) > disk
  }

  private async look(): Promise<void> {
    if (this.looking) return
    this.looking = true
    try {
      if (await this.tooLarge()) this.jail.kill(diskFailure(this.limits))
      // without control groups nothing else sees memory that the engine does not count
      if (this.group === undefined && this.jail.pid !== undefined) {
        const held = await Promise.all((await processTree(this.jail.pid)).map(residentBytes))
        const sum = held.reduce((total, bytes) => total + bytes, 0)
        if (sum > this.limits.memory + RUNTIME_BYTES) this.jail.kill(memoryFailure(this.limits))
      }
    } finally {
      this.looking = false
    }
  }
}

export function memoryFailure(limits: JobLimits): JobFailed {
  const hint = `the job needed more than ${Math.round(limits.memory / 1024 / 1024)} MiB of memory`
  return new JobFailed('memory-limit', hint, { hint })
}

function diskFailure(limits: JobLimits): JobFailed {
  const hint = `the job needed more than ${Math.round(limits.disk / 1024 / 1024)} MiB of disk`
  return new JobFailed('disk-limit', hint, { hint })
}
