import type { DetailedError, Policy } from '@cedar-policy/cedar-wasm/nodejs'
import { DynamosError } from '../../protocol/errors/index.ts'
import type { Cedar } from './cedar.ts'
import type { OwnRule, RuleFinding } from './engine.ts'
import { SCHEMA } from './schema.ts'

/** A file of the organisation's policy folder. */
export interface RuleFile {
  file: string
  text: string
}

/** Characters of one file. */
export const MAX_RULES_LENGTH = 256 * 1024
const MAX_RULES = 1000

/** Rules that Cedar cannot read, or that speak of what the schema does not know. */
export class RulesMalformed extends DynamosError {
  static override readonly name = 'RulesMalformed'
  readonly findings: readonly RuleFinding[]

  constructor(findings: readonly RuleFinding[]) {
    super(
      'policy-malformed',
      findings.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n')
    )
    this.findings = findings
  }
}

/** The organisation's own rules under names of ours, ready to be preparsed. */
export interface OwnRules {
  policies: Record<string, Policy>
  rules: Map<string, OwnRule>
  warnings: RuleFinding[]
}

/** Cedar counts bytes of UTF-8; people count lines and characters. */
function placeOf(text: string, byte: number): { line: number; column: number } {
  const before = new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, byte))
  const lines = before.split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}

function findingOf({ file, text }: RuleFile, error: DetailedError): RuleFinding {
  const [place] = error.sourceLocations ?? []
  const message = [
    error.message
      .replace(/^for policy `policy\d+`, /, '')
      .replace(/^failed to parse policies from string: /, ''),
    ...(place?.label ? [place.label] : []),
    ...(error.help ? [error.help] : [])
  ].join('; ')
  return { file, ...placeOf(text, place?.start ?? 0), message }
}

function readFile(
  cedar: Cedar,
  source: RuleFile
): { errors: RuleFinding[]; warnings: RuleFinding[]; parts: string[] } {
  const at = (message: string): RuleFinding => ({ file: source.file, line: 1, column: 1, message })
  if (source.text.length > MAX_RULES_LENGTH) {
    return { errors: [at(`expected at most ${MAX_RULES_LENGTH} characters`)], warnings: [], parts: [] }
  }
  const validated = cedar.validate({ schema: SCHEMA, policies: { staticPolicies: source.text } })
  if (validated.type === 'failure') {
    return { errors: validated.errors.map((error) => findingOf(source, error)), warnings: [], parts: [] }
  }
  const split = cedar.policySetTextToParts(source.text)
  if (split.type === 'failure') {
    return { errors: split.errors.map((error) => findingOf(source, error)), warnings: [], parts: [] }
  }
  return {
    errors: validated.validationErrors.map(({ error }) => findingOf(source, error)),
    warnings: validated.validationWarnings.map(({ error }) => findingOf(source, error)),
    parts: split.policies
  }
}

/**
 * Reads the organisation's policy folder. The rules are put beside the fixed ones, whose broad permit stands already: a
 * `permit` among them lifts nothing, only their `forbid`s matter.
 *
 * @throws {RulesMalformed} with file, line and column of everything that Cedar or the schema does not accept
 */
export function readOwnRules(cedar: Cedar, files: readonly RuleFile[]): OwnRules {
  const errors: RuleFinding[] = []
  const warnings: RuleFinding[] = []
  const policies: Record<string, Policy> = {}
  const rules = new Map<string, OwnRule>()
  for (const source of files) {
    const read = readFile(cedar, source)
    errors.push(...read.errors)
    warnings.push(...read.warnings)
    for (const part of read.parts) {
      const parsed = cedar.policyToJson(part)
      if (parsed.type === 'failure') continue
      const { annotations = {}, effect } = parsed.json
      const position = Math.max(0, source.text.indexOf(part))
      const place = placeOf(source.text, new TextEncoder().encode(source.text.slice(0, position)).length)
      if (effect === 'permit') {
        warnings.push({
          file: source.file,
          ...place,
          message: 'a permit here lifts nothing: rules of an organisation can only forbid'
        })
      }
      const key = `own${rules.size}`
      policies[key] = part
      rules.set(key, {
        id: annotations.id ?? `${source.file}:${place.line}`,
        message: annotations.message ?? null
      })
    }
  }
  if (rules.size > MAX_RULES) {
    errors.push({
      file: files[0]?.file ?? '',
      line: 1,
      column: 1,
      message: `expected at most ${MAX_RULES} rules`
    })
  }
  if (errors.length > 0) throw new RulesMalformed(errors)
  return { policies, rules, warnings }
}
