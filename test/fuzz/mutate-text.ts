import { mutateBytes } from './mutate-bytes.ts'
import type { Mutator, Random } from './random.ts'

/** Pieces of one language that mean something to its reader. */
export type Words = readonly [string, ...string[]]

export const YAML: Words = [
  '&a [x,x]',
  '*a',
  '<<: *a',
  '&a {a: 1}',
  '!!js/function x',
  '!!binary AAAA',
  '!!set {a}',
  '!!timestamp 2026-01-01',
  '? [a, b]\n: c',
  '---',
  '...',
  '%YAML 1.1',
  '|',
  '>-',
  '| 9',
  '__proto__: {a: 1}',
  'constructor: {prototype: {a: 1}}',
  'toString: 1',
  'hasOwnProperty: 1',
  'null',
  '~',
  '.nan',
  '.inf',
  '-0',
  '0o17',
  '0x1F',
  '1e999',
  '9007199254740993',
  '2026-02-30',
  '2026-01-01T25:00:00Z',
  '-271821-04-20',
  'P1D',
  'PT99999999999999S',
  'PT0.001S',
  '9'.repeat(400),
  'x'.repeat(70_000),
  '"\\ud800"',
  '"\\u0000"',
  '"*"',
  '[]',
  '{}',
  '[[[[[[[[',
  '{a: {a: {a: {a: {',
  '- - - - - - - -',
  "'",
  '"',
  '#',
  '\t',
  '\r',
  '\uFEFF',
  '\u2028',
  ': ',
  '- ',
  ', '
]

export const PREDICATE: Words = [
  ' and ',
  ' or ',
  'not ',
  '(',
  ')',
  ' in (1, 2)',
  ' between 1 and 2',
  ' is null',
  ' is not null',
  ' = ',
  ' <> ',
  ' != ',
  ' <= ',
  "'it''s'",
  "'",
  '"a""b"',
  '"',
  "date '2026-02-29'",
  "date '2024-02-29'",
  '-1',
  '--1',
  '.5',
  '1.',
  '1e5',
  '1e9999',
  '9'.repeat(65),
  'true',
  'FALSE',
  'Nöt',
  '\u{1F600}',
  '\ud800',
  '\0',
  'f(1)',
  ';',
  '/*',
  '--',
  'select',
  '(((((((((((((((((((((((((((((((((',
  'not not not not not not not '
]

export const CEDAR: Words = [
  'permit (principal, action, resource);',
  'forbid (principal, action, resource);',
  ' when { ',
  ' unless { ',
  ' }',
  'context.hour < 6',
  'context.archetype == "x"',
  'principal in Organisation::"x"',
  'resource.tables.contains("x")',
  'context has ',
  ' && ',
  ' || ',
  '!',
  'if true then false else true',
  'ip("127.0.0.1")',
  'decimal("1.0")',
  'datetime("2026-01-01")',
  '9223372036854775808',
  '@id("x")',
  '?principal',
  '((((((((((((((((',
  '[1, [2, [3]]]',
  '{a: {b: 1}}',
  'like "*"',
  '"\\u{0}"',
  '"\\u{d800}"',
  '//',
  '\0',
  ';'
]

export const CSV: Words = [
  ',',
  ';',
  '\t',
  '|',
  '"',
  '""',
  '"a\r\nb"',
  '"a""b"',
  '\r\r\n',
  '\r\n',
  '\r',
  '\n',
  '\n\n\n',
  '\uFEFF',
  '\0',
  '#x',
  'NULL',
  'é',
  '\u{1F600}',
  ',,,,,,,,',
  '1e400',
  '2026-02-30',
  '§¶†‡•…‰′″‹›‾⁄',
  "'"
]

export const JSONS: Words = [
  'null',
  'true',
  '-0',
  '1e999',
  '9007199254740993',
  '"\\ud800"',
  '"\\u0000"',
  '{"__proto__":{"a":1}}',
  '"__proto__":1,',
  '"constructor":{"prototype":{}}',
  '[]',
  '{}',
  '""',
  '[[[[[[[[[[[[',
  '{"a":{"a":{"a":',
  '"x"',
  ',',
  ':',
  '\uFEFF',
  '"error"',
  '"kind"'
]

export const EVENTS: Words = [
  'data: ',
  'id: ',
  'event: ',
  'retry: 1',
  ':',
  '\n\n',
  '\r\n\r\n',
  '\r',
  '\n',
  'data',
  '\uFEFF',
  '\0'
]

export const DURATIONS: Words = [
  'P',
  'T',
  '1D',
  '1W',
  '0.5S',
  '1H',
  'PT1S',
  '99999999999999999999',
  '-',
  '+01:00',
  'Z',
  '2026-01-31',
  '0000-00-00',
  '2026-12-31T23:59:60Z',
  'Europe/Amsterdam',
  '4GiB',
  '1.5MB',
  ' ',
  '\n'
]

const TOKEN = /[\p{L}\p{N}_.@-]+|\s+|./gsu

function nest(text: string, random: Random): string {
  const depth = random.pick([2, 20, 33, 200, 5000])
  const [open, close] = random.pick([
    ['[', ']'],
    ['{a: ', '}'],
    ['(', ')'],
    ['{"a":', '}'],
    ['- ', ''],
    ['not ', '']
  ])
  return `${open.repeat(depth)}${text}${close.repeat(depth)}`
}

/** A bomb of aliases: each line names the one before nine times. */
function bomb(lines: number): string {
  const used = (index: number): string => Array.from({ length: 9 }, () => `*a${index - 1}`).join(',')
  return Array.from({ length: lines }, (_, index) =>
    index === 0 ? 'a0: &a0 [x]' : `a${index}: &a${index} [${used(index)}]`
  ).join('\n')
}

function step(text: string, random: Random, words: Words, other: string): string {
  const tokens = text.match(TOKEN) ?? []
  const at = random.below(tokens.length + 1)
  const word = random.pick(words)
  switch (random.below(9)) {
    case 0:
      return [...tokens.slice(0, at), word, ...tokens.slice(at)].join('')
    case 1:
      return [...tokens.slice(0, at), word, ...tokens.slice(at + 1)].join('')
    case 2:
      return [...tokens.slice(0, at), ...tokens.slice(at + 1 + random.below(4))].join('')
    case 3: {
      const to = at + 1 + random.below(20)
      const times = random.pick([2, 2, 3, 50])
      return [...tokens.slice(0, at), tokens.slice(at, to).join('').repeat(times), ...tokens.slice(to)].join(
        ''
      )
    }
    case 4: {
      const lines = text.split('\n')
      const [line = ''] = lines.splice(random.below(lines.length), 1)
      lines.splice(random.below(lines.length + 1), 0, ...(random.chance(2) ? [line, line] : [line]))
      return lines.join('\n')
    }
    case 5: {
      const taken = other.match(TOKEN) ?? []
      const from = random.below(taken.length + 1)
      return [
        ...tokens.slice(0, at),
        ...taken.slice(from, from + 1 + random.below(12)),
        ...tokens.slice(at)
      ].join('')
    }
    case 6:
      return [...tokens.slice(0, at), nest(tokens[at] ?? 'x', random), ...tokens.slice(at + 1)].join('')
    case 7:
      return random.chance(3) && words === YAML
        ? `${bomb(random.pick([3, 6, 9]))}\n${text}`
        : text.replaceAll('\n', random.pick(['\r\n', '\r', ' ', '\n\n']))
    default:
      return [
        ...tokens.slice(0, at),
        tokens[random.below(tokens.length)] ?? word,
        ...tokens.slice(at + 1)
      ].join('')
  }
}

/** Changes text by its words: those of the text itself, of another one, and of the language. */
export function mutateText(words: Words): Mutator {
  return (input, random, other) => {
    if (random.chance(8)) return mutateBytes(input, random, other)
    let text = Buffer.from(input).toString('utf8')
    const source = Buffer.from(other).toString('utf8')
    for (let times = 1 + random.below(3); times > 0; times -= 1) text = step(text, random, words, source)
    return new Uint8Array(Buffer.from(text))
  }
}
