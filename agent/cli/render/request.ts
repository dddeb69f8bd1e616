import type { RequestView } from '../../api/index.ts'
import { renderCandidates } from './candidates.ts'
import { caret } from './caret.ts'
import { renderChain } from './chain.ts'
import { renderDecisions } from './decisions.ts'
import { renderReceipts } from './receipts.ts'
import { renderRefusal } from './refusal.ts'
import { renderResult } from './result.ts'
import type { Style } from './style.ts'
import { plain } from './text.ts'
import { timeInWords } from './units.ts'

export interface RequestRendering {
  style: Style
  columns?: number
  /** The analyst's own text, when it is at hand. */
  sql?: string
  /** Also candidates and receipts. */
  details: boolean
}

function headline(view: RequestView, style: Style): string {
  const paint =
    view.status === 'completed'
      ? style.good
      : ['refused', 'failed', 'timed-out'].includes(view.status)
        ? style.bad
        : style.bold
  const took = view.timing.total === undefined ? '' : ` in ${timeInWords(view.timing.total)}`
  const how = view.archetype === null ? '' : ` by ${plain(view.archetype)}`
  return `${paint(view.status)}${took}${how}  ${style.dim(plain(view.request))}`
}

function failureOf(view: RequestView, { sql, style }: RequestRendering): string[] {
  if (view.error === undefined) return []
  const { code, hop, step, position, message } = view.error
  const place = [hop, step].filter((part) => part !== null).map(plain)
  return [
    `${style.bad('✗')} ${style.bold(plain(code))}${place.length === 0 ? '' : ` at ${place.join(', ')}`}: ${plain(message)}`,
    ...(position === null || sql === undefined ? [] : [caret(sql, position)])
  ]
}

/** A request for people: how it ended, what came out, who decided what. */
export function renderRequest(view: RequestView, rendering: RequestRendering): string {
  const { style, details } = rendering
  const titled = (title: string, body: string) => (body === '' ? [] : [`${style.bold(title)}\n${body}`])
  const blocks = [
    headline(view, style),
    ...(view.waiting ?? []).map(
      ({ hop, by, until }) =>
        `Waits for the approval of ${by.map(plain).join(' or ')} at ${plain(hop)}, until ${plain(until)}`
    ),
    ...titled('Chain', renderChain(view.chain)),
    ...(view.results ?? []).map((result) => renderResult(result, rendering)),
    ...failureOf(view, rendering),
    ...(view.refusals ?? []).map((refusal) => renderRefusal(refusal, rendering)),
    ...titled('Decisions', renderDecisions(view.decisions, style)),
    ...(details && view.candidates.length > 0
      ? titled('Candidates', renderCandidates(view.candidates, rendering))
      : []),
    ...(details && view.receipts.length > 0
      ? titled('Receipts', renderReceipts(view.receipts, rendering))
      : []),
    ...(view.missing.length === 0 ? [] : [`Not taking part: ${view.missing.map(plain).join(', ')}`]),
    ...titled('Notes', view.notes.map((note) => `- ${plain(note)}`).join('\n'))
  ]
  return blocks.join('\n\n')
}
