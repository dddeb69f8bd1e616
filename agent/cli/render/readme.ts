import type { ContractView, RequestView } from '../../api/index.ts'
import { rowsInWords, timeInWords } from './units.ts'

export interface ReadmeOf {
  view: RequestView
  /** As it was written; unknown where another member asked. */
  submission: Readonly<Record<string, unknown>> | undefined
  contract: ContractView | undefined
  /** The names of each result's files. */
  results: readonly (readonly string[])[]
  pictures: readonly string[]
}

/** As a person would write it: a list of names without brackets, anything else as JSON. */
function inWords(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((one) => typeof one === 'string'))
    return value.length === 0 ? 'none' : value.join(', ')
  return JSON.stringify(value) ?? ''
}

/** Text of others inside Markdown: shows itself, on one line, and does nothing. */
function inline(value: unknown): string {
  const text = inWords(value)
  return text
    .replaceAll(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]|#!>~]/g, '\\$&')
}

/** A block that its own text cannot end. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text}\n${fence}`
}

function tableOf(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const line = (cells: readonly unknown[]) => `| ${cells.map(inline).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

function listOf(entries: readonly (readonly [string, unknown])[]): string {
  const told = entries.filter(([, value]) => value !== undefined && value !== null)
  return told.map(([name, value]) => `- ${name}: ${inline(value)}`).join('\n')
}

const titled = (title: string, body: string) => (body === '' ? [] : [`## ${title}\n\n${body}`])

function asked({ submission, view }: ReadmeOf): string {
  if (submission === undefined) return listOf([['by', view.user]])
  const { query, algorithm, purpose, datasets, providers, recipients, options, optimise, deadline } =
    submission
  const about = listOf([
    ['by', view.user],
    ['purpose', purpose],
    ['datasets', datasets],
    ['providers', providers],
    ['recipients', recipients],
    ['algorithm', algorithm],
    ['options', options],
    ['optimise', optimise],
    ['deadline', deadline]
  ])
  return typeof query === 'string' ? `${fenced(query, 'sql')}\n\n${about}` : about
}

function termsOf(contract: ContractView | undefined): string {
  const terms = contract?.header.terms
  if (terms === null || typeof terms !== 'object') return ''
  return listOf(
    Object.entries(terms).map(([name, value]) =>
      name === 'until' && typeof value === 'number' ? [name, new Date(value).toISOString()] : [name, value]
    )
  )
}

function outcomeOf(view: RequestView): string {
  const reasons = (view.refusals ?? []).map(
    ({ hop, code, reason }) => `- ${inline(`${hop}: ${code}: ${reason}`)}`
  )
  const failed = view.error === undefined ? [] : [`- ${inline(`${view.error.code}: ${view.error.message}`)}`]
  return [...reasons, ...failed].join('\n')
}

function filesOf({ view, results, pictures, submission, contract }: ReadmeOf): string {
  const rows: [string, string][] = results.flatMap((names, index): [string, string][] => {
    const result = view.results?.[index]
    if (result === undefined) return []
    const what = `${rowsInWords(result.rowCount)} from ${result.from.join(', ')}: ${result.columns
      .map((column, at) => `${column} ${result.types[at] ?? ''}`)
      .join(', ')}`
    return names.map((name) => [name, what])
  })
  for (const picture of pictures) rows.push([picture, 'picture'])
  rows.push(['request.json', 'the answer of the agent: decisions, candidates, receipts, the first rows'])
  if (submission !== undefined) rows.push(['request.yaml', 'the request, to submit it again'])
  if (contract !== undefined)
    rows.push(['contract.json', 'the contract: its header, and the sections addressed to this agent'])
  return tableOf(['file', 'what'], rows)
}

function again({ view, submission }: ReadmeOf): string {
  if (submission === undefined) return ''
  const commands = [
    `dynamos request rerun ${view.request} --out again`,
    'dynamos request submit request.yaml --out again'
  ]
  return `At the same agent, or at another one whose organisation may ask for it:\n\n${fenced(commands.join('\n'), 'sh')}`
}

/** The page that lies beside a saved answer: what was asked, by whom it was decided, what ran, and how to run it again. */
export function renderReadme(told: ReadmeOf): string {
  const { view, contract } = told
  const took = view.timing.total === undefined ? '' : `, in ${timeInWords(view.timing.total)}`
  const by = view.archetype === null ? '' : ` by ${inline(view.archetype)}`
  return `${[
    `# Request ${view.request}`,
    `${view.status}${by}, submitted ${inline(view.submitted)}${took}.`,
    ...titled('What was asked', asked(told)),
    ...titled('Why it has no result', outcomeOf(view)),
    ...titled(
      'What ran where',
      view.chain
        .map(
          ({ service, at, again }) =>
            `1. ${inline(service)} at ${inline(at)}${again === true ? ', run again to be compared' : ''}`
        )
        .join('\n')
    ),
    ...titled('Terms of the result', termsOf(contract)),
    ...titled(
      'Who decided',
      view.decisions.length === 0
        ? ''
        : tableOf(
            ['hop', 'question', 'verdict', 'clauses'],
            view.decisions.map((one) => [one.hop, one.question, one.verdict, one.clauses.join(', ')])
          )
    ),
    ...titled('Not taking part', view.missing.map((one) => `- ${inline(one)}`).join('\n')),
    ...titled('Notes', view.notes.map((note) => `- ${inline(note)}`).join('\n')),
    ...titled('Files', filesOf(told)),
    ...titled('Running it again', again(told))
  ].join('\n\n')}\n`
}
