import { type ChildProcess, spawn } from 'node:child_process'
import { Writable } from 'node:stream'
import type { Assignment, JobLimits } from '../../services/index.ts'
import { type JobAnswer, parseAnswer } from './answer.ts'
import { JobFailed } from './errors.ts'
import { type Command, FILTER_FD } from './jail-command.ts'
import { beginningOf, childrenOf } from './processes.ts'

/** More than a report may hold; a job that writes on is killed. */
const MAX_LINE = 16 * 1024 * 1024
const MAX_STDERR = 64 * 1024
const START_MILLISECONDS = 20_000

export interface JailOptions {
  cwd: string
  env?: NodeJS.ProcessEnv
}

/** One sandboxed process with a runner in it, from its start to its end. */
export class Jail {
  /** The runner has loaded its engine. Rejects with `JobFailed` when it never will. */
  readonly ready: Promise<void>
  /** The process and everything below it is gone. */
  readonly exited: Promise<void>
  private readonly child: ChildProcess
  private readonly orders: Writable
  private readonly waiting: PromiseWithResolvers<string>[] = []
  private unread = ''
  private stderr = ''
  private ended: JobFailed | undefined
  private alive = true
  /** When the processes right below began. */
  private first = new Map<number, string>()

  constructor({ command, args, filter }: Command, { cwd, env }: JailOptions) {
    // its own process group, so that a job without a sandbox dies with all it started
    this.child = spawn(command, args, {
      cwd,
      env: env ?? {},
      stdio: ['pipe', 'pipe', 'pipe', ...(filter === undefined ? [] : (['pipe'] as const))],
      detached: true
    })
    const closed = new Promise<void>((resolve) => {
      this.child.once('close', () => resolve(this.close()))
      this.child.once('error', (cause) => {
        this.end(
          new JobFailed('sandbox-unavailable', `${command} does not start: ${cause.message}`, { cause })
        )
        if (this.child.pid === undefined) resolve(this.close())
      })
    })
    this.exited = closed.then(() => this.gone())
    const { stdin, stdout, stderr, stdio } = this.child
    if (stdin === null || stdout === null || stderr === null)
      throw new JobFailed('internal', 'a job was started without its pipes')
    this.orders = stdin.on('error', () => undefined)
    stdout.setEncoding('utf8').on('data', (text: string) => this.read(text))
    stderr.setEncoding('utf8').on('data', (text: string) => {
      if (this.stderr.length < MAX_STDERR) this.stderr += text.slice(0, MAX_STDERR)
    })
    const pipe = stdio[FILTER_FD]
    if (pipe instanceof Writable) pipe.on('error', () => undefined).end(filter)
    this.ready = this.hello()
    this.ready.catch(() => undefined)
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  get running(): boolean {
    return this.alive && this.ended === undefined
  }

  /** What the runner wrote for the local log; may quote data. */
  get log(): string {
    return this.stderr
  }

  /** Gives the runner its order and waits for the answer. */
  async ask(assignment: Assignment, limits: JobLimits): Promise<JobAnswer> {
    await this.ready
    const line = this.line()
    this.orders.write(`${JSON.stringify({ assignment, limits })}\n`)
    return parseAnswer(await line)
  }

  /** Ends the process with everything below it, at once; whoever waits for it is told `reason`. */
  kill(reason: JobFailed = new JobFailed('job-killed', 'the job was ended')): void {
    this.end(reason)
    if (!this.alive || this.child.pid === undefined) return
    try {
      process.kill(-this.child.pid, 'SIGKILL')
    } catch {
      this.child.kill('SIGKILL')
    }
  }

  private async hello(): Promise<void> {
    const timer = setTimeout(
      () => this.kill(new JobFailed('sandbox-unavailable', 'the runner did not get ready')),
      START_MILLISECONDS
    )
    try {
      const first = await this.line()
      if (first !== '{"kind":"ready"}')
        throw new JobFailed('internal', `expected the runner to be ready, it said ${first.slice(0, 200)}`)
      if (this.child.pid !== undefined) this.first = await childrenOf(this.child.pid)
    } finally {
      clearTimeout(timer)
    }
  }

  /** The first process of the sandbox ends after all others in it; bubblewrap's own end does not wait for that. */
  private async gone(): Promise<void> {
    for (const [pid, began] of this.first) {
      while ((await beginningOf(pid)) === began) await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  private line(): Promise<string> {
    if (this.ended !== undefined) return Promise.reject(this.ended)
    const waiting = Promise.withResolvers<string>()
    this.waiting.push(waiting)
    this.deliver()
    return waiting.promise
  }

  private read(text: string): void {
    // a job that goes on talking while it is being killed fills no memory
    if (this.ended !== undefined) return
    this.unread += text
    if (this.unread.length > MAX_LINE)
      this.kill(new JobFailed('output-too-large', 'the runner wrote more than a report may hold'))
    else this.deliver()
  }

  private deliver(): void {
    const end = this.unread.indexOf('\n')
    if (end < 0) return
    const line = this.unread.slice(0, end)
    this.unread = this.unread.slice(end + 1)
    const waiting = this.waiting.shift()
    // an answer given before the question would be taken for that of the next
    if (waiting === undefined || this.unread !== '') {
      this.kill(new JobFailed('internal', 'the runner said something that nobody asked for'))
      waiting?.reject(this.ended)
    } else waiting.resolve(line)
  }

  private close(): void {
    this.alive = false
    const { exitCode, signalCode } = this.child
    const how = signalCode ?? (exitCode === 137 ? 'SIGKILL' : `exit ${exitCode}`)
    this.end(
      new JobFailed(
        'job-killed',
        `the runner ended without an answer (${how}): ${this.stderr.slice(0, 4096)}`
      )
    )
  }

  private end(reason: JobFailed): void {
    this.ended ??= reason
    for (const waiting of this.waiting.splice(0)) waiting.reject(this.ended)
  }
}
