/** What this program uses of two packages that bring no types. */
declare module 'pg' {
  import type { EventEmitter } from 'node:events'
  export interface ClientConfig {
    host: string
    port: number
    database: string
    user: string
    password?: string | undefined
    ssl: false | { ca?: string | undefined; servername?: string | undefined; rejectUnauthorized: true }
    connectionTimeoutMillis: number
    application_name: string
  }
  export class Client extends EventEmitter {
    constructor(config: ClientConfig)
    connect(): Promise<void>
    query(text: string, values?: readonly unknown[]): Promise<{ rows: Record<string, unknown>[] }>
    query<T>(submittable: T & { submit: unknown }): T
    end(): Promise<void>
  }
}

declare module 'pg-copy-streams' {
  import type { Readable } from 'node:stream'
  export function to(text: string): Readable & { submit: unknown }
}
