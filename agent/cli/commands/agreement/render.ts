import type { AgreementView, Finding } from '../../../api/index.ts'
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

export function renderAgreement(view: AgreementView, style: Style): string {
  const unsigned = view.parties.filter((party) => !view.signedBy.includes(party))
  return [
    `${style.bold(plain(view.name))}  ${view.state}  ${style.dim(plain(view.id))}`,
    view.plain.map((line) => `- ${plain(line)}`).join('\n'),
    `Parties: ${view.parties.map(plain).join(', ')}`,
    ...(unsigned.length === 0 ? [] : [`Not signed yet by: ${unsigned.map(plain).join(', ')}`]),
    ...(view.unenforceable.length === 0
      ? []
      : [
          style.bad(
            `This agent cannot enforce ${view.unenforceable.map(plain).join(', ')}: every request under it is refused.`
          )
        ])
  ].join('\n\n')
}
