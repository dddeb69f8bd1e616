import { z } from 'zod'
import { approvalView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { renderApproval } from './render.ts'

export async function list(context: Context): Promise<undefined> {
  const client = await context.client()
  const waiting = await client.get('/api/v1/approvals', z.array(approvalView))
  context.answer(waiting, () =>
    waiting.length === 0
      ? 'Nothing waits for you.'
      : [
          ...waiting.map((one) => renderApproval(one, context.style)),
          'dynamos approvals approve ID, or dynamos approvals refuse ID --reason TEXT'
        ].join('\n\n')
  )
  return undefined
}
