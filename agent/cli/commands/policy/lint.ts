import { extname } from 'node:path'
import { z } from 'zod'
import { byDomain, type LintFinding, loadRuleReader, parseAgreement } from '../../../../policy/index.ts'
import { type LintView, lintView } from '../../../api/index.ts'
import { agreementBody, type Client } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { EXIT } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { reachableAgent, unlessUnreachable } from '../../reachable-agent.ts'
import { ownValue, readAgreement } from '../../read-agreement.ts'
import { readRules } from './read-rules.ts'
import { findings } from './render.ts'

type Found = LintView['findings'][number]

const AGREEMENTS = ['.yaml', '.yml', '.json']

async function asked(client: Client | undefined, body: object): Promise<Found[] | undefined> {
  if (client === undefined) return undefined
  const answer = await unlessUnreachable(client.post('/api/v1/policy/lint', { json: body }, lintView))
  return answer?.findings
}

function shown(found: readonly LintFinding[]): Found[] {
  return found.map((one) => ({ ...one }))
}

async function ofFile(context: Context, path: string, client: Client | undefined): Promise<Found[]> {
  if (AGREEMENTS.includes(extname(path).toLowerCase())) {
    const read = await readAgreement(context, path)
    const draft = parseAgreement(read.text, path, byDomain, (name) => ownValue(read.files, name))
    const { cedar = '' } = draft.terms
    if (cedar.trim() === '') context.say(`${path} has no rules of its own (cedar)`)
    const agreement = agreementBody(read)
    const found =
      (await asked(client, { agreement })) ?? (await offline(context, (reader) => reader.agreement(cedar)))
    return found.map((one) => ({ ...one, file: `${path} (cedar)` }))
  }
  const { files, ignored } = await readRules(context, path)
  for (const name of ignored) context.say(`${name} is not read: its name does not end in .cedar`)
  return (await asked(client, { files })) ?? (await offline(context, (reader) => reader.folder(files)))
}

async function offline(
  context: Context,
  read: (reader: Awaited<ReturnType<typeof loadRuleReader>>) => LintFinding[]
): Promise<Found[]> {
  context.say('looked at without an agent: names of purposes, organisations and so on were not compared')
  return shown(read(await loadRuleReader()))
}

export async function lint(context: Context, input: Input): Promise<number> {
  const [path] = parseOptions(input.args, z.tuple([z.string().optional()]).or(z.tuple([])))
  const found =
    path === undefined
      ? (await (await context.client()).post('/api/v1/policy/lint', { json: {} }, lintView)).findings
      : await ofFile(context, path, await reachableAgent(context))
  context.answer({ findings: found }, () =>
    found.length === 0 ? 'Nothing is wrong with these rules.' : findings(found, context.style)
  )
  return found.some(({ level }) => level === 'error') ? EXIT.usage : EXIT.done
}
