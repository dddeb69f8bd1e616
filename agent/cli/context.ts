import type { Client } from '../client/index.ts'
import type { ConnectionOptions } from './connection.ts'
import type { Doors } from './doors.ts'
import { type Style, styleFor } from './render/index.ts'
import type { Terminal } from './terminal.ts'

/** What every command is given. */
export interface Context {
  terminal: Terminal
  doors: Doors
  json: boolean
  connection: ConnectionOptions
  style: Style
  /** For tables: nothing when nobody looks at a terminal. */
  width: { columns?: number }
  /** The running agent that this command talks to. */
  client(): Promise<Client>
  /** The answer: one JSON document, or what `human` draws of it. */
  answer(value: unknown, human: () => string): void
  /** To standard error, for people. */
  say(text: string): void
}

export function createContext(init: {
  terminal: Terminal
  doors: Doors
  json: boolean
  connection: ConnectionOptions
}): Context {
  const { terminal, json, connection } = init
  return {
    ...init,
    style: styleFor(terminal.colour),
    width: terminal.columns === undefined ? {} : { columns: terminal.columns },
    client: async () => {
      const { createClient } = await import('../client/index.ts')
      const { findConnection } = await import('./connection.ts')
      return createClient(await findConnection(connection, terminal))
    },
    answer: (value, human) => terminal.out(json ? `${JSON.stringify(value)}\n` : `${human()}\n`),
    say: (text) => terminal.err(`${text}\n`)
  }
}
