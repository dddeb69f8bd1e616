import type { Part } from '../../services/index.ts'

/** A part on this agent's disk. */
export interface HeldPart extends Omit<Part, 'path'> {
  /** Absolute. */
  file: string
}
