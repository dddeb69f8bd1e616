import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Stream } from '@libp2p/interface'
import type { Flow } from '../../protocol/documents/index.ts'
import { codeOf, toError } from '../../protocol/errors/index.ts'
import {
  type Admission,
  FLOW_PROTOCOL,
  FlowFailed,
  FlowRefused,
  MAX_PARTS,
  type PartInfo,
  type PartSink,
  type PartSource,
  receiveParts,
  sendParts
} from '../../protocol/transfer/index.ts'
import { filePartSink, filePartSource } from '../flows/index.ts'
import type { Clock, Dossier, Logger } from '../negotiation/index.ts'
import { ShareFailed } from '../negotiation/index.ts'
import { shareFailed } from './blame.ts'
import type { HeldPart } from './held-part.ts'
import { noteFlow } from './noting.ts'
import type { FlowDecisions, FlowProgress, Flows } from './ports.ts'

export interface FlowStreamsComponents {
  self: string
  clock: Clock
  log: Logger
  decisions: FlowDecisions
  /** Where parts arrive: a folder for each contract and flow. */
  inbox: string
  /** bytes that a flow may bring */
  maxBytes: number
  openStream(peer: string, protocol: string, options: { signal: AbortSignal }): Promise<Stream>
  /** The request's documents, when this agent accepted the contract. */
  dossierOf(contract: string): Dossier | undefined
  /** Tells a party again that the contract has started: the start proves itself, whoever brings it. */
  deliverStart(dossier: Dossier, contract: string, to: string): Promise<void>
  progress(request: string, progress: FlowProgress): void
  /** What was noted in a dossier is on disk when it resolves. */
  logged(dossier: Dossier): Promise<void>
  /** A peer opened a flow that is not taken; told to the peer, and noted here. */
  refused?: ((peer: string, code: string) => void) | undefined
  /** Awaited before each part that is sent; a test holds a flow there. */
  beforePart?: BeforePart | undefined
}

export type BeforePart = (part: { contract: string; flow: number; index: number }) => Promise<void>

/** How long an opening waits here for this agent's own start. */
const START_WITHIN_MS = 3000
const RETRY_AFTER_MS = [100, 500, 2000, 5000]
/** What sending again cannot mend. */
const FINAL = new Set([
  'flow-altered',
  'flow-short',
  'output-too-large',
  'storage-full',
  'cancelled',
  'flow-not-in-contract'
])

/** That the other end was stopped is no verdict on it: why it was, its agent says itself, signed. */
function isFinal(error: unknown): boolean {
  const code = codeOf(error)
  return FINAL.has(code) && !(code === 'cancelled' && error instanceof FlowFailed && error.remote)
}

/** What the taking end lacks: it may be full, or take no more than a job may hold. */
const ROOM = new Set(['output-too-large', 'storage-full'])

interface Expected {
  flow: Flow
  dossier: Dossier
  arrived: PromiseWithResolvers<HeldPart[]>
  /** Of the share that takes it. */
  signal: AbortSignal
}

/** A flow of which every part was taken before: its sender may not have heard so. */
interface Taken {
  flow: Flow
  dossier: Dossier
  taken: readonly PartInfo[]
}

/** Flows between this agent and others, over streams of their own. */
export class FlowStreams implements Flows {
  readonly #components: FlowStreamsComponents
  readonly #expected = new Map<string, Expected>()
  readonly #awaiting = new Map<string, Set<() => void>>()
  /** By request, as long as anybody has its documents: a contract's files are forgotten before its sender may be answered. */
  readonly #taken = new WeakMap<Dossier, Map<string, readonly PartInfo[]>>()

  /** Likewise, those whose arrival is in the log. */
  readonly #logged = new WeakMap<Dossier, Set<string>>()

  constructor(components: FlowStreamsComponents) {
    this.#components = components
  }

  async send(
    dossier: Dossier,
    contract: string,
    flow: Flow,
    parts: readonly HeldPart[],
    signal: AbortSignal,
    mayContinue: () => Promise<void> = async () => undefined
  ): Promise<void> {
    const { epoch } = dossier.contract(contract).contract.payload
    const files = parts.map(({ bytes, digest, file }, index) => ({ index, bytes, digest, path: file }))
    let stopped: unknown
    const source = askedBefore(filePartSource(files), async (index) => {
      await this.#components.beforePart?.({ contract, flow: flow.flow, index })
      if (index === 0) return
      try {
        await mayContinue()
      } catch (error) {
        stopped = error
        throw error
      }
    })
    for (let attempt = 0; ; attempt++) {
      try {
        signal.throwIfAborted()
        const stream = await this.#components.openStream(flow.to, FLOW_PROTOCOL, { signal })
        await sendParts(stream, { contract, flow: flow.flow, epoch, attempt: 1 }, source, {
          signal,
          onProgress: (bytes, of) =>
            this.#tell(dossier, { contract, flow: flow.flow, peer: flow.to, direction: 'out', bytes, of })
        })
        noteFlow(dossier, 'flow-sent', contract, flow, flow.to, parts, this.#components.clock)
        return
      } catch (error) {
        if (stopped !== undefined) throw stopped
        const wait = RETRY_AFTER_MS[attempt]
        const refused = error instanceof FlowRefused && error.reason !== 'start-incomplete'
        if (signal.aborted || refused || isFinal(error) || wait === undefined) {
          throw signal.aborted
            ? shareFailed(signal.reason, this.#components.self, null)
            : blamed(error, flow.to)
        }
        this.#components.log.debug({ contract, flow: flow.flow, code: codeOf(error) }, 'a flow is sent again')
        if (error instanceof FlowRefused)
          await this.#components.deliverStart(dossier, contract, flow.to).catch(() => undefined)
        await this.#pause(wait, signal)
      }
    }
  }

  async receive(dossier: Dossier, contract: string, flow: Flow, signal: AbortSignal): Promise<HeldPart[]> {
    const key = keyOf(contract, flow.flow)
    const arrived = Promise.withResolvers<HeldPart[]>()
    this.#expected.set(key, { flow, dossier, arrived, signal })
    for (const wake of this.#awaiting.get(key) ?? []) wake()
    const onAbort = (): void => {
      const late = toError(signal.reason).name === 'TimeoutError'
      arrived.reject(
        late
          ? new ShareFailed(
              { hop: flow.from, code: 'timeout', step: null, position: null },
              'the flow did not arrive before the deadline'
            )
          : shareFailed(signal.reason, this.#components.self, null)
      )
    }
    signal.addEventListener('abort', onAbort, { once: true })
    // A signal that has fired does not fire again.
    if (signal.aborted) onAbort()
    try {
      return await arrived.promise
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#expected.delete(key)
    }
  }

  async clear(): Promise<void> {
    await rm(this.#components.inbox, { recursive: true, force: true })
  }

  async forget(contract: string): Promise<void> {
    await rm(join(this.#components.inbox, contract), { recursive: true, force: true })
  }

  /** A peer opens a flow. Decided by the contract, by where the exchange stands here, and by policy, in this order. */
  async serve(stream: Stream, from: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#components
    const paths: ((part: { index: number; bytes: number; digest: string }) => string)[] = []
    let opened: Expected | undefined
    const stop = new AbortController()
    const onStop = (): void => stop.abort(opened?.signal.reason)
    try {
      const { flow, parts } = await receiveParts(
        stream,
        async ({ flow: id }): Promise<Admission> => {
          const expected = await this.#awaitStart(id.contract, id.flow, from)
          if ('refuse' in expected) return expected
          const refusal = await this.#components.decisions.flow(
            'receive',
            expected.dossier,
            id.contract,
            expected.flow
          )
          if (refusal !== null) return { refuse: refusal.code }
          if ('taken' in expected)
            return { sink: sinkOf(expected.taken), maxParts: MAX_PARTS, maxBytes: this.#components.maxBytes }
          opened = expected
          expected.signal.addEventListener('abort', onStop, { once: true })
          const sink = await filePartSink(join(this.#components.inbox, id.contract, `${id.flow}`))
          paths.push(sink.pathOf)
          return { sink, maxParts: MAX_PARTS, maxBytes: this.#components.maxBytes }
        },
        {
          signal: AbortSignal.any([signal, stop.signal]),
          onVerified: async (id, parts) => {
            if (opened === undefined) return
            const { dossier, flow } = opened
            // Its sender tries again when it did not hear that all had arrived.
            const logged = this.#logged.get(dossier) ?? new Set()
            const key = keyOf(id.contract, id.flow)
            if (logged.has(key)) return
            this.#logged.set(dossier, logged.add(key))
            noteFlow(dossier, 'flow-received', id.contract, flow, from, parts, clock)
            await this.#components.logged(dossier)
          },
          onProgress: (bytes, of) => {
            if (opened === undefined) return
            const { flow: number } = opened.flow
            this.#tell(opened.dossier, { contract: '', flow: number, peer: from, direction: 'in', bytes, of })
          }
        }
      )
      const [pathOf] = paths
      const expected = this.#expected.get(keyOf(flow.contract, flow.flow))
      if (pathOf === undefined || expected === undefined) return
      const taken = this.#taken.get(expected.dossier) ?? new Map<string, readonly PartInfo[]>()
      this.#taken.set(expected.dossier, taken.set(keyOf(flow.contract, flow.flow), parts))
      expected.arrived.resolve(
        parts.map((part) => ({ file: pathOf(part), bytes: part.bytes, rows: 0, digest: part.digest }))
      )
    } catch (error) {
      this.#components.log.warn({ peer: from, code: codeOf(error) }, 'a flow was not taken')
      const refusal = refusalIn(error, opened !== undefined)
      if (refusal !== null && from !== this.#components.self) this.#components.refused?.(from, refusal)
      if (opened !== undefined && isFinal(error))
        opened.arrived.reject(blamed(error, ROOM.has(codeOf(error)) ? this.#components.self : from))
    } finally {
      opened?.signal.removeEventListener('abort', onStop)
    }
  }

  /** The share that takes the flow, waiting a little for the start that may be on its way here. */
  async #awaitStart(
    contract: string,
    number: number,
    from: string
  ): Promise<Expected | Taken | Extract<Admission, { refuse: unknown }>> {
    const dossier = this.#components.dossierOf(contract)
    const flow = dossier?.contracts.get(contract)?.contract.payload.flows.find((one) => one.flow === number)
    if (
      dossier === undefined ||
      flow === undefined ||
      flow.from !== from ||
      flow.to !== this.#components.self
    ) {
      return { refuse: 'flow-not-in-contract' }
    }
    const key = keyOf(contract, number)
    const taken = this.#taken.get(dossier)?.get(key)
    if (taken !== undefined) return { flow, dossier, taken }
    if (!this.#expected.has(key)) await this.#untilExpected(key)
    return this.#expected.get(key) ?? { refuse: 'start-incomplete' }
  }

  async #untilExpected(key: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiting = this.#awaiting.get(key) ?? new Set()
    waiting.add(resolve)
    this.#awaiting.set(key, waiting)
    const cancel = this.#components.clock.after(START_WITHIN_MS, resolve)
    await promise
    cancel()
    waiting.delete(resolve)
    if (waiting.size === 0) this.#awaiting.delete(key)
  }

  async #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#components.clock.after(milliseconds, resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
    await promise
    cancel()
  }

  #tell(dossier: Dossier, progress: FlowProgress): void {
    this.#components.progress(dossier.request.id, progress)
  }
}

/** Why a peer was not heard out; null when a flow that was taken did not go well, of which the exchange tells, or a line broke. */
function refusalIn(error: unknown, taken: boolean): string | null {
  if (error instanceof FlowRefused) return error.reason
  const garbage = error instanceof FlowFailed && error.code === 'flow-altered' && !error.remote
  return garbage && !taken ? error.code : null
}

function keyOf(contract: string, flow: number): string {
  return `${contract}/${flow}`
}

/** The same parts, each after a question that was not answered by throwing. */
function askedBefore(source: PartSource, ask: (index: number) => Promise<void>): PartSource {
  return {
    known: () => source.known(),
    async *parts() {
      for await (const part of source.parts()) {
        await ask(part.index)
        yield part
      }
    }
  }
}

/** Has what was taken and takes nothing else. */
function sinkOf(taken: readonly PartInfo[]): PartSink {
  return {
    has: async ({ index, bytes, digest }) =>
      taken.some((part) => part.index === index && part.bytes === bytes && part.digest === digest),
    create: async (index) => {
      throw new FlowFailed('flow-altered', `part ${index}: expected a part that had arrived before`)
    }
  }
}

/** The other end is blamed for what it refused, changed or never sent. */
function blamed(error: unknown, peer: string): ShareFailed {
  const failed = shareFailed(error, peer, null)
  const { code: found } = failed.failure
  // Between agents nothing but disk bounds a flow; how many rows a result may have is told by its terms.
  const code = found === 'internal' ? 'peer-unreachable' : found === 'output-too-large' ? 'disk-limit' : found
  return new ShareFailed({ ...failed.failure, hop: peer, code }, failed.message, { cause: error })
}
