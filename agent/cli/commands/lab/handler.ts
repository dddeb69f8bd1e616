import { resolve } from 'node:path'
import { z } from 'zod'
import { labDown, labStatus, labUp } from '../../../lab/index.ts'
import type { Context } from '../../context.ts'
import { EXIT, UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { table } from '../../render/index.ts'

type Agents = Record<string, { peerId: string; api: string; token: string; pid: number }>

function agentTable(agents: Agents, context: Context, running?: readonly string[]): string {
  return table(
    [
      { title: 'agent' },
      { title: 'pid', align: 'right' },
      ...(running === undefined ? [] : [{ title: 'state' }]),
      { title: 'api' },
      { title: 'peer' }
    ],
    Object.entries(agents).map(([name, { pid, api, peerId }]) => [
      name,
      String(pid),
      ...(running === undefined ? [] : [running.includes(name) ? 'runs' : 'ended']),
      api,
      peerId
    ]),
    { style: context.style }
  )
}

export async function up(context: Context, input: Input): Promise<undefined> {
  const { terminal } = context
  const [topology] = parseOptions(input.args, z.tuple([z.string()]))
  const { dir, driver } = parseOptions(input.options, z.object({ dir: z.string(), driver: z.string() }))
  const stop = new AbortController()
  let interrupts = 0
  const forget = terminal.onInterrupt(
    () => {
      interrupts += 1
      if (interrupts > 1) terminal.abandon(EXIT.failed)
      stop.abort(new UsageError('interrupted; the agents that had started were stopped'))
    },
    { terminate: true }
  )
  try {
    const lab = await labUp({
      topology: resolve(terminal.cwd, topology),
      dir: resolve(terminal.cwd, dir),
      driver,
      command: terminal.self,
      say: context.say,
      now: Date.now(),
      signal: stop.signal
    })
    const [first] = Object.values(lab.agents)
    context.answer(lab, () =>
      [
        agentTable(lab.agents, context),
        '',
        `Ask one of them: dynamos peers --agent ${first?.api} --token ${first?.token}`,
        `End it: dynamos lab down --dir ${lab.dir}`
      ].join('\n')
    )
    return undefined
  } finally {
    forget()
  }
}

const inFolder = z.object({ dir: z.string(), purge: z.boolean().default(false) })

export async function status(context: Context, input: Input): Promise<undefined> {
  const { dir } = parseOptions(input.options, inFolder)
  const lab = await labStatus(resolve(context.terminal.cwd, dir))
  context.answer(lab, () =>
    Object.keys(lab.agents).length === 0
      ? `No lab runs in ${lab.dir}.`
      : agentTable(lab.agents, context, lab.running)
  )
  return undefined
}

export async function down(context: Context, input: Input): Promise<undefined> {
  const { dir, purge } = parseOptions(input.options, inFolder)
  const ended = await labDown(resolve(context.terminal.cwd, dir), { purge })
  for (const name of ended.killed) context.say(`warning: ${name} did not end by itself and was killed`)
  context.answer(ended, () =>
    ended.stopped.length === 0 ? `No lab ran in ${ended.dir}.` : `Stopped ${ended.stopped.join(', ')}.`
  )
  return undefined
}
