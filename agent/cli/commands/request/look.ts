import { z } from 'zod'
import { requestSummary, requestView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { table } from '../../render/index.ts'
import { finish, folderFor, waitingOptions } from './finish.ts'
import { pathOf } from './follow.ts'
import { tell } from './tell.ts'

const oneId = z.tuple([z.string().min(1)])

export async function list(context: Context): Promise<undefined> {
  const client = await context.client()
  const requests = await client.get('/api/v1/requests', z.array(requestSummary))
  context.answer(requests, () =>
    requests.length === 0
      ? 'No requests yet.'
      : table(
          [
            { title: 'submitted' },
            { title: 'status' },
            { title: 'user' },
            { title: 'datasets' },
            { title: 'request' }
          ],
          requests.map(({ submitted, status: state, user, datasets, request }) => [
            submitted,
            state,
            user,
            datasets.join(', '),
            request
          ]),
          { style: context.style }
        )
  )
  return undefined
}

/** A request that was refused was still told well: looking at it is done, and exits as its submitter's command did. */
export async function status(context: Context, input: Input): Promise<number> {
  const [id] = parseOptions(input.args, oneId)
  const client = await context.client()
  return tell(context, await client.get(pathOf(id), requestView), { details: true })
}

export async function watch(context: Context, input: Input): Promise<number> {
  const [id] = parseOptions(input.args, oneId)
  const waiting = parseOptions(input.options, waitingOptions)
  const { cancel: cancels } = parseOptions(input.options, z.object({ cancel: z.boolean().default(false) }))
  const client = await context.client()
  return await finish(context, client, id, { waiting, to: await folderFor(context, waiting), cancels })
}

export async function cancel(context: Context, input: Input): Promise<undefined> {
  const [id] = parseOptions(input.args, oneId)
  const client = await context.client()
  const view = await client.remove(pathOf(id), requestView)
  tell(context, view)
  return undefined
}
