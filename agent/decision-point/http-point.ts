import type { Evaluation } from '../../policy/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import { answer, MAX_ANSWER_BYTES, MAX_QUESTION_BYTES, type PointAnswer, questionBody } from './wire.ts'

/** There is no answer, whatever the reason: that is a no. The message is for the local log. */
export class DecisionPointFailed extends DynamosError {
  static override readonly name = 'DecisionPointFailed'
  constructor(message: string, options?: ErrorOptions) {
    super('decision-point-unavailable', message, options)
  }
}

export interface HttpPointInit {
  url: string
  /** Milliseconds for the whole of an answer. */
  timeout: number
  /** Sent as a bearer token. */
  token?: string
}

/** Questions that are on their way at once; one more is not asked, which is a no. */
const MAX_OPEN = 64

/** Asks one URL, by POST. It follows no redirect: the answer has to come from where the configuration says. */
export class HttpPoint {
  readonly #init: HttpPointInit
  readonly #fetch: typeof fetch
  #open = 0

  constructor(init: HttpPointInit, fetcher: typeof fetch = fetch) {
    this.#init = init
    this.#fetch = fetcher
  }

  /** @throws {DecisionPointFailed} unless the answer is one of the two that there are */
  async ask(evaluation: Evaluation): Promise<PointAnswer> {
    const body = questionBody(evaluation)
    if (Buffer.byteLength(body) > MAX_QUESTION_BYTES)
      throw new DecisionPointFailed(`expected a question of at most ${MAX_QUESTION_BYTES} bytes`)
    if (this.#open >= MAX_OPEN) throw new DecisionPointFailed(`${MAX_OPEN} questions are open already`)
    this.#open += 1
    try {
      return await this.#send(body)
    } catch (error) {
      if (error instanceof DecisionPointFailed) throw error
      const timedOut = error instanceof Error && error.name === 'TimeoutError'
      throw new DecisionPointFailed(
        timedOut
          ? `it did not answer within ${this.#init.timeout} ms`
          : `it cannot be reached: ${causeOf(error)}`,
        { cause: error }
      )
    } finally {
      this.#open -= 1
    }
  }

  async #send(body: string): Promise<PointAnswer> {
    const { url, timeout, token } = this.#init
    const response = await this.#fetch(url, {
      method: 'POST',
      redirect: 'error',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
      },
      body,
      signal: AbortSignal.timeout(timeout)
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new DecisionPointFailed(`expected status 200, found ${response.status}`)
    }
    return parsed(await read(response))
  }
}

/** What a fetch hides in its cause, such as ECONNREFUSED. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}

async function read(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    // Leaving the loop ends the connection.
    if (size > MAX_ANSWER_BYTES)
      throw new DecisionPointFailed(`expected an answer of at most ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
}

function parsed(text: string): PointAnswer {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new DecisionPointFailed('expected JSON', { cause })
  }
  const found = answer.safeParse(value)
  if (found.success) return found.data
  const [issue] = found.error.issues
  throw new DecisionPointFailed(
    `expected {"version":1,"verdict":"permit" or "forbid"}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`
  )
}
