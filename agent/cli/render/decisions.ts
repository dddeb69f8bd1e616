import type { DecisionView } from '../../api/index.ts'
import type { Style } from './style.ts'
import { padEnd, plain, widthOf } from './text.ts'
import { wrapped } from './wrap.ts'

/** `a#purposes, a#tables` as `a: purposes, tables`. */
function clausesInShort(clauses: readonly string[]): string {
  const byAgreement = new Map<string, string[]>()
  for (const clause of new Set(clauses)) {
    const at = clause.lastIndexOf('#')
    const agreement = clause.slice(0, Math.max(at, 0))
    byAgreement.set(agreement, [...(byAgreement.get(agreement) ?? []), clause.slice(at + 1)])
  }
  return [...byAgreement]
    .map(
      ([agreement, names]) =>
        `${agreement === '' ? '' : `${plain(agreement)}: `}${names.map(plain).join(', ')}`
    )
    .join('; ')
}

/** One line for each hop: what it was asked, in order, what it answered, and under which clauses. */
export function renderDecisions(decisions: readonly DecisionView[], style: Style, columns?: number): string {
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
      const clauses = clausesInShort(asked.flatMap((decision) => decision.clauses))
      const margin = ' '.repeat(names + 2)
      const by =
        columns === undefined
          ? `by ${clauses}`
          : wrapped(`by ${clauses}`, { columns: Math.max(columns - margin.length, 20), indent: 3 })
      const under = clauses === '' ? '' : `\n${style.dim(by.replaceAll(/^/gm, margin))}`
      return `${padEnd(plain(hop), names)}  ${answers.join('  ')}${under}`
    })
    .join('\n')
}
