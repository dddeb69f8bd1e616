import { resolve } from 'node:path'
import { z } from 'zod'
import { readUserFile } from '../../../config/index.ts'
import { parseStatusFile } from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { handOver } from './hand-over.ts'

/** Gives the newest status list to a running agent; what it is worth the agent decides, by the charter it has. */
export async function publish(context: Context, input: Input): Promise<undefined> {
  const [file] = parseOptions(input.args, z.tuple([z.string()]))
  const { text } = await readUserFile(resolve(context.terminal.cwd, file))
  const status = await parseStatusFile(text)
  const taken = await handOver(context, { status })
  const number = taken.status?.number ?? status.payload.number
  const isTaken = taken.status?.taken ?? false
  context.answer({ published: status.payload.number, inForce: number, taken: isTaken }, () =>
    isTaken
      ? `Status list ${number} is in force at this agent, which tells the others.`
      : `This agent knows status list ${number} already.`
  )
  return undefined
}
