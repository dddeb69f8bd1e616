import { DynamosError } from '../../../protocol/errors/index.ts'

/** Entries of kinds that are compared, in one file. */
export const MAX_ENTRIES = 1_000_000
/** Entries that the exports of one file show or pass over. */
export const MAX_HEADS = 8_000_000
/** What is kept of documents, sections, openings and rules. */
export const MAX_KEPT_BYTES = 256 << 20
/** Documents, sections, openings and sets of rules. */
export const MAX_KEPT = 200_000
export const MAX_EXPORTS = 1000

/** Neither confirmed nor broken: more than a check holds in memory. */
export class AuditTooLarge extends DynamosError {
  static override readonly name = 'AuditTooLarge'
  constructor(what: string, most: number) {
    super(
      'audit-too-large',
      `expected at most ${most.toLocaleString('en')} ${what} in one file; check the export of each party alone`
    )
  }
}

const LIMITS = {
  entries: { most: MAX_ENTRIES, what: 'log entries of the request' },
  heads: { most: MAX_HEADS, what: 'log entries' },
  bytes: { most: MAX_KEPT_BYTES, what: 'bytes of documents and openings' },
  kept: { most: MAX_KEPT, what: 'documents, sections and openings' },
  exports: { most: MAX_EXPORTS, what: 'exports' }
}

/** Counts what a check keeps of one file. */
export class Budget {
  readonly #taken: { [name in keyof typeof LIMITS]: number } = {
    entries: 0,
    heads: 0,
    bytes: 0,
    kept: 0,
    exports: 0
  }

  /** @throws {AuditTooLarge} */
  take(name: keyof typeof LIMITS, count = 1): void {
    this.#taken[name] += count
    const { most, what } = LIMITS[name]
    if (this.#taken[name] > most) throw new AuditTooLarge(what, most)
  }
}
