import type { RequestView } from '../../api/index.ts'
import { caret } from './caret.ts'
import { renderChain } from './chain.ts'
import { renderDecisions } from './decisions.ts'
import { renderExplanation } from './explanation.ts'
import { renderReceipts } from './receipts.ts'
import { renderRefusal, whereExplained } from './refusal.ts'
import { renderResult } from './result.ts'
import type { Style } from './style.ts'
import { plain, widthOf } from './text.ts'
import { timeInWords } from './units.ts'

export interface RequestRendering {
  style: Style
  columns?: number
  /** The analyst's own text, when it is at hand. */
  sql?: string
  /** Also candidates and receipts. */
  details: boolean
}

const PAGES = 'dynamos explain CODE shows the page of a code.'

function headline(view: RequestView, { style, columns }: RequestRendering): string {
  const paint =
    view.status === 'completed'
      ? style.good
      : ['refused', 'failed', 'timed-out'].includes(view.status)
        ? style.bad
        : style.bold
  const took = view.timing.total === undefined ? '' : ` in ${timeInWords(view.timing.total)}`
  const how = view.archetype === null ? '' : ` by ${plain(view.archetype)}`
  const start = `${view.status}${took}${how}`
  const narrow = columns !== undefined && widthOf(`${start}  ${plain(view.request)}`) > columns
  return `${paint(view.status)}${took}${how}${narrow ? '\n' : '  '}${style.dim(plain(view.request))}`
}

function failureOf(view: RequestView, { sql, style }: RequestRendering): string[] {
  if (view.error === undefined) return []
  const { code, hop, step, position, message, verification } = view.error
  const place = [hop, step].filter((part) => part !== null).map(plain)
  const digests = (verification?.results ?? []).flatMap(({ first, again }) => [
    `  ${plain(verification?.of ?? '')}: ${plain(first)}`,
    `  ${plain(verification?.at ?? '')}: ${plain(again)}`
  ])
  const said = `${style.bad('✗')} ${style.bold(plain(code))}${place.length === 0 ? '' : ` at ${place.join(', ')}`}: ${plain(message)}`
  return [
    [said, ...digests].join('\n'),
    ...(position === null || sql === undefined ? [] : [caret(sql, position)]),
    style.dim(whereExplained(code))
  ]
}

/** What may be done with the results, one line each; what is open is left out. */
function termsOf({ terms }: RequestView): string {
  if (terms === undefined) return ''
  const { recipients, purposes, until, services, forbid, maxRows, minGroupSize, releaseAsk, onward } = terms
  const names = (list: '*' | string[]) => (list === '*' ? 'any' : list.map(plain).join(', '))
  return [
    `recipients: ${names(recipients)}`,
    `purposes: ${names(purposes)}`,
    ...(until === null ? [] : [`until: ${plain(until)}`]),
    ...(services.length === 0 ? [] : [`made with: ${names(services)}`]),
    ...(forbid.length === 0 ? [] : [`without: ${names(forbid)}`]),
    ...(maxRows === null ? [] : [`at most ${maxRows} rows`]),
    ...(minGroupSize === undefined ? [] : [`groups of at least ${minGroupSize} at each provider`]),
    ...(releaseAsk === undefined ? [] : ['released by its providers']),
    `onward: ${plain(onward)}`
  ].join('\n')
}

/** Who took back what it had permitted; of a request that failed over it the failure says the rest. */
function stopsOf({ stopped = [] }: RequestView, { style }: RequestRendering): string[] {
  return stopped.map(
    ({ hop, at, code, message }) =>
      `${style.bad('■')} Stopped by ${style.bold(plain(hop))} at ${plain(at)}: ${plain(message)} (${plain(code)})`
  )
}

/** A request for people: how it ended, what came out, who decided what. */
export function renderRequest(view: RequestView, rendering: RequestRendering): string {
  const { style, details } = rendering
  const titled = (title: string, body: string) => (body === '' ? [] : [`${style.bold(title)}\n${body}`])
  const told = details && view.candidates.length > 0
  const explained = told ? renderExplanation(view, rendering) : undefined
  const refusals =
    explained?.refusals ?? (view.refusals ?? []).map((refusal) => renderRefusal(refusal, rendering))
  const blocks = [
    headline(view, rendering),
    ...(view.waiting ?? []).map(
      ({ hop, by, until }) =>
        `Waits for the approval of ${by.map(plain).join(' or ')} at ${plain(hop)}, until ${plain(until)}`
    ),
    ...titled('Chain', renderChain(view.chain)),
    ...(view.results ?? []).map((result) => renderResult(result, rendering)),
    ...(details ? titled('Terms', termsOf(view)) : []),
    ...stopsOf(view, rendering),
    ...failureOf(view, rendering),
    ...titled('Candidates', explained?.candidates ?? ''),
    ...refusals,
    ...(refusals.length === 0 && view.error === undefined ? [] : [style.dim(PAGES)]),
    ...titled('Scores', explained?.scores ?? ''),
    ...titled('Decisions', renderDecisions(view.decisions, style, rendering.columns)),
    ...(details && view.receipts.length > 0
      ? titled('Receipts', renderReceipts(view.receipts, rendering))
      : []),
    ...(view.missing.length === 0 ? [] : [`Not taking part: ${view.missing.map(plain).join(', ')}`]),
    ...titled('Notes', view.notes.map((note) => `- ${plain(note)}`).join('\n'))
  ]
  return blocks.join('\n\n')
}
