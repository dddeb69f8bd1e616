import { z } from 'zod'
import { type ApprovalView, approvalView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { plain } from '../../render/index.ts'

const oneId = z.tuple([z.string().min(1)])

const pathOf = (id: string, decision: 'approve' | 'refuse') =>
  `/api/v1/approvals/${encodeURIComponent(id)}/${decision}`

function tell(context: Context, view: ApprovalView): void {
  const under =
    (view.also ?? []).length === 0
      ? ''
      : `\n  under ${[view.agreement, ...(view.also ?? [])].map(plain).join(', ')}`
  context.answer(
    view,
    () =>
      `${view.state}: the request of ${plain(view.user)} of ${plain(view.organisation)}  ${plain(view.request)}${under}`
  )
}

export async function approve(context: Context, input: Input): Promise<undefined> {
  const [id] = parseOptions(input.args, oneId)
  const client = await context.client()
  tell(context, await client.post(pathOf(id, 'approve'), { json: {} }, approvalView))
  return undefined
}

export async function refuse(context: Context, input: Input): Promise<undefined> {
  const [id] = parseOptions(input.args, oneId)
  const { reason } = parseOptions(input.options, z.object({ reason: z.string() }))
  const client = await context.client()
  tell(context, await client.post(pathOf(id, 'refuse'), { json: { reason } }, approvalView))
  return undefined
}
