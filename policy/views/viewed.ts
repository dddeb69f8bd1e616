import type { Agreed } from '../agreement/index.ts'

/** What is shown: an agreement, or a draft of one. */
export interface Viewed extends Agreed {
  /** Its id, when it has one: a draft has none. */
  id?: string
  /** All parties have signed it. */
  signed?: boolean
}
