import { z } from 'zod'
import { nearest } from '../../protocol/errors/index.ts'
import { ConfigInvalid, type ConfigProblem } from './errors.ts'
import type { Path, Source } from './source.ts'

const MAX_PROBLEMS = 20
const LONGEST_QUOTE = 40

type Issue = z.core.$ZodIssue

/** What was found, as its author would call it. Texts are quoted and cut. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'an empty value'
  if (typeof value === 'string')
    return value.length > LONGEST_QUOTE ? `"${value.slice(0, LONGEST_QUOTE)}…"` : `"${value}"`
  if (typeof value === 'number') return `the number ${value}`
  if (typeof value === 'boolean') return String(value)
  return Array.isArray(value) ? 'a list' : 'a map'
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map'
}

function showPath(path: Path): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('')
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined
    found = Object.entries(found).find(([name]) => name === String(key))?.[1]
  }
  return found
}

const jsonNode = z.looseObject({
  $ref: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional()
})

/** Keys that the schema knows in the map at `path`, read off its JSON Schema. */
function knownKeys(schema: z.ZodType, path: Path): string[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  let nodes: unknown[] = [root]
  const widen = (candidates: unknown[]): z.infer<typeof jsonNode>[] =>
    candidates.flatMap((candidate) => {
      const parsed = jsonNode.safeParse(candidate)
      if (!parsed.success) return []
      const { anyOf, oneOf, allOf, $ref } = parsed.data
      const referred = $ref === '#' ? root : valueAt(root, ($ref ?? '').split('/').slice(1))
      return [
        parsed.data,
        ...widen([
          ...(anyOf ?? []),
          ...(oneOf ?? []),
          ...(allOf ?? []),
          ...($ref === undefined ? [] : [referred])
        ])
      ]
    })
  for (const key of path) {
    nodes = widen(nodes).flatMap((node) => {
      if (typeof key === 'number') return node.items === undefined ? [] : [node.items]
      const child = node.properties?.[String(key)] ?? node.additionalProperties
      return child === undefined ? [] : [child]
    })
  }
  return widen(nodes).flatMap((node) => Object.keys(node.properties ?? {}))
}

function rank(issues: readonly Issue[]): number {
  const wrongKind = issues.some((issue) => issue.path.length === 0 && issue.code === 'invalid_type')
  return (wrongKind ? 1000 : 0) + issues.length
}

/** A union fails with one list of issues per branch: the branch that was meant is the one of the right kind. */
function flatten(issue: Issue, prefix: Path, found: unknown): { issue: Issue; path: Path }[] {
  const path = [...prefix, ...issue.path]
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ issue, path }]
  const ofKind = issue.errors.filter((branch) => rank(branch) < 1000)
  const structured = ofKind.filter((branch) =>
    branch.some((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys')
  )
  const candidates = structured.length > 0 ? structured : ofKind.length === 1 ? ofKind : []
  const [meant] = [...candidates].sort((one, other) => rank(one) - rank(other))
  return meant === undefined ? [{ issue, path }] : meant.flatMap((inner) => flatten(inner, path, found))
}

function expectationOf(issue: Issue): string {
  if (issue.code === 'invalid_type') return KINDS[issue.expected] ?? issue.expected
  if (issue.code === 'invalid_value') return issue.values.map((value) => JSON.stringify(value)).join(', ')
  if (issue.code === 'invalid_union') {
    const parts = issue.errors.flatMap((branch) => branch.slice(0, 1).map(expectationOf))
    return [...new Set(parts)].join(' or ')
  }
  return issue.message.replace(/^expected /, '')
}

function messageOf(issue: Issue, found: unknown): string {
  switch (issue.code) {
    case 'invalid_value': {
      const texts = issue.values.map(String)
      const near = typeof found === 'string' ? nearest(found, texts) : undefined
      const what = texts.length === 1 ? expectationOf(issue) : `one of ${expectationOf(issue)}`
      return `expected ${what}, found ${describeValue(found)}${near === undefined ? '' : `; did you mean "${near}"?`}`
    }
    case 'invalid_type': {
      if (found === undefined) return `expected ${expectationOf(issue)}; it is required`
      const quote = issue.expected === 'string' && (typeof found === 'number' || typeof found === 'boolean')
      return `expected ${expectationOf(issue)}, found ${describeValue(found)}${quote ? '; write it in quotes' : ''}`
    }
    case 'invalid_union':
      return `expected ${expectationOf(issue)}, found ${describeValue(found)}`
    case 'invalid_format':
      return `${issue.message.startsWith('expected') ? issue.message : `expected ${issue.message}`}, found ${describeValue(found)}`
    case 'too_small':
      return issue.origin === 'array' || issue.origin === 'string'
        ? `expected at least ${issue.minimum} ${issue.origin === 'array' ? 'entries' : 'characters'}, found ${describeValue(found)}`
        : `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}, found ${describeValue(found)}`
    case 'too_big':
      return issue.origin === 'array' || issue.origin === 'string'
        ? `expected at most ${issue.maximum} ${issue.origin === 'array' ? 'entries' : 'characters'}, found more`
        : `expected at most ${issue.maximum}, found ${describeValue(found)}`
    default:
      return issue.message
  }
}

function problemsOf(issue: Issue, source: Source, schema: z.ZodType): ConfigProblem[] {
  return flatten(issue, [], source.value).flatMap(({ issue: inner, path }) => {
    if (inner.code === 'unrecognized_keys') {
      const known = knownKeys(schema, path)
      return inner.keys.map((key) => {
        const near = nearest(key, known)
        const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean "${near}"?`
        return {
          ...source.placeOfKey(path, key),
          path: showPath([...path, key]),
          message: `unknown key; ${hint}`
        }
      })
    }
    return [
      { ...source.place(path), path: showPath(path), message: messageOf(inner, valueAt(source.value, path)) }
    ]
  })
}

/**
 * Checks what a file says against its schema.
 *
 * @throws {ConfigInvalid} that names every problem with its line, what was expected and, for a typo, what may have been meant
 */
export function checkSource<T>(source: Source, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(source.value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, source, schema))
  throw new ConfigInvalid(source.file, problems.slice(0, MAX_PROBLEMS))
}

/** A problem that no schema can express, at its place. */
export function problemAt(source: Source, path: Path, message: string): ConfigInvalid {
  return new ConfigInvalid(source.file, [{ ...source.place(path), path: showPath(path), message }])
}
