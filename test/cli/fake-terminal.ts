import { type Doors, run, type Terminal } from '../../agent/cli/index.ts'

export interface Ran {
  code: number
  out: string
  err: string
}

export interface FakeTerminal extends Terminal {
  written: { out: string; err: string }
  interrupt(): void
  abandoned: number[]
}

export function fakeTerminal(changes: Partial<Terminal> = {}): FakeTerminal {
  const written = { out: '', err: '' }
  const listeners = new Set<() => void>()
  const abandoned: number[] = []
  return {
    written,
    abandoned,
    interrupt: () => {
      for (const listener of listeners) listener()
    },
    out: (text) => {
      written.out += text
    },
    outBytes: async (bytes) => {
      written.out += Buffer.from(bytes).toString('utf8')
    },
    err: (text) => {
      written.err += text
    },
    interactive: false,
    colour: false,
    columns: undefined,
    env: {},
    cwd: '/nowhere',
    self: [],
    readInput: () => Promise.reject(new Error('nothing was piped in')),
    ask: () => Promise.reject(new Error('nobody is there to ask')),
    readSecret: () => Promise.reject(new Error('nobody is there to ask')),
    onInterrupt: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    abandon: (code) => abandoned.push(code),
    ...changes
  }
}

const noDoors: Doors = {
  startAgent: () => Promise.reject(new Error('no daemon in this test')),
  profileDataset: () => Promise.reject(new Error('no daemon in this test'))
}

/** Runs a command line in this process. */
export async function runs(
  args: readonly string[],
  changes: Partial<Terminal> = {},
  doors: Partial<Doors> = {}
): Promise<Ran> {
  const terminal = fakeTerminal(changes)
  const code = await run(args, terminal, { ...noDoors, ...doors })
  return { code, ...terminal.written }
}
