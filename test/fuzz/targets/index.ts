import type { Target } from '../target.ts'
import { documentTargets } from './documents.ts'
import { exportTargets } from './exports.ts'
import { fileTargets } from './files.ts'
import { httpTargets } from './http.ts'
import { messageTargets } from './messages.ts'
import { streamTargets } from './streams.ts'
import { textTargets } from './texts.ts'

/** Every reader of bytes from outside. A new one joins its list. */
export const TARGETS: readonly Target[] = [
  ...documentTargets,
  ...messageTargets,
  ...streamTargets,
  ...textTargets,
  ...fileTargets,
  ...httpTargets,
  ...exportTargets
]
