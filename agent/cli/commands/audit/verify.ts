import { z } from 'zod'
import { auditAcceptedView, auditVerifiedView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { EXIT } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { plain } from '../../render/index.ts'

export async function verify(context: Context): Promise<number> {
  const client = await context.client()
  const found = await client.post('/api/v1/audit/verify', { json: {} }, auditVerifiedView)
  const { style } = context
  context.answer(found, () =>
    found.broken === null
      ? `${found.entries} entries, as they were written; head ${found.head}`
      : [
          style.bad(`entry ${found.broken.sequence} is not as it was written: ${plain(found.broken.reason)}`),
          'Nothing new begins until you have decided: restore the state from a backup, or find out what happened and run',
          'dynamos audit accept-break --reason TEXT'
        ].join('\n')
  )
  return found.broken === null ? EXIT.done : EXIT.failed
}

const accepting = z.object({ reason: z.string().min(1).max(512) })

export async function acceptBreak(context: Context, input: Input): Promise<undefined> {
  const { reason } = parseOptions(input.options, accepting)
  const client = await context.client()
  const at = await client.post('/api/v1/audit/accept-break', { json: { reason } }, auditAcceptedView)
  context.answer(at, () => `the log goes on from entry ${at.sequence}`)
  return undefined
}
