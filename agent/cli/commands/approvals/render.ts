import type { ApprovalView } from '../../../api/index.ts'
import { plain, type Style } from '../../render/index.ts'

/** All of it was written by others: no line of it may look like one of ours. */
function indented(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => `    ${plain(line)}`)
    .join('\n')
}

/** One request for whoever has to approve it: who asks what, what for, and the query as it was written. */
export function renderApproval(view: ApprovalView, style: Style): string {
  const parameters =
    Object.keys(Object(view.parameters)).length === 0 ? '' : ` ${JSON.stringify(view.parameters)}`
  return [
    `${style.bold(`${plain(view.user)} of ${plain(view.organisation)}`)}  ${style.dim(plain(view.request))}`,
    `  under ${plain(view.agreement)}, for ${plain(view.purpose)}, about ${view.datasets.map(plain).join(', ')}`,
    `  algorithm: ${plain(view.algorithm)}${plain(parameters)}`,
    indented(view.query),
    `  asked ${plain(view.asked)}; runs out ${plain(view.until)}; may approve: ${view.by.map(plain).join(', ')}`
  ].join('\n')
}
