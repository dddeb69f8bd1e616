import type { AgreementDiff, AgreementView, Finding } from '../../../api/index.ts'
import { plain, type Style } from '../../render/index.ts'

export function renderFindings(findings: readonly Finding[], file: string, style: Style): string {
  return findings
    .map(({ level, clause, message, line, column, source }) => {
      const place = [
        file,
        ...(line === undefined ? [] : [line, ...(column === undefined ? [] : [column])])
      ].join(':')
      const quote = source === undefined ? '' : `\n    ${plain(source.trim())}`
      const mark = level === 'error' ? style.bad('error') : style.bold('warning')
      return `${place}: ${mark}: ${clause === '' ? '' : `${plain(clause)}: `}${plain(message)}${quote}`
    })
    .join('\n')
}

/** Terms that others wrote: no line of them may look like one of ours. */
export function exactly(text: string): string {
  return text
    .trimEnd()
    .split(/\r\n|\r|\n/)
    .map((line) => `    ${plain(line)}`)
    .join('\n')
}

function lifeOf(view: AgreementView): string[] {
  const { revocation } = view
  return [
    ...(view.proposedBy === undefined ? [] : [`Proposed by ${plain(view.proposedBy)}.`]),
    ...(view.counters === undefined ? [] : [`It answers ${plain(view.counters)} with other terms.`]),
    ...(view.supersedes === undefined ? [] : [`It replaces ${plain(view.supersedes)}.`]),
    ...(view.standing === undefined
      ? []
      : [`It is the standing offer ${plain(view.standing)} of ${plain(view.provider)}, taken.`]),
    ...(view.replacedBy === undefined
      ? []
      : [`By the word of ${plain(view.replacedBy)} other terms took its place, of which you are no party.`]),
    ...(view.refusals ?? []).map(
      ({ organisation, reason }) => `Refused by ${plain(organisation)}: ${plain(reason)}`
    ),
    ...(revocation === undefined
      ? []
      : [
          `Revoked by ${plain(revocation.organisation)}: ${plain(revocation.reason)}. It ends ${plain(revocation.ends)}; what runs then ${revocation.effect === 'finish' ? 'may finish' : 'is stopped'}.`
        ]),
    ...(view.undelivered ?? []).map(
      ({ organisation, reason, gaveUp }) =>
        `${plain(organisation)} ${gaveUp ? 'does not take it' : 'has not heard of it yet'}: ${plain(reason)}`
    ),
    ...(view.problems ?? []).map((problem) => `Before you sign: ${plain(problem)}`),
    ...(view.waiting ?? []).map(
      (id) => `A proposal waits under the same name: dynamos agreement show ${plain(id)} --diff`
    )
  ]
}

/** In words, and beside them the exact terms that the words were made from. */
export function renderAgreement(view: AgreementView, style: Style): string {
  const unsigned = view.parties.filter((party) => !view.signedBy.includes(party))
  return [
    `${style.bold(plain(view.name))}  ${view.state}  ${style.dim(plain(view.id))}`,
    view.plain.map((line) => `- ${plain(line)}`).join('\n'),
    ...(view.text === undefined ? [] : [`Exactly:\n\n${exactly(view.text)}`]),
    `Parties: ${view.parties.map(plain).join(', ')}`,
    ...(unsigned.length === 0 ? [] : [`Not signed yet by: ${unsigned.map(plain).join(', ')}`]),
    ...(lifeOf(view).length === 0 ? [] : [lifeOf(view).join('\n')]),
    ...(view.unenforceable.length === 0
      ? []
      : [
          style.bad(
            `This agent cannot enforce ${view.unenforceable.map(plain).join(', ')}: every request under it is refused.`
          )
        ])
  ].join('\n\n')
}

/** Two versions: sentences that went and came, then clause by clause. */
export function renderDiff(
  { name, before, after, clauses, removed, added }: AgreementDiff,
  style: Style
): string {
  const lines = (mark: string, texts: readonly string[]) => texts.map((text) => `${mark} ${plain(text)}`)
  return [
    `${style.bold(plain(name))}  ${style.dim(`${before === null ? 'nothing' : plain(before)} → ${plain(after)}`)}`,
    clauses.length === 0
      ? 'Both say the same.'
      : [...lines('-', removed), ...lines('+', added)].join('\n') || 'In words both say the same.',
    ...clauses.map(({ clause, before: was, after: is }) =>
      [
        `${plain(clause)}:`,
        ...(was === null ? [] : lines('  -', was.split('\n'))),
        ...(is === null ? [] : lines('  +', is.split('\n')))
      ].join('\n')
    )
  ].join('\n\n')
}
