import { quoted, type RuleFinding } from '../../../../policy/index.ts'
import { plain, type Style } from '../../render/index.ts'

/** Places, one after the other, each with its line and a mark under it. */
export function findings(
  found: readonly (RuleFinding & { level: 'error' | 'warning'; kind?: string })[],
  style: Style
): string {
  return found
    .map((one) => {
      const mark = one.level === 'error' ? style.bad('error') : style.bold(one.kind ?? 'warning')
      const source = one.source === undefined ? {} : { source: plain(one.source) }
      return quoted({ ...one, ...source, file: plain(one.file), message: `${mark}: ${plain(one.message)}` })
    })
    .join('\n')
}
