import { type RequestView, requestView } from '../../../api/index.ts'
import type { Client } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { EXIT } from '../../exit.ts'
import { createProgress } from '../../render/index.ts'

export const pathOf = (id: string) => `/api/v1/requests/${encodeURIComponent(id)}`

/**
 * Shows the progress of a request until its end.
 *
 * @param options.timeout milliseconds after which to wait no longer; the request goes on
 * @param options.cancels whether Ctrl-C cancels the request; a second one always leaves at once
 * @returns how it stands then, and whether the waiting ended before it did
 */
export async function follow(
  context: Context,
  client: Client,
  id: string,
  options: { timeout?: number; cancels: boolean }
): Promise<{ view: RequestView; gaveUp: boolean }> {
  const { terminal } = context
  const progress = createProgress((text) => terminal.err(text), {
    interactive: terminal.interactive,
    columns: terminal.columns ?? 80
  })
  const limit = options.timeout === undefined ? undefined : AbortSignal.timeout(options.timeout)
  const left = new AbortController()
  const signal = limit === undefined ? left.signal : AbortSignal.any([limit, left.signal])
  let interrupts = 0
  const interrupted = async () => {
    interrupts += 1
    if (interrupts > 1) return terminal.abandon(EXIT.failed)
    progress.end()
    if (!options.cancels) return left.abort()
    context.say('cancelling; Ctrl-C again leaves at once')
    await client.remove(pathOf(id), requestView)
  }
  const forget = terminal.onInterrupt(() => {
    interrupted().catch((error: unknown) => left.abort(error))
  })
  let gaveUp = false
  try {
    for await (const event of client.events(id, { signal })) progress.show(event)
  } catch (error) {
    if (limit?.aborted !== true && !left.signal.aborted) throw error
    gaveUp = true
  } finally {
    progress.end()
    forget()
  }
  return { view: await client.get(pathOf(id), requestView), gaveUp }
}
