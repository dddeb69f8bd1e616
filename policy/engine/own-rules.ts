import type { Policy, PolicyJson, SchemaJson } from '@cedar-policy/cedar-wasm/nodejs'
import { DynamosError } from '../../protocol/errors/index.ts'
import type { Cedar } from './cedar-module.ts'
import type { OwnRule, RuleFile } from './own-rule.ts'
import { findingAt, findingOf, inOrder, quoted, type RuleFinding } from './rule-finding.ts'
import { SCHEMA } from './schema.ts'
import { tooIntricate } from './too-intricate.ts'

/** Characters of one file. */
export const MAX_RULES_LENGTH = 256 * 1024
const MAX_RULES = 1000
const SHOWN = 20

/** Rules that Cedar cannot read, or that speak of what the schema does not know. */
export class RulesMalformed extends DynamosError {
  static override readonly name = 'RulesMalformed'
  readonly findings: readonly RuleFinding[]

  constructor(findings: readonly RuleFinding[]) {
    const more = findings.length > SHOWN ? [`and ${findings.length - SHOWN} more`] : []
    super('policy-malformed', [...findings.slice(0, SHOWN).map(quoted), ...more].join('\n'))
    this.findings = findings
  }
}

/** A rule as it was read. */
export interface ReadRule extends OwnRule {
  file: string
  line: number
  /** Where it begins in its file, in characters. */
  offset: number
  text: string
  json: PolicyJson
}

/** Rules that somebody wrote, and everything that is wrong or odd about them. */
export interface ReadRules {
  rules: ReadRule[]
  errors: RuleFinding[]
  warnings: RuleFinding[]
}

const PERMIT =
  'a permit lifts nothing here, and narrows nothing: everything that is agreed is permitted already, and rules can only forbid; write what is not allowed: forbid (…) unless { … }'

let schema: SchemaJson<string> | undefined

/** Reading the text of the schema takes longer than everything else. */
function schemaOf(cedar: Cedar): SchemaJson<string> {
  if (schema !== undefined) return schema
  const read = cedar.schemaToJson(SCHEMA)
  if (read.type === 'failure')
    throw new DynamosError('internal', `Cedar: ${read.errors.map((error) => error.message).join('; ')}`)
  schema = read.json
  return schema
}

function readFile(cedar: Cedar, source: RuleFile): ReadRules {
  const { file, text } = source
  const failed = (errors: RuleFinding[]): ReadRules => ({ rules: [], errors, warnings: [] })
  if (text.length > MAX_RULES_LENGTH)
    return failed([{ file, line: 1, column: 1, message: `expected at most ${MAX_RULES_LENGTH} characters` }])
  const intricate = tooIntricate(text)
  if (intricate !== undefined) return failed([findingAt(source, intricate.offset, intricate.message)])
  const validated = cedar.validate({ schema: schemaOf(cedar), policies: { staticPolicies: text } })
  if (validated.type === 'failure')
    return failed(inOrder(validated.errors.map((error) => findingOf(source, error))))
  const split = cedar.policySetTextToParts(text)
  if (split.type === 'failure') return failed(split.errors.map((error) => findingOf(source, error)))
  const errors = validated.validationErrors.map(({ error }) => findingOf(source, error))
  const wrong = new Set(errors.map(({ line }) => line))
  // Whatever follows from an error is no news.
  const warnings = validated.validationWarnings
    .map(({ error }) => findingOf(source, error))
    .filter(({ line }) => !wrong.has(line))
  const rules: ReadRule[] = []
  let from = 0
  for (const part of split.policies) {
    const parsed = cedar.policyToJson(part)
    if (parsed.type === 'failure') {
      errors.push(...parsed.errors.map((error) => findingOf({ file, text: part }, error)))
      continue
    }
    const offset = Math.max(from, text.indexOf(part, from))
    from = offset + part.length
    const { annotations = {}, effect } = parsed.json
    const { line } = findingAt(source, offset, '')
    if (effect === 'permit') errors.push(findingAt(source, offset, PERMIT))
    rules.push({
      id: annotations.id ?? `${file}:${line}`,
      message: annotations.message ?? null,
      file,
      line,
      offset,
      text: part,
      json: parsed.json
    })
  }
  return { rules, errors: inOrder(errors), warnings: inOrder(warnings) }
}

/** Reads rules against the published schema; pure, and never throws for what they say. */
export function readRules(cedar: Cedar, files: readonly RuleFile[]): ReadRules {
  const read = files.map((file) => readFile(cedar, file))
  const rules = read.flatMap((one) => one.rules)
  const errors = read.flatMap((one) => one.errors)
  if (rules.length > MAX_RULES)
    errors.push({
      file: files[0]?.file ?? '',
      line: 1,
      column: 1,
      message: `expected at most ${MAX_RULES} rules, found ${rules.length}`
    })
  return { rules, errors, warnings: read.flatMap((one) => one.warnings) }
}

/** Rules under names of ours, ready to be preparsed: what somebody calls them need not be unique. */
export interface NamedRules {
  policies: Record<string, Policy>
  rules: Map<string, OwnRule>
}

export function namedRules(rules: readonly ReadRule[]): NamedRules {
  const named = rules.map((rule, index): [string, ReadRule] => [`own${index}`, rule])
  return {
    policies: Object.fromEntries(named.map(([name, { text }]) => [name, text])),
    rules: new Map(named.map(([name, { id, message, file, line }]) => [name, { id, message, file, line }]))
  }
}
