import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { text } from 'node:stream/consumers'
import { UsageError } from './exit.ts'

/** The world of a command: what it prints to, asks and is told by. */
export interface Terminal {
  /** The answer. */
  out(text: string): void
  outBytes(bytes: Uint8Array): Promise<void>
  /** Everything else: progress, warnings, errors. */
  err(text: string): void
  /** Somebody watches `err`. */
  interactive: boolean
  /** Whether `out` may carry colours. */
  colour: boolean
  /** Cells of a line of `out`; undefined when nobody looks at it. */
  columns: number | undefined
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  /** Program and arguments that start this command line again. */
  self: readonly string[]
  readInput(): Promise<string>
  /** Asks a person. */
  ask(question: string): Promise<string>
  /** Asks a person, without showing the answer. */
  readSecret(prompt: string): Promise<string>
  /** Calls back at each Ctrl-C and, with `terminate`, SIGTERM; returns how to stop that. */
  onInterrupt(listener: () => void, options?: { terminate?: boolean }): () => void
  /** Ends the process at once. */
  abandon(code: number): void
}

const CTRL_C = '\u0003'
const BACKSPACE = '\u007f'

/** Reads keys without echo, from the terminal itself: standard input may be the file that is to be signed. */
async function secretFromTerminal(prompt: string): Promise<string> {
  const { ReadStream } = await import('node:tty')
  const { openSync } = await import('node:fs')
  let terminal: import('node:tty').ReadStream
  try {
    terminal = new ReadStream(openSync('/dev/tty', 'r+'))
  } catch (cause) {
    throw new UsageError(
      'a passphrase is needed and there is no terminal to ask at; set DYNAMOS_PASSPHRASE',
      { cause }
    )
  }
  process.stderr.write(prompt)
  terminal.setRawMode(true)
  let secret = ''
  try {
    for await (const chunk of terminal) {
      for (const key of String(chunk)) {
        if (key === '\r' || key === '\n') return secret
        if (key === CTRL_C) throw new UsageError('no passphrase was given')
        secret = key === BACKSPACE ? secret.slice(0, -1) : secret + key
      }
    }
    return secret
  } finally {
    terminal.setRawMode(false)
    terminal.destroy()
    process.stderr.write('\n')
  }
}

async function answerFromTerminal(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: createReadStream('/dev/tty'), output: process.stderr })
  try {
    return await lines.question(question)
  } finally {
    lines.close()
  }
}

/** The terminal, or the pipes, that this process was started with. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process
  // A reader that left (`| head`) is no failure.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 4))
  return {
    out: (written) => stdout.write(written),
    outBytes: async (bytes) => {
      if (!stdout.write(bytes)) await once(stdout, 'drain')
    },
    err: (written) => stderr.write(written),
    interactive: stderr.isTTY === true,
    colour: stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
    columns: stdout.isTTY === true ? stdout.columns : undefined,
    env,
    cwd: process.cwd(),
    self: [process.execPath, ...process.execArgv, process.argv[1] ?? ''],
    readInput: () => text(createReadStream('', { fd: 0, autoClose: false })),
    ask: answerFromTerminal,
    readSecret: secretFromTerminal,
    onInterrupt: (listener, options = {}) => {
      const signals: NodeJS.Signals[] = options.terminate === true ? ['SIGINT', 'SIGTERM'] : ['SIGINT']
      for (const signal of signals) process.on(signal, listener)
      return () => {
        for (const signal of signals) process.off(signal, listener)
      }
    },
    abandon: (code) => process.exit(code)
  }
}
