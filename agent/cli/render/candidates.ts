import type { CandidateView } from '../../api/index.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

const shown = (value: number | undefined | null) =>
  value === undefined || value === null ? '–' : String(Number(value.toPrecision(4)))

/** Every way the request could have run, with its scores, and why it was or was not chosen. */
export function renderCandidates(
  candidates: readonly CandidateView[],
  options: { columns?: number; style: Style }
): string {
  const scores = [...new Set(candidates.flatMap((candidate) => Object.keys(candidate.scores)))]
  return table(
    [
      { title: '' },
      { title: 'archetype' },
      { title: 'at' },
      ...scores.map((title) => ({ title, align: 'right' as const })),
      { title: 'total', align: 'right' },
      { title: 'why' }
    ],
    candidates.map((candidate) => [
      candidate.chosen ? '→' : '',
      candidate.archetype,
      Object.values(candidate.at).join(', '),
      ...scores.map((score) => shown(candidate.scores[score])),
      shown(candidate.total),
      candidate.why
    ]),
    options
  )
}
