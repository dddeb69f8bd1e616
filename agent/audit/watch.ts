import { z } from 'zod'
import {
  decodeSigned,
  encodeSigned,
  fields,
  type LogPosition,
  type Signed
} from '../../protocol/documents/index.ts'
import { codeOf, DynamosError, toError } from '../../protocol/errors/index.ts'
import type { Store } from '../store/index.ts'
import type { Apart } from './apart/index.ts'
import type { BrokenChain, ChainVerdict } from './chain.ts'
import { givingWay } from './giving-way.ts'
import { append, logPosition, verifyLog } from './log.ts'

/** Something was changed in this agent's log: nothing new begins until somebody has decided what to make of it. */
export class LogBroken extends DynamosError {
  static override readonly name = 'LogBroken'
  constructor(message: string) {
    super('log-broken', message)
  }
}

export interface LogWatchComponents {
  store: Store
  /** This agent's peer id, under whose signature checkpoints stand. */
  self: string
  sign(body: { log: LogPosition; export: string | null }): Promise<Signed<'checkpoint'>>
  clock: { now(): number }
  /** Waited for between stretches of the check in the background. @default {@link givingWay} */
  breathe?: () => Promise<void>
  /** Where a long log is checked. @default in this process, which gives way to others */
  apart?: Apart
  log: {
    info(fields: object, message: string): void
    error(fields: object, message: string): void
    warn(fields: object, message: string): void
  }
}

/** Entries between two checkpoints that an agent signs for itself. */
export const CHECKPOINT_EVERY = 10_000
/** Entries from which on a process of its own is worth its start: about a third of a second's work. */
const APART_FROM = 10_000
/** The setting with the place up to which a break was accepted. */
const ACCEPTED = 'log-break-accepted'

/**
 * Whether this agent's log is what it wrote: checked in the background after each start, from the last signed checkpoint on
 * first, then from its beginning. Once it is found broken, new exchanges are refused until somebody accepts that.
 */
export class LogWatch {
  readonly #components: LogWatchComponents
  readonly #stop = new AbortController()
  readonly #breathe: () => Promise<void>
  #broken: BrokenChain | null = null
  #checking: Promise<void> = Promise.resolve()

  constructor(components: LogWatchComponents) {
    this.#components = components
    this.#breathe = components.breathe ?? givingWay()
  }

  /** What is wrong, of a log that is known to be. */
  get broken(): BrokenChain | null {
    return this.#broken
  }

  /** @throws {LogBroken} */
  assertIntact(): void {
    if (this.#broken !== null)
      throw new LogBroken(
        'the log of this agent is not as it was written, so it begins nothing new until its operator has decided (dynamos audit verify)'
      )
  }

  /** Begins the check, and waits for nothing. */
  start(): void {
    const { log } = this.#components
    this.#checking = this.#check().catch((error: unknown) => {
      if (!this.#stop.signal.aborted)
        log.warn({ code: codeOf(error), err: toError(error) }, 'the log could not be checked')
    })
  }

  /** Resolves when the check in the background is done. */
  async idle(): Promise<void> {
    await this.#checking
  }

  /** Signs where the log stands, if it has grown by enough since the last time. */
  async checkpoint(atLeast = CHECKPOINT_EVERY): Promise<void> {
    if (this.#broken !== null) return
    const { store, sign } = this.#components
    const position = await logPosition(store)
    const last = await this.#lastCheckpoint()
    if (position.sequence - (last?.sequence ?? 0) < atLeast) return
    await store.checkpoints.put(position.sequence, encodeSigned(await sign({ log: position, export: null })))
  }

  /** The whole log, from its beginning. What was accepted as broken is told like anything else. */
  async verify(signal?: AbortSignal): Promise<ChainVerdict> {
    const expected = await this.#lastCheckpoint()
    const verdict = await verifyLog(this.#components.store, {
      ...(expected === undefined ? {} : { expected }),
      ...(signal === undefined ? {} : { signal })
    })
    if (!verdict.intact && verdict.sequence > ((await this.#accepted())?.sequence ?? 0)) this.#found(verdict)
    return verdict
  }

  /** The log goes on as it stands now, which is an entry of its own; what came before counts as broken for good. */
  async accept(reason: string): Promise<LogPosition> {
    const { store, clock } = this.#components
    const broken = this.#broken
    if (broken === null)
      throw new DynamosError('not-found', 'the log of this agent is not known to be broken')
    const position = await store.transaction(async (tx) => {
      const placed = await append(tx, {
        time: clock.now(),
        kind: 'config',
        fields: {
          about: 'log',
          state: 'break-accepted',
          broken: broken.sequence,
          reason: reason.slice(0, 512)
        }
      })
      await tx.settings.set(ACCEPTED, JSON.stringify(placed))
      return placed
    })
    this.#broken = null
    await this.checkpoint(1)
    return position
  }

  /** Ends the check; of a log that is intact as far as it is known, where it stands is signed. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#checking
    await this.checkpoint(1).catch((error: unknown) =>
      this.#components.log.warn({ code: codeOf(error), err: toError(error) }, 'no checkpoint was signed')
    )
  }

  async #check(): Promise<void> {
    const { store, log, clock } = this.#components
    const began = clock.now()
    const accepted = await this.#accepted()
    const signed = await this.#lastCheckpoint()
    const after = latest(accepted, signed)
    if (after !== undefined) {
      const found = await store.log.at(after.sequence)
      if (found?.head !== after.head) {
        const reason =
          found === undefined ? 'it is missing, and its head was signed' : 'another head was signed for it'
        this.#found({ intact: false, sequence: after.sequence, reason })
        return
      }
      if (!(await this.#part(after))) return
    }
    // What was accepted is not looked at again.
    if (!(await this.#part(accepted, signed))) return
    const { sequence } = await logPosition(store)
    log.info({ entries: sequence, milliseconds: clock.now() - began }, 'the log is as it was written')
  }

  async #part(after: LogPosition | undefined, expected?: LogPosition): Promise<boolean> {
    const verdict = await this.#verified({
      signal: this.#stop.signal,
      ...(after === undefined ? {} : { after }),
      ...(expected === undefined || expected.sequence <= (after?.sequence ?? 0) ? {} : { expected })
    })
    if (!verdict.intact) this.#found(verdict)
    return verdict.intact
  }

  async #verified(options: Parameters<Apart>[0]): Promise<ChainVerdict> {
    const { store, log, apart } = this.#components
    const { sequence } = await logPosition(store)
    if (apart !== undefined && sequence - (options.after?.sequence ?? 0) >= APART_FROM)
      try {
        return await apart(options)
      } catch (error) {
        options.signal?.throwIfAborted()
        log.warn(
          { code: codeOf(error), err: toError(error) },
          'the log is checked beside all other work: it could not be in a process of its own'
        )
      }
    return await verifyLog(store, { ...options, breathe: this.#breathe })
  }

  #found(broken: BrokenChain): void {
    if (this.#broken === null)
      this.#components.log.error(
        { code: 'log-broken', sequence: broken.sequence, reason: broken.reason },
        'the log is not as it was written; nothing new begins'
      )
    this.#broken = broken
  }

  async #lastCheckpoint(): Promise<LogPosition | undefined> {
    const bytes = await this.#components.store.checkpoints.last()
    if (bytes === undefined) return undefined
    try {
      const { payload, signers } = await decodeSigned('checkpoint', bytes)
      return signers.includes(this.#components.self) ? payload.log : undefined
    } catch {
      // One that was tampered with says nothing: then the whole log is looked at.
      return undefined
    }
  }

  async #accepted(): Promise<LogPosition | undefined> {
    const text = await this.#components.store.settings.get(ACCEPTED)
    if (text === undefined) return undefined
    const parsed = z
      .string()
      .transform((json): unknown => JSON.parse(json))
      .pipe(fields.logPosition)
      .safeParse(text)
    return parsed.success ? parsed.data : undefined
  }
}

function latest(one: LogPosition | undefined, other: LogPosition | undefined): LogPosition | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one.sequence > other.sequence ? one : other
}
