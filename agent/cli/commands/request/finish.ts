import { resolve } from 'node:path'
import { z } from 'zod'
import type { Client } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { seconds } from '../../options.ts'
import { follow, type Interrupts } from './follow.ts'
import { assertFreeFolder, saveAnswer, submissionOf } from './save.ts'
import { tell } from './tell.ts'

export const waitingOptions = z.object({
  out: z.string().optional(),
  overwrite: z.boolean().default(false),
  timeout: seconds.optional(),
  detach: z.boolean().default(false)
})
export type Waiting = z.infer<typeof waitingOptions>

/** The folder that an answer shall go to, checked before there is one. @throws {UsageError} */
export async function folderFor(
  context: Context,
  { out, overwrite }: Waiting
): Promise<{ folder: string; overwrite: boolean } | undefined> {
  if (out === undefined) return undefined
  const folder = resolve(context.terminal.cwd, out)
  await assertFreeFolder(folder, overwrite)
  return { folder, overwrite }
}

/** Waits for the end of a request, saves and tells the answer: the same for whoever waits, from wherever. */
export async function finish(
  context: Context,
  client: Client,
  id: string,
  options: {
    waiting: Waiting
    to: { folder: string; overwrite: boolean } | undefined
    cancels: boolean
    /** The analyst's own text; asked for when it is not at hand. */
    sql?: string
    interrupts?: Interrupts
  }
): Promise<number> {
  const { waiting, to, cancels, interrupts } = options
  const { view, gaveUp } = await follow(context, client, id, {
    cancels,
    ...(waiting.timeout === undefined ? {} : { timeout: waiting.timeout * 1000 }),
    ...(interrupts === undefined ? {} : { interrupts })
  })
  if (to !== undefined && !gaveUp) {
    try {
      await saveAnswer(context, client, view, to)
    } catch (error) {
      context.say(`the agent keeps the answer: dynamos request result ${id} --out DIR`)
      throw error
    }
  }
  const sql = options.sql ?? (await sqlOf(client, id))
  return tell(context, view, { ...(sql === undefined ? {} : { sql }), gaveUp })
}

async function sqlOf(client: Client, id: string): Promise<string | undefined> {
  const query = (await submissionOf(client, id))?.query
  return typeof query === 'string' ? query : undefined
}
