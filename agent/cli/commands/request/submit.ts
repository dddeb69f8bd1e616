import { z } from 'zod'
import { requestView, submitted } from '../../../api/index.ts'
import type { Client } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { readRequest } from '../../read-request.ts'
import { finish, folderFor, type Waiting, waitingOptions } from './finish.ts'
import { pathOf, watchInterrupts } from './follow.ts'

/** Makes a request and, unless told otherwise, waits for its end. */
async function makeRequest(
  context: Context,
  make: (client: Client) => Promise<string>,
  waiting: Waiting,
  sql?: string
): Promise<number> {
  const client = await context.client()
  const to = await folderFor(context, waiting)
  const interrupts = watchInterrupts(context.terminal)
  try {
    const id = await make(client)
    if (waiting.detach) {
      const view = await client.get(pathOf(id), requestView)
      context.answer(view, () => id)
      return 0
    }
    const text = sql === undefined ? {} : { sql }
    return await finish(context, client, id, { waiting, to, cancels: true, interrupts, ...text })
  } finally {
    interrupts.forget()
  }
}

export async function submitText(
  context: Context,
  request: { text: string; sql: string },
  waiting: Waiting
): Promise<number> {
  const make = async (client: Client) =>
    (await client.post('/api/v1/requests', { yaml: request.text }, submitted)).request
  return await makeRequest(context, make, waiting, request.sql)
}

export async function submit(context: Context, input: Input): Promise<number> {
  const [file] = parseOptions(input.args, z.tuple([z.string()]))
  const waiting = parseOptions(input.options, waitingOptions)
  const { text, submission } = await readRequest(context, file)
  return await submitText(context, { text, sql: submission.query }, waiting)
}

/** The same submission once more, as a new request. */
export async function rerun(context: Context, input: Input): Promise<number> {
  const [id] = parseOptions(input.args, z.tuple([z.string().min(1)]))
  const waiting = parseOptions(input.options, waitingOptions)
  const make = async (client: Client) =>
    (await client.post(`${pathOf(id)}/rerun`, { json: {} }, submitted)).request
  return await makeRequest(context, make, waiting)
}
