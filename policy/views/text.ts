import { describeAgreement } from '../agreement/index.ts'
import type { Viewed } from './viewed.ts'

/** In plain language: a sentence for each clause, made from the same terms that are decided by. */
export function textView(agreed: Viewed): string {
  return `${describeAgreement(agreed).join('\n')}\n`
}
