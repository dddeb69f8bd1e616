import type { Target } from '../target.ts'
import { documentTargets } from './documents.ts'

export const TARGETS: readonly Target[] = [...documentTargets]
