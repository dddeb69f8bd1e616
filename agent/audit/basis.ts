import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { FlowFacts, HostFacts, ProviderFacts, RecipientFacts, RuleFile } from '../../policy/index.ts'
import { decodePlain, encodePlain, type Hosting, MalformedDocument } from '../../protocol/documents/index.ts'
import type { StoredRuleset } from '../store/index.ts'

/** Something that the rules were asked: a function of policy/, and what it was given beside engine and rules. */
export type PolicyCall =
  | { function: 'provider'; facts: ProviderFacts; agreements: readonly string[]; wished: string | null }
  | { function: 'host'; facts: HostFacts; hosting: Hosting | null }
  | { function: 'recipient'; facts: RecipientFacts }
  /** The contract by its id. */
  | { function: 'flow'; facts: Omit<FlowFacts, 'contract'> & { contract: string } }

/** What a decision rested on, enough to come to it again. See docs/audit-format.md, "Content of an opening". */
export interface Basis {
  /** The engine and its version. */
  engine: string
  /** Id of everything that decides. */
  policy: string
  /** Id of the organisation's own rules. */
  rules: string
  calls: readonly PolicyCall[]
  /** What denied beside the rules. */
  besides: string | null
}

/** The organisation's own rules and what evaluates them. */
export interface RuleSource {
  engine: string
  files: readonly RuleFile[]
}

const rulesets = new WeakMap<RuleSource, StoredRuleset>()

/** The rules under the id that openings name; null for more than an export could ever hold. */
export function rulesetOf(source: RuleSource): StoredRuleset | null {
  const known = rulesets.get(source)
  if (known !== undefined) return known
  try {
    const files = source.files.map(({ file, text }) => [file, text])
    const id = createHash('sha256')
      .update(encodePlain([source.engine, files]))
      .digest('hex')
    const ruleset = { id, engine: source.engine, files: encodePlain(files) }
    rulesets.set(source, ruleset)
    return ruleset
  } catch (error) {
    if (error instanceof MalformedDocument) return null
    throw error
  }
}

const storedFiles = z.array(z.tuple([z.string(), z.string()]))

export function filesOf({ files }: StoredRuleset): RuleFile[] {
  return decodePlain(files, storedFiles).map(([file, text]) => ({ file, text }))
}
