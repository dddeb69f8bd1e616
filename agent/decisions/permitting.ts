import type { Denial, ProviderPermission, ProviderVerdict } from '../../policy/index.ts'
import type { Agreement } from '../agreements/index.ts'

export interface Permitting {
  agreement: Agreement
  verdict: ProviderPermission
}

/**
 * The agreements about one dataset that permit what is known of a request before its query is, lowest id first. Each is asked
 * once, and not before it is needed.
 */
export class PermittingAgreements {
  readonly #decide: (open: readonly Agreement[]) => ProviderVerdict
  readonly #found: Permitting[] = []
  #open: readonly Agreement[]
  #denial: Denial | null = null

  /** @param decide permits under the lowest of the given agreements that permits */
  constructor(open: readonly Agreement[], decide: (open: readonly Agreement[]) => ProviderVerdict) {
    this.#open = open
    this.#decide = decide
  }

  at(index: number): Permitting | undefined {
    while (this.#found.length <= index && this.#denial === null) {
      const verdict = this.#decide(this.#open)
      if (verdict.verdict === 'deny') {
        this.#denial = verdict
        break
      }
      const agreement = this.#open.find((one) => one.id === verdict.agreement.id)
      this.#open = this.#open.filter((one) => one !== agreement)
      if (agreement !== undefined) this.#found.push({ agreement, verdict })
    }
    return this.#found[index]
  }

  /** Why none of them permits; null when one does. */
  denial(): Denial | null {
    return this.at(0) === undefined ? this.#denial : null
  }
}

/** Each way to take one of every list, in the order of the lists: the first of each comes first. */
export function* oneOfEach<T>(
  lists: readonly { at(index: number): T | undefined }[]
): Generator<readonly T[], void, undefined> {
  const [first, ...rest] = lists
  if (first === undefined) {
    yield []
    return
  }
  for (let index = 0; ; index++) {
    const one = first.at(index)
    if (one === undefined) return
    for (const others of oneOfEach(rest)) yield [one, ...others]
  }
}
