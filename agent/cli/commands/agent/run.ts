import { resolve } from 'node:path'
import { loadAgentConfig } from '../../../config/index.ts'
import type { Context } from '../../context.ts'
import { EXIT } from '../../exit.ts'

/** What runs may finish in this time; then it is handed back. */
const STOP_DEADLINE_MS = 10_000

/** Resolves at the first SIGINT or SIGTERM; from the second on the process is abandoned. */
function firstSignal(context: Context): Promise<void> {
  return new Promise((resolved) => {
    let signals = 0
    context.terminal.onInterrupt(
      () => {
        signals += 1
        if (signals > 1) context.terminal.abandon(EXIT.failed)
        resolved()
      },
      { terminate: true }
    )
  })
}

export async function runAgent(context: Context): Promise<number> {
  const { terminal } = context
  const stopAsked = firstSignal(context)
  const config = await loadAgentConfig(resolve(terminal.cwd, context.connection.config ?? 'agent.yaml'))
  const agent = await context.doors.startAgent(config)
  context.answer(
    { event: 'ready', peerId: agent.peerId, api: agent.api },
    () => `ready ${agent.peerId} ${agent.api}`
  )
  await stopAsked
  if (terminal.interactive) context.say('stopping; Ctrl-C again ends it at once')
  await agent.stop(STOP_DEADLINE_MS)
  return EXIT.done
}
