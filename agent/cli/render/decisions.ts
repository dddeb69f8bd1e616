import type { DecisionView } from '../../api/index.ts'
import type { Style } from './style.ts'
import { padEnd, plain, widthOf } from './text.ts'

/** One line for each hop: what it was asked, in order, what it answered, and under which clauses. */
export function renderDecisions(decisions: readonly DecisionView[], style: Style): string {
  const hops = new Map<string, DecisionView[]>()
  for (const decision of decisions) hops.set(decision.hop, [...(hops.get(decision.hop) ?? []), decision])
  const names = Math.max(0, ...[...hops.keys()].map((hop) => widthOf(plain(hop))))
  return [...hops]
    .map(([hop, asked]) => {
      const answers = [
        ...new Set(
          asked.map(({ question, verdict }) =>
            verdict === 'permit'
              ? `${style.good('✓')} ${plain(question)}`
              : `${style.bad('✗')} ${plain(question)}`
          )
        )
      ]
      const clauses = [...new Set(asked.flatMap((decision) => decision.clauses))].map(plain)
      const under =
        clauses.length === 0 ? '' : `\n${' '.repeat(names + 2)}${style.dim(`by ${clauses.join(', ')}`)}`
      return `${padEnd(plain(hop), names)}  ${answers.join('  ')}${under}`
    })
    .join('\n')
}
