import { z } from 'zod'
import { type PolicySimulated, policySimulated } from '../../../api/index.ts'
import { agreementBody } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { readAgreement } from '../../read-agreement.ts'
import { plain, table } from '../../render/index.ts'
import { instantOf, readRules } from './read-rules.ts'

const options = z.object({
  agreement: z.string().optional(),
  policy: z.string().optional(),
  since: z.string().optional()
})

/** Changes are what was asked for: the exit code is 0 whether there are any or not. */
export async function simulate(context: Context, input: Input): Promise<undefined> {
  const { agreement, policy, since } = parseOptions(input.options, options)
  if (agreement === undefined && policy === undefined)
    throw new UsageError('expected --agreement FILE or --policy FOLDER, or both: what would be in force')
  const from = instantOf(since, '--since')
  const json = {
    ...(agreement === undefined ? {} : { agreement: agreementBody(await readAgreement(context, agreement)) }),
    ...(policy === undefined ? {} : { files: (await readRules(context, policy)).files }),
    ...(from === undefined ? {} : { since: new Date(from).toISOString() })
  }
  const client = await context.client()
  const simulated = await client.post('/api/v1/policy/simulate', { json }, policySimulated)
  context.answer(simulated, () => render(context, simulated))
  return undefined
}

type Shown = PolicySimulated['changes'][number]['old']

function said({ verdict, code, clause }: Shown): string {
  return verdict === 'permit' ? 'permit' : plain(clause === null ? `${code}` : `${code} (${clause})`)
}

function render(
  { style, width }: Context,
  { requests, rows, skipped, changes, notes }: PolicySimulated
): string {
  const summary = `${requests} requests with ${rows} rows were decided again; ${changes.length} verdicts would be others.`
  const reasons = new Set(skipped.map(({ reason }) => reason))
  return [
    ...(changes.length === 0
      ? []
      : [
          table(
            ['at', 'user', 'purpose', 'archetype', 'compute', 'now', 'then', 'request'].map((title) => ({
              title
            })),
            changes.map((one) => [
              one.at,
              one.user,
              one.purpose,
              one.archetype,
              one.infrastructure ?? '',
              said(one.old),
              said(one.new),
              one.request
            ]),
            { style, ...width }
          )
        ]),
    summary,
    ...(skipped.length === 0
      ? []
      : [`${skipped.length} could not be: ${[...reasons].map(plain).join('; ')}`]),
    ...notes.map((note) => style.dim(plain(note)))
  ].join('\n')
}
