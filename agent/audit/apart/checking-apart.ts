import { fork } from 'node:child_process'
import { DynamosError } from '../../../protocol/errors/index.ts'
import type { ChainVerdict } from '../chain.ts'
import type { VerifyOptions } from '../log.ts'
import { type Task, verdict } from './task.ts'

/** Checks what a file holds of a log, elsewhere than in this process. */
export type Apart = (options: Omit<VerifyOptions, 'breathe'>) => Promise<ChainVerdict>

/** The process ended without a verdict. */
export class CheckEnded extends DynamosError {
  static override readonly name = 'CheckEnded'
  constructor(message: string, options?: ErrorOptions) {
    super('internal', message, options)
  }
}

/**
 * A process and not a thread: sqlite3 takes the whole program down when a thread that reads is ended (6.0.1, seen).
 *
 * @param program the bundled code of the process, `dist/log-check.js`
 * @param file of the store
 */
export function checkingApart(program: string, file: string): Apart {
  return async ({ after, expected, signal }) => {
    signal?.throwIfAborted()
    // It needs nothing of what this process was told, least of all the passphrase of a key.
    const child = fork(program, { execArgv: [], env: {}, stdio: 'ignore' })
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const stop = (): void => reject(signal?.reason)
    const ended = (cause?: unknown): void =>
      reject(new CheckEnded('the process that checks the log ended without a verdict', { cause }))
    signal?.addEventListener('abort', stop, { once: true })
    child.once('message', resolve)
    // It may fail to begin, and again when it is told to end; an error without a listener would end this process.
    child.on('error', ended)
    child.once('exit', () => ended())
    const place: Task = {
      file,
      ...(after === undefined ? {} : { after: { sequence: after.sequence, head: after.head } }),
      ...(expected === undefined ? {} : { expected: { sequence: expected.sequence, head: expected.head } })
    }
    try {
      // Where not even the channel could be opened, with all file descriptors in use, there is no way to send; `error` tells why.
      if (child.connected)
        child.send(place, (error) => {
          if (error !== null) ended(error)
        })
      return verdict.parse(await promise)
    } finally {
      signal?.removeEventListener('abort', stop)
      child.kill('SIGKILL')
    }
  }
}
