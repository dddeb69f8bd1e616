import type { CandidateView } from '../../api/index.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

const shown = (value: number | undefined | null) =>
  value === undefined || value === null ? '–' : String(Number(value.toPrecision(4)))

/** What each candidate that may run would take, the best first; nothing when there is no choice. */
export function renderScores(
  candidates: readonly CandidateView[],
  options: { columns?: number; style: Style }
): string {
  const scored = candidates.filter(({ total }) => total !== null)
  if (scored.length < 2) return ''
  const best = [...scored].sort(
    (one, other) => Number(other.chosen) - Number(one.chosen) || (one.total ?? 0) - (other.total ?? 0)
  )
  const objectives = [...new Set(best.flatMap(({ scores }) => Object.keys(scores)))]
  return table(
    [
      { title: '' },
      { title: 'archetype' },
      { title: 'at' },
      ...objectives.map((title) => ({ title, align: 'right' as const })),
      { title: 'total', align: 'right' }
    ],
    best.map((candidate) => [
      candidate.chosen ? '→' : '',
      candidate.archetype,
      Object.values(candidate.at).join(', '),
      ...objectives.map((objective) => shown(candidate.scores[objective])),
      shown(candidate.total)
    ]),
    options
  )
}
