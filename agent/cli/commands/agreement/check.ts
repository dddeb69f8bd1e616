import { z } from 'zod'
import {
  AgreementMalformed,
  byDomain,
  checkAgreement,
  describeDraft,
  type KnownFacts,
  loadRuleReader,
  parseAgreement,
  unenforceableClauses
} from '../../../../policy/index.ts'
import { type AgreementView, checkedAgreement, type Finding } from '../../../api/index.ts'
import { agreementBody, type Client } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { EXIT } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { reachableAgent, unlessUnreachable } from '../../reachable-agent.ts'
import { ownValue, type ReadAgreement, readAgreement } from '../../read-agreement.ts'
import { factsOfFiles } from './compared.ts'
import { renderFindings } from './render.ts'

const checkOptions = z.object({
  dataset: z.string().min(1).optional(),
  beside: z.array(z.string().min(1)).default([])
})

interface Checked {
  findings: Finding[]
  view: AgreementView | null
}

async function checkHere({ text, name: file, files }: ReadAgreement, known: KnownFacts): Promise<Checked> {
  try {
    const draft = parseAgreement(text, file, byDomain, (name) => ownValue(files, name))
    const rules = draft.terms.cedar === undefined ? {} : { rules: (await loadRuleReader()).agreement }
    return {
      findings: checkAgreement(draft, { now: Date.now(), ...rules, ...known }),
      view: {
        id: '',
        name: draft.name,
        provider: draft.provider,
        dataset: draft.dataset,
        parties: [],
        signedBy: [],
        state: 'draft',
        unenforceable: unenforceableClauses(draft.terms).map(({ clause }) => clause),
        plain: describeDraft(draft),
        terms: draft.terms
      }
    }
  } catch (error) {
    if (error instanceof AgreementMalformed) return { findings: [...error.findings], view: null }
    throw error
  }
}

async function checkThere(client: Client, read: ReadAgreement): Promise<Checked | undefined> {
  return await unlessUnreachable(
    client.post('/api/v1/agreements/check', { json: agreementBody(read) }, checkedAgreement)
  )
}

export async function check(context: Context, input: Input): Promise<number> {
  const [file] = parseOptions(input.args, z.tuple([z.string()]))
  const compared = parseOptions(input.options, checkOptions)
  const read = await readAgreement(context, file)
  const alone = compared.dataset !== undefined || compared.beside.length > 0
  const client = alone ? undefined : await reachableAgent(context)
  const asked = client === undefined ? undefined : await checkThere(client, read)
  const { findings, view } = asked ?? (await checkHere(read, await factsOfFiles(context, compared)))
  if (asked === undefined)
    context.say('checked without an agent: names of organisations, datasets and archetypes were not compared')
  context.answer({ findings, view }, () =>
    [
      ...(view === null ? [] : [view.plain.map((line) => `- ${line}`).join('\n')]),
      ...(findings.length === 0
        ? ['Nothing is wrong with it.']
        : [renderFindings(findings, read.name, context.style)])
    ].join('\n\n')
  )
  return findings.some(({ level }) => level === 'error') ? EXIT.usage : EXIT.done
}
