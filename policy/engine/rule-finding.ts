import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs'
import { nearest } from '../../protocol/errors/index.ts'

/** A place in rules that somebody wrote, and what is to be said about it. */
export interface RuleFinding {
  file: string
  line: number
  column: number
  message: string
  /** The line of the text, as it stands there. */
  source?: string
}

export interface RuleText {
  file: string
  text: string
}

/** Longer lines are cut: nobody reads them. */
const SHOWN = 200

function cut(line: string): string {
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line
}

/** A finding at an offset in characters. */
export function findingAt({ file, text }: RuleText, offset: number, message: string): RuleFinding {
  const before = text.slice(0, offset).split('\n')
  const line = before.length
  const source = text.split('\n')[line - 1]?.replace(/\r$/, '') ?? ''
  return {
    file,
    line,
    column: (before.at(-1)?.length ?? 0) + 1,
    message,
    ...(source.trim() === '' ? {} : { source: cut(source) })
  }
}

/** Cedar counts bytes of UTF-8; people count lines and characters. */
function charactersBefore(text: string, byte: number): number {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, byte)).length
}

/** What Cedar calls its own numbering of policies is nothing that people know. */
function withoutNumbers(text: string): string {
  return (
    text
      .replace(/^for policy `policy\d+`, /, '')
      .replace(/^failed to parse policies from string: /, '')
      // One mistake is found for each question that the rule is about, in no order.
      .replace(/ in context for Action::"\w+"/, ' in context')
  )
}

const TOKENS = ['permit', 'forbid', 'when', 'unless', 'principal', 'action', 'resource', 'context']

/** A word that a person may have meant, where Cedar stumbled over one it does not know. */
function meant(message: string): string[] {
  const word = /unexpected token `(\w+)`|invalid (?:variable|policy effect|policy condition): (\w+)/.exec(
    message
  )
  const found = word === null ? undefined : nearest(word[1] ?? word[2] ?? '', TOKENS)
  return found === undefined ? [] : [`did you mean \`${found}\`?`]
}

/** What Cedar says of a text. */
export function findingOf(source: RuleText, error: DetailedError): RuleFinding {
  const [place] = error.sourceLocations ?? []
  const message = withoutNumbers(error.message)
  const said = [
    message,
    ...(place?.label ? [place.label] : []),
    ...(error.help ? [withoutNumbers(error.help)] : meant(message))
  ].join('; ')
  return findingAt(source, charactersBefore(source.text, place?.start ?? 0), said)
}

/** In the order of the text, each once. */
export function inOrder(findings: readonly RuleFinding[]): RuleFinding[] {
  const seen = new Map(
    findings.map((finding) => [
      JSON.stringify([finding.file, finding.line, finding.column, finding.message]),
      finding
    ])
  )
  return [...seen.values()].sort(
    (one, other) =>
      one.line - other.line || one.column - other.column || (one.message < other.message ? -1 : 1)
  )
}

/** For people: place, what is wrong, and the line with a mark below the place. */
export function quoted({ file, line, column, message, source }: RuleFinding): string {
  const said = `${file}:${line}:${column}: ${message}`
  if (source === undefined || column > SHOWN) return said
  const gutter = `  ${line} | `
  const blank = source.slice(0, column - 1).replace(/[^\t]/g, ' ')
  return `${said}\n${gutter}${source}\n${' '.repeat(gutter.length)}${blank}^`
}
