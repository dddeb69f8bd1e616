import { DynamosError } from '../../protocol/errors/index.ts'
import type { Finding } from './finding.ts'

const SHOWN = 20

/** A text that is no agreement. Every problem is named, in the order of lines. */
export class AgreementMalformed extends DynamosError {
  static override readonly name = 'AgreementMalformed'
  readonly findings: readonly Finding[]

  constructor(file: string, findings: readonly Finding[]) {
    const lines = findings
      .slice(0, SHOWN)
      .map(({ line, clause, message }) =>
        [line === undefined ? file : `${file}:${line}`, ...(clause === '' ? [] : [clause]), message].join(
          ': '
        )
      )
    if (findings.length > SHOWN) lines.push(`${file}: and ${findings.length - SHOWN} more`)
    super('agreement-malformed', lines.join('\n'))
    this.findings = findings
  }
}
