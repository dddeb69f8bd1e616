import { z } from 'zod'
import {
  type AgreementDraft,
  type AgreementInForce,
  agreementParties,
  byDomain,
  createCedarEngine,
  parseAgreement
} from '../../../../policy/index.ts'
import type { User } from '../../../../protocol/documents/index.ts'
import { type PolicyExplained, policyExplained } from '../../../api/index.ts'
import type { Submission } from '../../../config/index.ts'
import { explainRequest } from '../../../policies/index.ts'
import type { Context } from '../../context.ts'
import { EXIT, UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { ownValue, readAgreement } from '../../read-agreement.ts'
import { readRequest } from '../../read-request.ts'
import { plain } from '../../render/index.ts'
import { instantOf, readRules } from './read-rules.ts'

const options = z.object({
  agreement: z.array(z.string()).optional(),
  policy: z.string().optional(),
  at: z.string().optional()
})

/** Which organisation speaks for an address only a marketplace tells; an agreement that names the person does too. */
function requesterOf(address: string, drafts: readonly AgreementDraft[]): User {
  const consumers = drafts.flatMap((draft) => draft.terms.consumers)
  const named = consumers.flatMap((one) => ('user' in one && one.user.name === address ? [one.user] : []))
  const [organisation] = consumers.flatMap((one) => ('organisation' in one ? [one.organisation] : []))
  const { organisation: domain, name } = byDomain(address)
  return named[0] ?? { organisation: organisation ?? domain, name }
}

/** As if every party had signed it: what is explained is what it says. */
function asIfInForce(draft: AgreementDraft, index: number, now: number): AgreementInForce {
  const { name, provider, dataset, terms } = draft
  return {
    id: `draft-${index}`,
    payload: {
      type: 'agreement',
      version: 1,
      marketplace: '',
      issuer: '',
      issuedAt: now,
      expires: terms.valid.until ?? Number.MAX_SAFE_INTEGER,
      name,
      provider,
      dataset,
      parties: agreementParties(draft),
      terms,
      pins: {}
    }
  }
}

async function here(
  context: Context,
  submission: Submission,
  named: { agreements: readonly string[]; policy: string | undefined; now: number }
): Promise<PolicyExplained> {
  const drafts: AgreementDraft[] = []
  for (const file of named.agreements) {
    const read = await readAgreement(context, file)
    drafts.push(parseAgreement(read.text, read.name, byDomain, (name) => ownValue(read.files, name)))
  }
  if (submission.user === undefined)
    throw new UsageError('expected `user` in the request: without an agent nobody else says who asks')
  const { files } = named.policy === undefined ? { files: [] } : await readRules(context, named.policy)
  const explained = explainRequest({
    engine: await createCedarEngine(files),
    agreements: drafts.map((draft, index) => asIfInForce(draft, index, named.now)),
    submission,
    requester: requesterOf(submission.user, drafts),
    now: named.now
  })
  const alone =
    'explained without an agent: which organisation speaks for whom, and which archetypes need a compute provider, is not known'
  return { ...explained, notes: [...explained.notes, alone] }
}

export async function explain(context: Context, input: Input): Promise<number> {
  const [file] = parseOptions(input.args, z.tuple([z.string()]))
  const { agreement, policy, at } = parseOptions(input.options, options)
  const { text, submission } = await readRequest(context, file)
  const now = instantOf(at, '--at')
  if (agreement === undefined && now !== undefined)
    throw new UsageError('--at goes with --agreement FILE: the agent takes its own clock')
  let explained: PolicyExplained
  if (agreement === undefined) {
    const client = await context.client()
    const drafted = policy === undefined ? {} : { files: (await readRules(context, policy)).files }
    const json = { request: text, ...drafted }
    explained = await client.post('/api/v1/policy/explain', { json }, policyExplained)
  } else
    explained = await here(context, submission, { agreements: agreement, policy, now: now ?? Date.now() })
  context.answer(explained, () => render(context, explained))
  return explained.explanations.some(({ verdict }) => verdict === 'permit') ? EXIT.done : EXIT.refused
}

function shown(value: unknown): string {
  if (!Array.isArray(value)) return String(value)
  return value.length === 0 ? 'none' : value.join(', ')
}

function render({ style }: Context, { explanations, notes }: PolicyExplained): string {
  const parts = explanations.map((one) => {
    const where = one.infrastructure === null ? '' : ` at ${plain(one.infrastructure)}`
    const verdict =
      one.verdict === 'permit' ? style.bold('permitted so far') : style.bad(`refused: ${one.code}`)
    const facts = Object.entries(one.facts)
      .filter(([name]) => name !== 'instant')
      .map(([name, value]) => `${name}: ${plain(shown(value))}`)
    const clauses = (says: 'permits' | 'later') =>
      one.rules.filter((rule) => rule.of === 'clause' && rule.says === says).map(({ rule }) => plain(rule))
    const [holding, later] = [clauses('permits'), clauses('later')]
    const rules = one.rules
      .filter(({ of, says }) => of !== 'clause' || says === 'forbids')
      .map(({ of, rule, says, words }) => {
        const kind = { clause: 'clause', agreement: 'rule of the agreement', folder: 'rule of the folder' }[
          of
        ]
        return `  ${says === 'forbids' ? style.bad('✗') : '✓'} ${kind} ${plain(rule)}: ${plain(words)}`
      })
    return [
      `${plain(one.provider)}, agreement ${plain(one.agreement)}, ${plain(one.archetype)}${where}: ${verdict}`,
      ...(one.undetermined === null ? [] : [`  no answer: ${plain(one.undetermined)}`]),
      style.dim(`  told: ${facts.join('; ')}`),
      ...(holding.length === 0 ? [] : [`  ✓ clauses that hold: ${holding.join(', ')}`]),
      ...(later.length === 0 ? [] : [`  … clauses that are asked later: ${later.join(', ')}`]),
      ...rules
    ].join('\n')
  })
  return [...parts, ...notes.map((note) => style.dim(plain(note)))].join('\n\n')
}
