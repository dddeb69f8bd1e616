import type { AnswerView, CandidateView, RefusalView } from '../../api/index.ts'
import type { Style } from './style.ts'
import { type Column, table } from './table.ts'
import { plain, widthOf } from './text.ts'
import { wrapped } from './wrap.ts'

export interface CandidatesRendering {
  style: Style
  columns?: number
  /** The number under which a refusal is told; it stands for it in the table. */
  numberOf(answer: AnswerView): number | undefined
}

const MARKS = { permit: '✓', deny: '✗', none: '?' } as const
/** Wider names of hops stand in a legend. */
const WIDEST_TITLE = 12
const WIDEST_TABLE = 80

const placeOf = ({ at }: CandidateView) => Object.values(at).map(plain).join(', ')

/** Answers hold a long text or list cut, the refusals hold it whole: what both have tells whether they are the same. */
const LETTERS = 1000
const VALUES = 64

/**
 * One refusal from another: it is told once, however many candidates it stands against. What a clause forbids of several
 * compute providers is one refusal; where there is no clause, the words tell them apart.
 */
export function keyOf({ hop, code, clause, reason = '', acceptable }: AnswerView | RefusalView): string {
  const values = Object.entries(acceptable ?? {}).map(([what, value]) => [
    what,
    Array.isArray(value) ? value.slice(0, VALUES) : value
  ])
  return JSON.stringify([hop, code, clause ?? reason.slice(0, LETTERS), values])
}

/** The hops that have a column of their own: those that take part in every candidate. The others are the compute providers. */
function columnsOf(candidates: readonly CandidateView[]): string[] {
  const [first, ...others] = candidates.map(({ answers = [] }) => answers.map(({ hop }) => hop))
  return (first ?? []).filter((hop) => others.every((hops) => hops.includes(hop)))
}

function mark(answer: AnswerView | undefined, { numberOf }: CandidatesRendering): string {
  if (answer === undefined) return ''
  const { verdict } = answer
  return verdict === 'permit' ? MARKS.permit : `${MARKS[verdict]}${numberOf(answer) ?? ''}`
}

/**
 * Every way the request could have run: what each hop said of it, its total, and which was chosen. A refusal is a number, told
 * below; why a candidate that all hops permit was not chosen, or may not be, stands under the table.
 */
export function renderCandidates(
  candidates: readonly CandidateView[],
  rendering: CandidatesRendering
): string {
  const { style, columns } = rendering
  const hops = columnsOf(candidates)
  const hosted = candidates.some(({ answers = [] }) => answers.some(({ hop }) => !hops.includes(hop)))
  const letters = hops.map((hop, index) => ({ hop, short: String.fromCharCode(65 + (index % 26)) }))
  const wide =
    hops.some((hop) => widthOf(plain(hop)) > WIDEST_TITLE) ||
    hops.reduce((sum, hop) => sum + widthOf(plain(hop)) + 2, 0) > WIDEST_TABLE / 2
  const titles: Column[] = [
    { title: '' },
    { title: 'archetype' },
    { title: 'at' },
    ...letters.map(({ hop, short }) => ({ title: wide ? short : hop })),
    ...(hosted ? [{ title: 'host' }] : []),
    { title: 'total', align: 'right' }
  ]
  const rows = candidates.map((candidate) => {
    const { answers = [] } = candidate
    return [
      candidate.chosen ? '→' : '',
      candidate.archetype,
      placeOf(candidate),
      ...hops.map((hop) =>
        mark(
          answers.find((one) => one.hop === hop),
          rendering
        )
      ),
      ...(hosted
        ? [
            mark(
              answers.find((one) => !hops.includes(one.hop)),
              rendering
            )
          ]
        : []),
      candidate.total === null ? '–' : String(Number(candidate.total.toPrecision(4)))
    ]
  })
  return [
    table(titles, rows, { style, ...(columns === undefined ? {} : { columns }) }),
    ...(wide ? [style.dim(`${letters.map(({ hop, short }) => `${short}: ${plain(hop)}`).join(', ')}`)] : []),
    ...whys(candidates).map((why) => wrapped(why, { columns: columns ?? WIDEST_TABLE, indent: 2 }))
  ].join('\n')
}

/**
 * What the table does not say: why the chosen one was, and what stands against those that every hop permits. Candidates with
 * the same reason are one line.
 */
function whys(candidates: readonly CandidateView[]): string[] {
  const lines = new Map<string, string[]>()
  for (const candidate of candidates) {
    const { answers = [], chosen, total, why } = candidate
    const refused = answers.some(({ verdict }) => verdict !== 'permit')
    if (chosen || (total === null && !refused)) {
      const key = `${chosen ? '→' : '·'} ${plain(why)}`
      lines.set(key, [...(lines.get(key) ?? []), `${plain(candidate.archetype)} at ${placeOf(candidate)}`])
    }
  }
  return [...lines].map(([why, [first = '', ...others]]) => {
    const who = others.length === 0 ? first : `${first} and ${others.length} more`
    return `${why.slice(0, 2)}${who}: ${why.slice(2)}`
  })
}
