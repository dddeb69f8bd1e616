import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { hasCode, instantText } from '../../../../protocol/errors/index.ts'
import { type AuditReport, type CheckedStep, checkExport } from '../../../audit/index.ts'
import type { Context } from '../../context.ts'
import { EXIT, UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { plain, type Style, table } from '../../render/index.ts'

const options = z.object({ html: z.string().min(1).optional() })

/** Works without an agent and without configuration: auditors have neither. */
export async function check(context: Context, input: Input): Promise<number> {
  const [name] = z.tuple([z.string().min(1)]).parse(input.args)
  const { html } = parseOptions(input.options, options)
  const report = await reportOf(name, resolve(context.terminal.cwd, name))
  if (html !== undefined) await draw(report, html, resolve(context.terminal.cwd, html))
  context.answer(report, () => inWords(report, context.style))
  if (report.verdict === 'unreadable') return EXIT.usage
  return report.verdict === 'broken' ? EXIT.failed : EXIT.done
}

async function reportOf(name: string, path: string): Promise<AuditReport> {
  try {
    return await checkExport(createReadStream(path))
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT') && !hasCode(cause, 'EISDIR') && !hasCode(cause, 'EACCES')) throw cause
    throw new UsageError(`${name}: expected an audit export; it could not be read`, { cause })
  }
}

async function draw(report: AuditReport, name: string, out: string): Promise<void> {
  const { pageOf } = await import('../../../audit/index.ts')
  try {
    await writeFile(out, pageOf(report), { flag: 'wx' })
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw cause
    throw new UsageError(`${name}: there is a file already; name another with --html`, { cause })
  }
}

/** All that a file says was written by others. */
function inWords(report: AuditReport, style: Style): string {
  const { asked } = report
  const lines = [verdictOf(report, style), '']
  if (asked !== null)
    lines.push(
      plain(
        `${asked.user} of ${asked.organisation} asked on ${instantText(asked.at)} for ${asked.datasets.join(', ')}, purpose ${asked.purpose}`
      ),
      ''
    )
  const parties = report.parties.map(({ organisation, roles, exported }) => [
    plain(organisation),
    roles.join(', '),
    exported ? 'its export is here' : style.dim('no export of it')
  ])
  if (parties.length > 0) lines.push(table([{ title: 'party' }, { title: 'as' }, { title: '' }], parties), '')
  const decisions = report.decisions.map((one) => [
    plain(one.organisation),
    String(one.sequence),
    one.question,
    one.verdict === 'permit' ? style.good(one.verdict) : style.bad(one.verdict),
    one.standing,
    style.dim(plain(one.why ?? ''))
  ])
  if (decisions.length > 0)
    lines.push(
      table(
        [
          { title: 'decided by' },
          { title: 'entry', align: 'right' },
          { title: 'question' },
          { title: 'verdict' },
          { title: 'standing' },
          { title: '' }
        ],
        decisions
      ),
      ''
    )
  const flows = report.flows.map(({ from, to, parts, sent, received }) => [
    `${plain(from)} → ${plain(to)}`,
    parts === null ? '' : String(parts),
    sent === null ? 'not told' : instantText(sent),
    received === null ? 'not told' : instantText(received)
  ])
  if (flows.length > 0)
    lines.push(
      table(
        [{ title: 'flow' }, { title: 'parts', align: 'right' }, { title: 'sent' }, { title: 'received' }],
        flows
      ),
      ''
    )
  for (const { organisation, result, code } of report.outcomes)
    lines.push(plain(`${organisation} signed: ${result}${code === null ? '' : ` (${code})`}`))
  for (const { organisation, verification } of report.steps)
    lines.push(...verificationIn(`${organisation} attests the same result`, verification))
  for (const { organisation, verification } of report.outcomes)
    lines.push(...verificationIn(`${organisation} attests different results`, verification))
  if (report.missing.length > 0)
    lines.push('', 'Not in the file:', ...report.missing.map((one) => `- ${plain(one)}`))
  return lines.join('\n').trimEnd()
}

/** What a recipient signed of two runs of the same steps; of what the digests are only it can show. */
function verificationIn(said: string, verification: CheckedStep['verification']): string[] {
  if (verification === undefined) return []
  const { of, at, results } = verification
  return results.map(({ first, again }) => plain(`${said}: ${of} gave ${first}, ${at} gave ${again}`))
}

function verdictOf({ verdict, finding, parties }: AuditReport, style: Style): string {
  if (finding === null) return style.good('confirmed: nothing in it breaks the rules')
  const { code, record, sequence, organisation, signer, reason } = finding
  const where = [
    `record ${record}`,
    ...(sequence === null ? [] : [`log entry ${sequence}`]),
    ...(organisation === null ? [] : [`in the export of ${organisation}`])
  ].join(', ')
  const by = parties.find(({ peer }) => peer === signer)?.organisation
  const signed =
    signer === null
      ? 'nobody has signed for it'
      : `it stands under the signature of ${by === undefined ? signer : `${by} (${signer})`}`
  return [style.bad(`${verdict}: ${code}`), plain(`${where}: ${reason}`), plain(signed)].join('\n')
}
