import { type RequestView, requestView } from '../../../api/index.ts'
import type { Client } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { EXIT } from '../../exit.ts'
import { createProgress } from '../../render/index.ts'
import type { Terminal } from '../../terminal.ts'

export const pathOf = (id: string) => `/api/v1/requests/${encodeURIComponent(id)}`

/** Ctrl-C at a command that works on a request: also the one that came before there was a request to cancel. */
export interface Interrupts {
  /** Calls at the first one, at once when that has come. */
  onFirst(act: () => void): void
  forget(): void
}

/** A second Ctrl-C always leaves at once. */
export function watchInterrupts(terminal: Pick<Terminal, 'onInterrupt' | 'abandon'>): Interrupts {
  let count = 0
  let act: (() => void) | undefined
  const forget = terminal.onInterrupt(() => {
    count += 1
    if (count > 1) terminal.abandon(EXIT.failed)
    else act?.()
  })
  return {
    forget,
    onFirst: (callback) => {
      act = callback
      if (count > 0) callback()
    }
  }
}

/**
 * Shows the progress of a request until its end.
 *
 * @param options.timeout milliseconds after which to wait no longer; the request goes on
 * @param options.cancels whether Ctrl-C cancels the request
 * @returns how it stands then, and whether the waiting ended before it did
 */
export async function follow(
  context: Context,
  client: Client,
  id: string,
  options: { timeout?: number; cancels: boolean; interrupts?: Interrupts }
): Promise<{ view: RequestView; gaveUp: boolean }> {
  const { terminal } = context
  const progress = createProgress((text) => terminal.err(text), {
    interactive: terminal.interactive,
    columns: terminal.columns ?? 80
  })
  const limit = options.timeout === undefined ? undefined : AbortSignal.timeout(options.timeout)
  const left = new AbortController()
  const signal = limit === undefined ? left.signal : AbortSignal.any([limit, left.signal])
  let refused: unknown
  const interrupted = async () => {
    progress.end()
    if (!options.cancels) return left.abort()
    context.say('cancelling; Ctrl-C again leaves at once')
    await client.remove(pathOf(id), requestView)
  }
  const interrupts = options.interrupts ?? watchInterrupts(terminal)
  interrupts.onFirst(() => {
    interrupted().catch((error: unknown) => {
      refused = error
      left.abort()
    })
  })
  let gaveUp = false
  try {
    for await (const event of client.events(id, { signal })) progress.show(event)
  } catch (error) {
    if (limit?.aborted !== true && !left.signal.aborted) throw error
    gaveUp = true
  } finally {
    progress.end()
    interrupts.forget()
  }
  if (refused !== undefined) throw refused
  return { view: await client.get(pathOf(id), requestView), gaveUp }
}
