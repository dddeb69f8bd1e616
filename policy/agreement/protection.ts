import type { Terms } from '../../protocol/documents/index.ts'

/** What protects the people behind a result. */
export interface Protection {
  /** The column that tells whom a row is about; null: the subject of each table. */
  unit: string | null
  /** How many distinct units each released group has at least; 1: groups are not counted. */
  minGroupSize: number
}

/** Null where rows may leave. Either clause alone lets nothing but aggregates leave. */
export function protectionOf({ output }: Pick<Terms, 'output'>): Protection | null {
  const { unit, minGroupSize = 0, aggregatesOnly = false } = output
  if (!aggregatesOnly && minGroupSize <= 1) return null
  return { unit: unit ?? null, minGroupSize: Math.max(minGroupSize, 1) }
}
