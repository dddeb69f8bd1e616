import { failureCode, refusalCode } from '../../protocol/documents/index.ts'
import { codeOf, isStorageFull, toError } from '../../protocol/errors/index.ts'
import type { EndCode } from '../../protocol/negotiation/index.ts'
import { JobFailed } from '../jobs/index.ts'
import { ShareFailed } from '../negotiation/index.ts'

function endCodeOf(code: string): EndCode {
  if (code === 'job-cancelled') return 'cancelled'
  const failure = failureCode.safeParse(code)
  if (failure.success) return failure.data
  const refusal = refusalCode.safeParse(code)
  return refusal.success ? refusal.data : 'job-failed'
}

/** A failure as other parties may hear of it: code, step, and the place in the asker's own text; the cause stays here. */
export function shareFailed(error: unknown, hop: string, step: string | null): ShareFailed {
  if (error instanceof ShareFailed) return error
  const position = error instanceof JobFailed ? (error.position ?? null) : null
  const message = error instanceof JobFailed ? error.localMessage : toError(error).message
  const code = isStorageFull(error) ? 'storage-full' : endCodeOf(codeOf(error))
  return new ShareFailed({ hop, code, step, position }, message, { cause: error })
}
