import type { z } from 'zod'
import type { Finding } from './finding.ts'
import { KEYS } from './form.ts'
import type { Path, Source } from './source.ts'
import { didYouMean } from './suggestion.ts'

type Issue = z.core.$ZodIssue

function found(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'an empty value'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  const text = JSON.stringify(value) ?? String(value)
  const shown = text.length > 60 ? `${text.slice(0, 59)}…` : text
  return typeof value === 'string' ? shown : `the ${typeof value} ${shown}`
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, key)) return undefined
    return Reflect.get(inner, key)
  }, value)
}

/** Of a union the branch that got furthest tells best what was meant; when none got anywhere, the union itself does. */
function unfold(issue: Issue, path: Path): { issue: Issue; path: Path }[] {
  const here = [...path, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))]
  if (issue.code !== 'invalid_union') return [{ issue, path: here }]
  const reach = (branch: readonly Issue[]) =>
    Math.max(0, ...branch.map((one) => one.path.length + (one.code === 'unrecognized_keys' ? 1 : 0)))
  const best = [...issue.errors].sort((one, other) => reach(other) - reach(one))[0]
  if (best === undefined || reach(best) === 0) return [{ issue, path: here }]
  return best.flatMap((inner) => unfold(inner, here))
}

function keysAt(path: Path): readonly string[] {
  const exact = path.join('.')
  const pattern = (any: number) => path.map((key, index) => (index === any ? '*' : key)).join('.')
  return KEYS[exact] ?? KEYS[pattern(1)] ?? KEYS[pattern(2)] ?? []
}

/** Issues of the form as findings: clause, line, what was expected, what was found. */
export function findingsOf(issues: readonly Issue[], source: Source): Finding[] {
  return issues
    .flatMap((issue) => unfold(issue, []))
    .flatMap(({ issue, path }): Finding[] => {
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => ({
          level: 'error',
          clause: [...path, key].join('.'),
          ...source.placeOf([...path, key]),
          message: `unknown key "${key.slice(0, 60)}"${didYouMean(key, keysAt(path)) || `; expected ${keysAt(path).join(', ')}`}`
        }))
      }
      const value = valueAt(source.value, path)
      const message = issue.code === 'custom' ? issue.message : `${issue.message}, found ${found(value)}`
      return [{ level: 'error', clause: path.join('.'), ...source.placeOf(path), message }]
    })
}
