import type { JobLimits } from '../../services/index.ts'
import type { ControlGroup, ControlGroups } from './control-group.ts'
import { JobFailed } from './errors.ts'
import type { Jail } from './jail.ts'
import { folderBytes } from './job-folder.ts'
import { processTree, residentBytes } from './processes.ts'

/** What the runtime itself needs beside the engine's memory. */
const RUNTIME_BYTES = 160 * 1024 * 1024
const PROCESSES = 96
const LOOK_MILLISECONDS = 50

/** Holds one jail to its limits while it works. */
export class Watch {
  private timer: NodeJS.Timeout | undefined
  private deadline: NodeJS.Timeout | undefined
  private group: ControlGroup | undefined
  private looking = false

  constructor(
    private readonly jail: Jail,
    private readonly folder: string,
    private readonly limits: JobLimits,
    private readonly groups: ControlGroups | undefined,
    private readonly id: string
  ) {}

  /** To be called when the jail is ready and before it gets its order: nothing untrusted runs until then. */
  async start(): Promise<void> {
    const { memory, seconds } = this.limits
    const pid = this.jail.pid
    if (this.groups !== undefined && pid !== undefined) {
      this.group = await this.groups.create(this.id)
      await this.group.limit(memory + RUNTIME_BYTES, PROCESSES)
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

  private async look(): Promise<void> {
    if (this.looking) return
    this.looking = true
    try {
      if ((await folderBytes(this.folder)) > this.limits.disk) this.jail.kill(diskFailure(this.limits))
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
