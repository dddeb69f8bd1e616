import { FINAL_STATUS, type RequestView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { EXIT, exitOfStatus } from '../../exit.ts'
import { renderRequest } from '../../render/index.ts'

/** The answer, and the exit code that goes with it. */
export function tell(
  context: Context,
  view: RequestView,
  options: { sql?: string; details?: boolean; gaveUp?: boolean } = {}
): number {
  const { sql, details = false, gaveUp = false } = options
  context.answer(view, () =>
    renderRequest(view, {
      style: context.style,
      ...context.width,
      details,
      ...(sql === undefined ? {} : { sql })
    })
  )
  if (gaveUp && !FINAL_STATUS.includes(view.status)) {
    context.say(`waited long enough; it goes on: dynamos request watch ${view.request}`)
    return EXIT.timedOut
  }
  return exitOfStatus(view.status)
}
