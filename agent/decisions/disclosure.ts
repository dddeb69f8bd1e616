import type { DisclosureRules, DisclosureVerdict } from '../../policy/index.ts'
import { codeOf, toError } from '../../protocol/errors/index.ts'
import { append } from '../audit/index.ts'
import type { Datasets } from '../datasets/index.ts'
import type { Logger } from '../negotiation/index.ts'
import type { Store } from '../store/index.ts'
import { CLAUSES_SHOWN } from './decision-entry.ts'

export interface DisclosureComponents {
  self: { organisation: string }
  /** The organisation's own rules about who may know of what, as they are now. */
  rules: DisclosureRules
  datasets: Pick<Datasets, 'visibilityOf'>
  /** Whether an organisation is a party to an agreement in force about a dataset of this one. */
  isParty(dataset: string, organisation: string): boolean
  store: Pick<Store, 'transaction'>
  clock: { now(): number }
  log: Logger
  /** Somebody may know of something else than a moment ago, though no rule has changed. */
  changed(): void
}

/** For rules that read the time. */
const GOOD_FOR_MS = 60_000
/** Pairs of an organisation and a dataset; members times datasets, of a marketplace larger than any so far. */
const MAX_KEPT = 20_000

interface Kept extends DisclosureVerdict {
  policy: string
  until: number
}

/**
 * The last word on who may learn that a dataset is there: its own `visibility`, then the organisation's policy folder, which can
 * only forbid and is asked `discover` for each organisation and dataset. What is hidden is answered as what is not there.
 *
 * Verdicts are kept for as long as the same rules are in force; a denial stands in the log once, and again only after the verdict
 * has changed, since members ask every few minutes.
 */
export class Disclosure {
  readonly #components: DisclosureComponents
  readonly #kept = new Map<string, Kept>()
  readonly #open = new Map<string, { policy: string; open: boolean }>()
  /** What the log says last of a pair, where that is a denial. */
  readonly #denied = new Set<string>()

  constructor(components: DisclosureComponents) {
    this.#components = components
  }

  /** Whether an organisation, or any member at any time where none is named, may know of a dataset. */
  visibleTo(dataset: string, organisation?: string): boolean {
    const { datasets, self } = this.#components
    const visibility = datasets.visibilityOf(dataset)
    if (visibility === undefined) return false
    if (organisation === self.organisation) return true
    if (organisation === undefined) return visibility === 'members' && this.#isOpen(dataset)
    if (visibility === 'parties' && !this.#components.isParty(dataset, organisation)) return false
    return this.#decide(dataset, organisation).verdict === 'permit'
  }

  /**
   * Whether a request of an organisation about a dataset is answered as one about a dataset that is not there. A party to an
   * agreement in force knows of it: it is told why its request is refused.
   */
  deniesTo(dataset: string, organisation: string): boolean {
    return !this.visibleTo(dataset, organisation) && !this.#components.isParty(dataset, organisation)
  }

  /**
   * Whether the organisation's rules, whatever a dataset's own visibility, keep it from an organisation: for what names that
   * organisation by itself, as a standing offer does.
   */
  hides(dataset: string, organisation: string): boolean {
    return this.#decide(dataset, organisation).verdict !== 'permit'
  }

  #isOpen(dataset: string): boolean {
    const { rules, self } = this.#components
    const known = this.#open.get(dataset)
    if (known?.policy === rules.policy) return known.open
    const open = rules.open({ organisation: self.organisation, dataset })
    this.#open.set(dataset, { policy: rules.policy, open })
    return open
  }

  #decide(dataset: string, asker: string): DisclosureVerdict {
    const { rules, clock, self, log } = this.#components
    const key = JSON.stringify([asker, dataset])
    const now = clock.now()
    const known = this.#kept.get(key)
    if (known?.policy === rules.policy && now < known.until) return known
    const verdict = rules.decide({ now, organisation: self.organisation, asker, dataset })
    const until = rules.readsTime ? now + GOOD_FOR_MS : Number.POSITIVE_INFINITY
    this.#keep(key, { ...verdict, policy: rules.policy, until })
    if (verdict.undetermined !== null)
      log.warn({ dataset, asker, detail: verdict.undetermined }, 'a rule about discovery cannot be decided')
    this.#record(key, asker, dataset, verdict)
    if (known?.policy === rules.policy && known.verdict !== verdict.verdict) this.#components.changed()
    return verdict
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.delete(key)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(key, kept)
  }

  #record(key: string, party: string, dataset: string, { verdict, forbidding }: DisclosureVerdict): void {
    const { store, clock, log, rules } = this.#components
    if ((verdict === 'deny') === this.#denied.has(key)) return
    if (verdict === 'permit') this.#denied.delete(key)
    else this.#denied.add(key)
    const [oldest] = this.#denied
    if (this.#denied.size > MAX_KEPT && oldest !== undefined) this.#denied.delete(oldest)
    const entry = {
      time: clock.now(),
      kind: 'decision' as const,
      fields: {
        question: 'discover' as const,
        verdict,
        clauses: forbidding.slice(0, CLAUSES_SHOWN).map(({ id }) => `policy#${id}`.slice(0, 512)),
        policy: rules.policy,
        party,
        dataset,
        ...(verdict === 'deny' ? { code: 'policy-forbids' } : {})
      }
    }
    store
      .transaction(async (tx) => await append(tx, entry))
      .catch((error: unknown) =>
        log.warn(
          { code: codeOf(error), err: toError(error) },
          'a decision about discovery could not be logged'
        )
      )
  }
}
