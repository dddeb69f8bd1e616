import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { requestView, submitted } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions, seconds } from '../../options.ts'
import { follow, pathOf } from './follow.ts'
import { readRequest } from './read-request.ts'
import { saveAnswer } from './save.ts'
import { tell } from './tell.ts'

export const waitingOptions = z.object({
  out: z.string().optional(),
  timeout: seconds.optional(),
  detach: z.boolean().default(false)
})

/** Submits a request and, unless told otherwise, waits for its end. */
export async function submitText(
  context: Context,
  request: { text: string; sql: string },
  waiting: z.infer<typeof waitingOptions>
): Promise<number> {
  const client = await context.client()
  const out = waiting.out === undefined ? undefined : resolve(context.terminal.cwd, waiting.out)
  if (out !== undefined) await mkdir(out, { recursive: true })
  const { request: id } = await client.post('/api/v1/requests', { yaml: request.text }, submitted)
  if (waiting.detach) {
    const view = await client.get(pathOf(id), requestView)
    context.answer(view, () => id)
    return 0
  }
  const { view, gaveUp } = await follow(context, client, id, {
    cancels: true,
    ...(waiting.timeout === undefined ? {} : { timeout: waiting.timeout * 1000 })
  })
  if (out !== undefined) await saveAnswer(context, client, view, out)
  return tell(context, view, { sql: request.sql, gaveUp })
}

export async function submit(context: Context, input: Input): Promise<number> {
  const [file] = parseOptions(input.args, z.tuple([z.string()]))
  const waiting = parseOptions(input.options, waitingOptions)
  const { text, submission } = await readRequest(context, file)
  return await submitText(context, { text, sql: submission.query }, waiting)
}
