import {
  type AgreementInForce,
  createCedarEngine,
  decideAsHost,
  decideAsProvider,
  decideAsRecipient,
  decideFlow,
  type PolicyEngine,
  type RuleFile,
  RulesMalformed
} from '../../../policy/index.ts'
import { MalformedDocument, type Payload } from '../../../protocol/documents/index.ts'
import { type OpenedCall, type OpeningContent, parseOpening } from './opening-content.ts'

/** A decision of a log, and the opening of what it rested on. */
export interface OpenedDecision {
  question: string
  verdict: 'permit' | 'deny'
  /** Of the entry: id of the contract it is about, where there is one. */
  contract: string | null
  /** Whose log it stands in. */
  organisation: string
  content: Uint8Array
}

/** What a file holds that decisions can rest on, by id; everything was verified before. */
export interface ReplaySources {
  agreements: ReadonlyMap<string, Payload<'agreement'>>
  contracts: ReadonlyMap<string, Payload<'contract'>>
  policies: ReadonlyMap<string, { readonly engine: string; readonly files: readonly RuleFile[] }>
}

export type Replayed =
  | { standing: 'replayed'; why?: never }
  /** It could not be evaluated again; why, in words. */
  | { standing: 'attested'; why: string }
  /** It was, and came out otherwise. */
  | { standing: 'differs'; why: string }

/** Each set of rules costs the engine memory for as long as the process lives. */
const MAX_ENGINES = 64
/** Agreements that are asked in one file: some seconds of work. */
const MAX_EVALUATIONS = 50_000

/**
 * Evaluates the decisions of a file again, with the real rules and nothing but what stands in the file. What is not known is
 * said, never guessed: a decision that cannot be evaluated stays attested.
 */
export async function replayDecisions(
  decisions: readonly OpenedDecision[],
  sources: ReplaySources
): Promise<Replayed[]> {
  const replay = new Replay(sources)
  const answers: Replayed[] = []
  for (const decision of decisions) answers.push(await replay.judge(decision))
  return answers
}

/** Why a decision stays attested. */
class NotReplayable extends Error {}

class Replay {
  readonly #sources: ReplaySources
  readonly #engines = new Map<string, PolicyEngine | string>()
  #evaluations = 0

  constructor(sources: ReplaySources) {
    this.#sources = sources
  }

  async judge(decision: OpenedDecision): Promise<Replayed> {
    try {
      const content = opened(decision)
      // It takes no rules to see this.
      if (decision.verdict === 'permit' && content.besides !== null)
        return { standing: 'differs', why: `it says permit, and rests on the denial ${content.besides}` }
      const engine = await this.#engineOf(content)
      return this.#judge(decision, content, engine)
    } catch (error) {
      if (error instanceof NotReplayable) return { standing: 'attested', why: error.message }
      throw error
    }
  }

  #judge(decision: OpenedDecision, { calls, besides }: OpeningContent, engine: PolicyEngine): Replayed {
    const { verdict } = decision
    for (const call of calls) assertAbout(call, decision)
    const denied = calls.map((call) => this.#permits(engine, call)).filter((permitted) => !permitted).length
    if (verdict === 'permit') {
      if (denied > 0) return { standing: 'differs', why: 'it says permit, and the rules deny' }
      if (calls.length === 0) throw new NotReplayable('the rules were asked nothing')
      return { standing: 'replayed' }
    }
    if (denied > 0) return { standing: 'replayed' }
    if (besides !== null) throw new NotReplayable(`it rests on ${besides}, which stands beside the rules`)
    return { standing: 'differs', why: 'it says deny, and the rules permit' }
  }

  #permits(engine: PolicyEngine, call: OpenedCall): boolean {
    this.#evaluations += call.function === 'provider' ? 1 + call.agreements.length : 1
    if (this.#evaluations > MAX_EVALUATIONS)
      throw new NotReplayable(`more than ${MAX_EVALUATIONS} evaluations in one file`)
    switch (call.function) {
      case 'provider': {
        const agreements = call.agreements.map((id) => this.#agreement(id))
        return decideAsProvider(engine, call.facts, agreements, call.wished ?? undefined).verdict === 'permit'
      }
      case 'host':
        return decideAsHost(engine, call.facts, call.hosting).verdict === 'permit'
      case 'recipient':
        return decideAsRecipient(engine, call.facts).verdict === 'permit'
      case 'flow': {
        const id = call.facts.contract
        const payload = this.#sources.contracts.get(id)
        if (payload === undefined) throw new NotReplayable(`the contract ${id} is not in the file`)
        return decideFlow(engine, { ...call.facts, contract: { id, payload } }).verdict === 'permit'
      }
    }
  }

  #agreement(id: string): AgreementInForce {
    const payload = this.#sources.agreements.get(id)
    if (payload === undefined) throw new NotReplayable(`the agreement ${id} is not in the file`)
    return { id, payload }
  }

  async #engineOf({ rules, engine: name, policy }: OpeningContent): Promise<PolicyEngine> {
    const source = this.#sources.policies.get(rules)
    if (source === undefined) throw new NotReplayable('the rules it names are not in the file')
    if (source.engine !== name) throw new NotReplayable('it names another engine than its rules do')
    const known = this.#engines.get(rules) ?? (await this.#load(source))
    this.#engines.set(rules, known)
    if (typeof known === 'string') throw new NotReplayable(known)
    if (known.policy !== policy)
      throw new NotReplayable('it was decided by the fixed rules of another version of the agent')
    return known
  }

  /** @returns why not, for rules that cannot be loaded */
  async #load({ engine: name, files }: { engine: string; files: readonly RuleFile[] }) {
    if (this.#engines.size >= MAX_ENGINES) return `more than ${MAX_ENGINES} sets of rules in one file`
    try {
      const engine = await createCedarEngine(files)
      return engine.source.engine === name
        ? engine
        : `it was decided by ${name}, and here is ${engine.source.engine}`
    } catch (error) {
      if (error instanceof RulesMalformed) return 'its rules cannot be read by the engine here'
      throw error
    }
  }
}

function opened({ content }: OpenedDecision): OpeningContent {
  try {
    return parseOpening(content)
  } catch (error) {
    if (error instanceof MalformedDocument)
      throw new NotReplayable(`what it rested on is not of the known form: ${error.message}`)
    throw error
  }
}

/** An answer to another question proves nothing about this one, however well it can be had again. */
function assertAbout(call: OpenedCall, { question, contract, organisation }: OpenedDecision): void {
  if (call.facts.question !== question)
    throw new NotReplayable(`it rests on an answer to "${call.facts.question}", not "${question}"`)
  if (call.function === 'flow') {
    if (contract !== null && call.facts.contract !== contract)
      throw new NotReplayable('it rests on another contract than it is about')
  } else if (call.facts.organisation !== organisation)
    throw new NotReplayable(`it rests on facts of ${JSON.stringify(call.facts.organisation)}`)
}
