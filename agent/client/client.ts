import { setTimeout as delay } from 'node:timers/promises'
import type { z } from 'zod'
import { toError } from '../../protocol/errors/index.ts'
import { FINAL_STATUS, type ProgressEvent, problem, progressEvent } from '../api/index.ts'
import { AgentSaysNo, AgentUnreachable, NotAnAgent } from './errors.ts'
import { readServerEvents } from './sse.ts'

/** An answer that takes longer is no answer: the agent bounds its own work below this. */
const ANSWER_TIMEOUT_MS = 180_000
const MAX_RECONNECTS = 5
const RECONNECT_MS = 500

interface CallOptions {
  signal?: AbortSignal
}
type Body = { json: unknown } | { yaml: string }

export interface Connection {
  /** Such as `http://127.0.0.1:7700`. */
  url: string
  /** Absent: only what needs none (health) can be asked. */
  token?: string
}

/** An agent's API, over HTTP. Every answer is parsed before it is believed. */
export interface Client {
  readonly url: string
  get<T>(path: string, schema: z.ZodType<T>, options?: CallOptions): Promise<T>
  post<T>(path: string, body: Body, schema: z.ZodType<T>, options?: CallOptions): Promise<T>
  remove<T>(path: string, schema: z.ZodType<T>, options?: CallOptions): Promise<T>
  /** The body of an answer as it comes, for files. */
  download(path: string, accept: string, options?: CallOptions): Promise<AsyncIterable<Uint8Array>>
  /** Events of a request until its last one; goes on where it was when the connection breaks. */
  events(request: string, options?: CallOptions): AsyncIterable<ProgressEvent>
}

export function createClient(connection: Connection, fetcher: typeof fetch = fetch): Client {
  const { url, token } = connection

  async function call(path: string, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    const headers = new Headers(init.headers)
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
    let response: Response
    try {
      response = await fetcher(`${url}${path}`, {
        ...init,
        headers,
        ...(signal === undefined ? {} : { signal })
      })
    } catch (cause) {
      if (signal?.aborted === true) throw toError(signal.reason)
      throw new AgentUnreachable(url, { cause })
    }
    if (response.ok) return response
    const parsed = problem.safeParse(await response.json().catch(() => undefined))
    if (parsed.success) throw new AgentSaysNo(parsed.data)
    throw new NotAnAgent(url, `HTTP ${response.status}`)
  }

  async function ask<T>(
    path: string,
    init: RequestInit,
    schema: z.ZodType<T>,
    options: CallOptions = {}
  ): Promise<T> {
    const limit = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
    const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal])
    const response = await call(path, init, signal)
    const value: unknown = await response.json().catch(() => undefined)
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    const place = parsed.error.issues[0]?.path.join('.') ?? ''
    throw new NotAnAgent(url, `another answer${place === '' ? '' : ` at ${place}`}`, { cause: parsed.error })
  }

  async function* eventsIn(body: AsyncIterable<Uint8Array>): AsyncGenerator<ProgressEvent> {
    for await (const { data } of readServerEvents(body)) {
      const parsed = progressEvent.safeParse(JSON.parse(data))
      if (!parsed.success) throw new NotAnAgent(url, 'another kind of event', { cause: parsed.error })
      yield parsed.data
    }
  }

  return {
    url,
    get: (path, schema, options) => ask(path, {}, schema, options),
    post: (path, body, schema, options) =>
      ask(
        path,
        {
          method: 'POST',
          headers: { 'content-type': 'yaml' in body ? 'application/yaml' : 'application/json' },
          body: 'yaml' in body ? body.yaml : JSON.stringify(body.json)
        },
        schema,
        options
      ),
    remove: (path, schema, options) => ask(path, { method: 'DELETE' }, schema, options),
    download: async (path, accept, options = {}) => {
      const { body } = await call(path, { headers: { accept } }, options.signal)
      if (body === null) throw new NotAnAgent(url, 'an answer without a body')
      return body
    },
    events: async function* (request, options = {}) {
      const { signal } = options
      const path = `/api/v1/requests/${encodeURIComponent(request)}/events`
      let last = -1
      let broken: unknown
      for (let failures = 0; failures <= MAX_RECONNECTS; failures += 1) {
        if (failures > 0) await delay(RECONNECT_MS, undefined, signal === undefined ? {} : { signal })
        try {
          const headers: Record<string, string> = { accept: 'text/event-stream' }
          if (last >= 0) headers['last-event-id'] = String(last)
          const { body, status } = await call(path, { headers }, signal)
          if (status === 204 || body === null) return
          for await (const event of eventsIn(body)) {
            failures = 0
            last = event.sequence
            yield event
            if (FINAL_STATUS.includes(event.status)) return
          }
        } catch (error) {
          if (signal?.aborted === true || error instanceof AgentSaysNo || error instanceof NotAnAgent)
            throw error
          broken = error
        }
      }
      throw broken instanceof AgentUnreachable ? broken : new AgentUnreachable(url, { cause: broken })
    }
  }
}
