import { didYouMean } from '../agreement/index.ts'
import type { Cedar } from './cedar-module.ts'
import { type Formula, firesWhen, isPossible, not, type Situation } from './condition.ts'
import { type KnownNames, namedIn } from './named-in-rules.ts'
import type { RuleFile } from './own-rule.ts'
import { type ReadRule, readRules } from './own-rules.ts'
import { findingAt, type RuleFinding } from './rule-finding.ts'
import type { Subject } from './rules.ts'
import { situations } from './situations.ts'

export const LINT_KINDS = [
  'malformed',
  'never-fires',
  'always-fires',
  'shadowed',
  'unknown-name',
  'unused',
  'odd'
] as const
export type LintKind = (typeof LINT_KINDS)[number]

/** What is to be said about a rule before it is in force. */
export interface LintFinding extends RuleFinding {
  level: 'error' | 'warning'
  kind: LintKind
  /** The rule it is about, where there is one. */
  rule: string | null
}

/** Where rules would be in force. */
export interface RulePlace {
  /** Of an agreement, or of the organisation's folder. */
  of: 'agreement' | 'folder'
  known?: KnownNames
  /** What the organisation does; left out: anything. */
  roles?: readonly ('dataProvider' | 'computeProvider')[]
}

interface Studied {
  rule: ReadRule
  source: RuleFile
  /** When it fires, in each situation in which it could be asked. */
  fires: readonly { situation: Situation; when: Formula }[]
}

/** The folder alone is asked who may know of a dataset: whom an agreement is shown to follows from its parties. */
const NOT_AGREED = ['discover']

function subjectsOf({ of, roles }: RulePlace): Subject[] {
  if (of === 'agreement') return ['Agreement']
  return [
    ...(roles?.includes('dataProvider') === false ? [] : (['Agreement'] as const)),
    ...(roles?.includes('computeProvider') === false ? [] : (['Hosting'] as const)),
    'Delivery',
    'Contract'
  ]
}

function at({ rule, source }: Studied, kind: LintKind, message: string, offset = rule.offset): LintFinding {
  return { ...findingAt(source, offset, message), level: 'warning', kind, rule: rule.id }
}

function* reach(studied: Studied, place: RulePlace): Generator<LintFinding> {
  const possible = studied.fires.filter(({ when }) => isPossible(when))
  const asked = possible.filter(
    ({ situation }) => place.of === 'folder' || !NOT_AGREED.includes(situation.question)
  )
  if (possible.length === 0) {
    const elsewhere = situations().some((situation) => isPossible(firesWhen(studied.rule.json, situation)))
    if (!elsewhere)
      yield at(
        studied,
        'never-fires',
        'it can never forbid anything: its conditions contradict each other, or the facts'
      )
    else if (place.of === 'agreement')
      yield at(
        studied,
        'never-fires',
        'it can never forbid anything here: an agreement is asked about requests for its own data, not about hosting, deliveries or flows of others'
      )
    else
      yield at(
        studied,
        'unused',
        `it is about what this organisation does not do: its roles are ${place.roles?.join(', ') || 'none'}`
      )
  } else if (asked.length === 0)
    yield at(
      studied,
      'unused',
      `it is about the question ${NOT_AGREED.join(', ')} alone, which the rules of an agreement are not asked; write it into the policy folder`
    )
  else if (studied.fires.every(({ when }) => !isPossible(not(when))))
    yield at(
      studied,
      'always-fires',
      `it forbids every ${place.of === 'agreement' ? 'request under this agreement' : 'request, and everything else that is asked'}`
    )
}

/** Whether whatever one rule forbids the other does. */
function covers(one: Studied, other: Studied): boolean {
  return other.fires.every(({ situation, when }) => {
    const covering = one.fires.find(
      (fire) => fire.situation.question === situation.question && fire.situation.subject === situation.subject
    )
    return covering !== undefined && !isPossible(when, not(covering.when))
  })
}

function* shadows(all: readonly Studied[]): Generator<LintFinding> {
  const able = all.filter(({ fires }) => fires.some(({ when }) => isPossible(when)))
  for (const [index, studied] of able.entries()) {
    const covering = able.find(
      (other, position) =>
        other !== studied && covers(other, studied) && (position < index || !covers(studied, other))
    )
    if (covering === undefined) continue
    const { rule } = covering
    const named =
      rule.id === `${rule.file}:${rule.line}` ? rule.id : `"${rule.id}" (${rule.file}:${rule.line})`
    yield at(studied, 'shadowed', `whatever it forbids, the rule ${named} forbids already`)
  }
}

function* names(studied: Studied, known: KnownNames): Generator<LintFinding> {
  for (const { kind, name } of namedIn(studied.rule.json)) {
    const there = known[kind]
    if (there === undefined || there.includes(name)) continue
    const found = studied.rule.text.indexOf(JSON.stringify(name).slice(0, -1))
    const offset = studied.rule.offset + Math.max(0, found)
    yield at(studied, 'unknown-name', `unknown ${kind} "${name}"${didYouMean(name, there)}`, offset)
  }
}

function* doubles(all: readonly Studied[]): Generator<LintFinding> {
  const seen = new Map<string, ReadRule>()
  for (const studied of all) {
    const { rule } = studied
    const earlier = seen.get(rule.id)
    if (earlier === undefined) seen.set(rule.id, rule)
    else
      yield at(
        studied,
        'odd',
        `another rule has the same @id: ${earlier.file}:${earlier.line}; refusals and the log could mean either`
      )
  }
}

/** The validator's own words for a rule that never fires. */
const IMPOSSIBLE = /policy is impossible|unable to find an applicable action/

/** Rules compared with each other cost a step for each pair; more than these are not compared. */
const MAX_COMPARED = 200

/** What is wrong with rules, and what is odd about them, before they are in force. */
export function lintRules(cedar: Cedar, files: readonly RuleFile[], place: RulePlace): LintFinding[] {
  const read = readRules(cedar, files)
  const errors = read.errors.map(
    (finding): LintFinding => ({ ...finding, level: 'error', kind: 'malformed', rule: null })
  )
  const subjects = subjectsOf(place)
  const studied = read.rules
    .filter(({ json, file, line }) => json.effect === 'forbid' && !isWrong(read.errors, file, line))
    .map((rule): Studied => {
      const source = files.find(({ file }) => file === rule.file) ?? { file: rule.file, text: rule.text }
      const fires = situations(subjects).map((situation) => ({
        situation,
        when: firesWhen(rule.json, situation)
      }))
      return { rule, source, fires }
    })
  const found = [
    ...studied.flatMap((one) => [...reach(one, place), ...names(one, place.known ?? {})]),
    ...(studied.length > MAX_COMPARED ? [] : shadows(studied)),
    ...doubles(studied)
  ]
  const odd = read.warnings
    .filter(({ message }) => !IMPOSSIBLE.test(message))
    .map((finding): LintFinding => ({ ...finding, level: 'warning', kind: 'odd', rule: null }))
  const impossible = read.warnings
    .filter(
      ({ message, file, line }) =>
        IMPOSSIBLE.test(message) && !found.some((one) => one.file === file && one.line === line)
    )
    .map(
      (finding): LintFinding => ({
        ...finding,
        level: 'warning',
        kind: 'never-fires',
        message: 'it can never forbid anything: its conditions contradict each other, or the facts',
        rule: null
      })
    )
  return [...errors, ...found, ...odd, ...impossible].sort((one, other) =>
    one.file < other.file ? -1 : one.file > other.file ? 1 : one.line - other.line
  )
}

function isWrong(errors: readonly RuleFinding[], file: string, line: number): boolean {
  return errors.some((error) => error.file === file && error.line === line)
}
