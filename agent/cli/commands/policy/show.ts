import { type PolicyView, policyView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { plain } from '../../render/index.ts'
import { findings } from './render.ts'

export async function show(context: Context): Promise<undefined> {
  const client = await context.client()
  tell(context, await client.get('/api/v1/policy', policyView))
  return undefined
}

/** The exit code stays 0 when the folder cannot be used: the agent did what it was told, and rules are in force. */
export async function reload(context: Context): Promise<undefined> {
  const client = await context.client()
  tell(context, await client.post('/api/v1/policy/reload', { json: {} }, policyView))
  return undefined
}

function tell(context: Context, view: PolicyView): void {
  const { style } = context
  context.answer(view, () => {
    const { folder, policy, since, files, ignored, rules, warnings, broken, decisionPoint } = view
    const named = files.length === 0 ? 'no files' : files.map(plain).join(', ')
    return [
      `${rules} ${rules === 1 ? 'rule' : 'rules'} in force since ${since}, from ${plain(folder)} (${named})`,
      `policy ${policy}`,
      ...(ignored.length === 0
        ? []
        : [`not read, since their names do not end in .cedar: ${ignored.map(plain).join(', ')}`]),
      ...(decisionPoint === null ? [] : [`asked in addition, and can only forbid: ${plain(decisionPoint)}`]),
      ...(warnings.length === 0
        ? []
        : [
            findings(
              warnings.map((one) => ({ ...one, level: 'warning' as const })),
              style
            )
          ]),
      ...(broken === null
        ? []
        : [
            style.bad(
              `The folder cannot be used as it is since ${broken.since}; the last good rules stay in force:`
            ),
            findings(
              broken.findings.map((one) => ({ ...one, level: 'error' as const })),
              style
            )
          ])
    ].join('\n')
  })
}
