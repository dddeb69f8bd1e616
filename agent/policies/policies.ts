import {
  createCedarEngine,
  createDisclosureRules,
  type DisclosureRules,
  loadRuleReader,
  type PolicyEngine,
  type RuleFinding,
  type RuleReader,
  RulesMalformed
} from '../../policy/index.ts'
import { toError } from '../../protocol/errors/index.ts'
import { type PolicyFolder, readPolicyFolder } from './folder.ts'
import { type Watch, watchFolder } from './watch.ts'

export interface PoliciesComponents {
  clock: { now(): number }
  log: {
    info(fields: object, message: string): void
    warn(fields: object, message: string): void
    error(fields: object, message: string): void
  }
  /** @default the folder on disk */
  read?: (folder: string) => Promise<PolicyFolder>
  /** @default notifications of the platform */
  watch?: Watch
}

/** Other rules are in force than before. */
export interface PolicyChange {
  at: number
  /** Digests of the rules, as decisions and offers name them. */
  previous: string
  policy: string
}

/** A folder that cannot be used as it is now. */
export interface BrokenPolicy {
  /** When that was first found. */
  since: number
  findings: RuleFinding[]
}

export interface PolicyStatus {
  folder: string
  /** Digest of what decides: the fixed rules and those of the folder. */
  policy: string
  /** When it came into force here. */
  since: number
  files: string[]
  ignored: string[]
  rules: number
  warnings: readonly RuleFinding[]
  /** The folder has changed into something that cannot be used: the last good rules stay in force. */
  broken: BrokenPolicy | null
}

/**
 * The rules that are in force: read when the agent starts, and again whenever their folder changes. What cannot be read or
 * does not fit the schema never replaces rules that could: forbidding less than somebody wrote down is the worse mistake.
 *
 * @example
 * const policies = await Policies.open('/srv/vu/policy', { clock, log })
 * policies.onChange(({ previous, policy }) => exchanges.reconsider())
 * policies.watch()
 */
export class Policies {
  readonly #folder: string
  readonly #components: PoliciesComponents
  readonly #listeners = new Set<(change: PolicyChange) => void>()
  readonly #worried = new Set<(broken: BrokenPolicy) => void>()
  #engine: PolicyEngine
  #disclosure: DisclosureRules
  #read: PolicyFolder
  #since: number
  #broken: BrokenPolicy | null = null
  #unwatch: (() => void) | null = null
  /** Readings come one after the other: the last one wins. */
  #reading: Promise<unknown> = Promise.resolve()

  private constructor(
    folder: string,
    components: PoliciesComponents,
    read: PolicyFolder,
    engine: PolicyEngine,
    disclosure: DisclosureRules,
    /** Reads rules that are not in force. */
    readonly reader: RuleReader
  ) {
    this.#folder = folder
    this.#components = components
    this.#read = read
    this.#engine = engine
    this.#disclosure = disclosure
    this.#since = components.clock.now()
  }

  /** @throws {RulesMalformed} with the place of everything that is wrong: an agent does not start without its rules */
  static async open(folder: string, components: PoliciesComponents): Promise<Policies> {
    const read = await (components.read ?? readPolicyFolder)(folder)
    const engine = await createCedarEngine(read.files)
    const disclosure = await createDisclosureRules(read.files)
    const policies = new Policies(folder, components, read, engine, disclosure, await loadRuleReader())
    policies.#warn()
    return policies
  }

  /** What decides now. Whoever decides in several steps takes it once. */
  get engine(): PolicyEngine {
    return this.#engine
  }

  /** What decides now who may know of a dataset. */
  get disclosure(): DisclosureRules {
    return this.#disclosure
  }

  get status(): PolicyStatus {
    const { policy, warnings, rules } = this.#engine
    return {
      folder: this.#folder,
      policy,
      since: this.#since,
      files: this.#read.files.map(({ file }) => file),
      ignored: this.#read.ignored,
      rules: rules.length,
      warnings,
      broken: this.#broken
    }
  }

  /** What those who are answered should know: that it is so, not what is wrong. */
  notes(organisation: string): string[] {
    if (this.#broken === null) return []
    return [`${organisation} decided by its last good rules: its policy folder cannot be used as it is now`]
  }

  /** The files of the rules in force. */
  get files(): PolicyFolder['files'] {
    return this.#read.files
  }

  /**
   * Calls a listener whenever other rules have come into force; what runs under the former ones has to be asked about again.
   *
   * @returns a function that ends it
   */
  onChange(listener: (change: PolicyChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls a listener whenever the folder has become one that cannot be used, or is wrong in another way than before. */
  onBroken(listener: (broken: BrokenPolicy) => void): () => void {
    this.#worried.add(listener)
    return () => this.#worried.delete(listener)
  }

  /** Reads the folder again. A folder that cannot be used changes nothing but the status. */
  async reload(): Promise<PolicyStatus> {
    const reading = this.#reading.then(async () => await this.#reload())
    this.#reading = reading
    await reading
    return this.status
  }

  /** Follows what happens in the folder. */
  watch(): void {
    this.#unwatch ??= (this.#components.watch ?? watchFolder)(this.#folder, () => void this.reload())
  }

  async stop(): Promise<void> {
    this.#unwatch?.()
    this.#unwatch = null
    this.#listeners.clear()
    this.#worried.clear()
    await this.#reading
  }

  async #reload(): Promise<void> {
    const { read = readPolicyFolder } = this.#components
    try {
      const found = await read(this.#folder)
      if (this.#broken === null && sameFiles(found, this.#read)) return
      const engine = await createCedarEngine(found.files)
      const disclosure = await createDisclosureRules(found.files)
      this.#read = found
      this.#broken = null
      this.#disclosure = disclosure
      this.#enforce(engine)
    } catch (error) {
      this.#refuse(error)
    }
  }

  #enforce(engine: PolicyEngine): void {
    const { clock, log } = this.#components
    const previous = this.#engine.policy
    this.#engine = engine
    this.#warn()
    if (engine.policy === previous) {
      log.info({ policy: previous }, 'the policy folder was read again; its rules are the same')
      return
    }
    const change = { at: clock.now(), previous, policy: engine.policy }
    this.#since = change.at
    log.info({ previous, policy: engine.policy, rules: engine.rules.length }, 'other rules are in force')
    tell(this.#listeners, change, log)
  }

  #refuse(error: unknown): void {
    const { clock, log } = this.#components
    const findings =
      error instanceof RulesMalformed
        ? [...error.findings]
        : [{ file: this.#folder, line: 1, column: 1, message: toError(error).message }]
    const known = JSON.stringify(this.#broken?.findings) === JSON.stringify(findings)
    this.#broken = { since: this.#broken?.since ?? clock.now(), findings }
    if (known) return
    log.error(
      { folder: this.#folder, policy: this.#engine.policy, findings },
      'the policy folder cannot be used as it is; the last good rules stay in force'
    )
    tell(this.#worried, this.#broken, log)
  }

  #warn(): void {
    for (const warning of this.#engine.warnings)
      this.#components.log.warn(warning, 'a rule of the policy folder looks odd')
  }
}

/** One that fails keeps nobody else from hearing. */
function tell<T>(listeners: Iterable<(said: T) => void>, said: T, log: PoliciesComponents['log']): void {
  for (const listener of [...listeners]) {
    try {
      listener(said)
    } catch (error) {
      log.error({ err: toError(error) }, 'somebody could not be told about the policy')
    }
  }
}

function sameFiles(one: PolicyFolder, other: PolicyFolder): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
