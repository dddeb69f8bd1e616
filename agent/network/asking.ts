import type { z } from 'zod'
import type { Caller, HandleLimits } from './serving.ts'

export interface AskOptions {
  signal?: AbortSignal
  /** @default 5 s */
  timeoutMs?: number
}

/** Questions to other agents, and answers to theirs. */
export interface Asking {
  /** Peers that said hello and are connected now. */
  readyPeers(): string[]
  /** @throws what the peer refused with, or that it was not reached, or was silent */
  ask<T>(
    peer: string,
    protocol: string,
    message: unknown,
    replySchema: z.ZodType<T>,
    options?: AskOptions
  ): Promise<T>
  /** Answers a protocol: one checked message in, one reply out. */
  handle<T>(
    protocol: string,
    requestSchema: z.ZodType<T>,
    handler: (message: T, caller: Caller) => Promise<unknown>,
    limits?: HandleLimits
  ): void
}
