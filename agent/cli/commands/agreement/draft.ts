import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { didYouMean, draftFromTemplate, TEMPLATES, type Template } from '../../../../policy/index.ts'
import { type DatasetView, datasetView, healthView } from '../../../api/index.ts'
import { AgentSaysNo, AgentUnreachable, type Client } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { reachableAgent } from '../../reachable-agent.ts'
import { plain } from '../../render/index.ts'

const names = z.array(z.string().min(1)).default([])
const options = z.object({
  template: z.string().optional(),
  name: z.string().optional(),
  provider: z.string().optional(),
  dataset: z.string().optional(),
  consumer: names,
  purpose: names,
  algorithm: names,
  computeProvider: names,
  approver: names,
  until: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, 'expected a date such as 2027-01-01')
    .optional(),
  out: z.string().min(1).optional()
})

const YEAR_MS = 366 * 86_400_000

/** Asks on a terminal; elsewhere what is missing is an error that names the option. */
class Questions {
  readonly #context: Context
  constructor(context: Context) {
    this.#context = context
  }

  async one(option: string, question: string, given: string | undefined, standard?: string): Promise<string> {
    if (given !== undefined) return given
    if (!this.#context.terminal.interactive) {
      if (standard !== undefined) return standard
      throw new UsageError(`expected --${option}: ${question}`)
    }
    const hint = standard === undefined || standard === '' ? '' : ` [${plain(standard)}]`
    const answer = (await this.#context.terminal.ask(`${question}${hint}: `)).trim()
    if (answer !== '') return answer
    if (standard !== undefined) return standard
    throw new UsageError(`expected an answer: ${question}`)
  }

  async list(
    option: string,
    question: string,
    given: readonly string[],
    standard?: string
  ): Promise<string[]> {
    if (given.length > 0) return [...given]
    return (await this.one(option, question, undefined, standard))
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
  }
}

async function templateNamed(
  questions: Questions,
  context: Context,
  given: string | undefined
): Promise<Template> {
  if (given === undefined && context.terminal.interactive)
    context.say(TEMPLATES.map(({ name, about }) => `  ${name}: ${about}`).join('\n'))
  const name = await questions.one('template', 'Which template?', given, 'compute-to-data')
  const found = TEMPLATES.find((one) => one.name === name)
  if (found !== undefined) return found
  const known = TEMPLATES.map((one) => one.name)
  throw new UsageError(`expected a template of ${known.join(', ')}, found ${name}${didYouMean(name, known)}`)
}

/** Undefined: no agent is there, or the dataset is not known to it. */
async function ask<T>(
  client: Client | undefined,
  call: (client: Client) => Promise<T>
): Promise<T | undefined> {
  if (client === undefined) return undefined
  try {
    return await call(client)
  } catch (error) {
    if (error instanceof AgentUnreachable || error instanceof AgentSaysNo) return undefined
    throw error
  }
}

const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10)

export async function draft(context: Context, input: Input): Promise<undefined> {
  const given = parseOptions(input.options, options)
  const questions = new Questions(context)
  const client = await reachableAgent(context)
  const own = (await ask(client, async (one) => await one.get('/health', healthView)))?.organisation
  const template = await templateNamed(questions, context, given.template)
  const dataset = await questions.one('dataset', 'Which dataset?', given.dataset)
  const described: DatasetView | undefined = await ask(
    client,
    async (one) => await one.get(`/api/v1/datasets/${encodeURIComponent(dataset)}`, datasetView)
  )
  const holders = described?.providers.map(({ organisation }) => organisation) ?? []
  const likely = holders.length === 1 ? holders[0] : own
  const provider = await questions.one('provider', 'Whose data?', given.provider, likely)
  const consumers = await questions.list(
    'consumer',
    'Who may ask (organisations or users, with commas)?',
    given.consumer,
    own !== undefined && own !== provider ? own : undefined
  )
  const purposes = await questions.list('purpose', 'What for (with commas)?', given.purpose, 'research')
  const computeProviders = template.holders
    ? await questions.list(
        'compute-provider',
        'Who may hold the data besides the provider (with commas)?',
        given.computeProvider
      )
    : given.computeProvider
  const approvers =
    template.approval === undefined
      ? given.approver
      : await questions.list(
          'approver',
          `Who of ${plain(provider)} approves ${template.approval.when === 'always' ? 'each request' : 'the first request of each person'} (users, with commas; empty: nobody)?`,
          given.approver,
          ''
        )
  const now = Date.now()
  const text = draftFromTemplate({
    template,
    name: given.name ?? `${dataset}-${dayOf(now).slice(0, 4)}`,
    provider,
    dataset,
    consumers,
    purposes,
    ...(given.algorithm.length === 0 ? {} : { algorithms: given.algorithm }),
    computeProviders,
    approvers,
    from: dayOf(now),
    until: given.until ?? dayOf(now + YEAR_MS),
    tables: described?.tables ?? []
  })
  if (described === undefined)
    context.say(`the columns of ${plain(dataset)} are not known here: write them under tables`)
  const file = given.out === undefined ? undefined : resolve(context.terminal.cwd, given.out)
  if (file === undefined) {
    context.answer({ text }, () => text.trimEnd())
    return undefined
  }
  await writeFile(file, text, { flag: 'wx' }).catch((cause: unknown) => {
    throw new UsageError(`${file} is there already, or cannot be written; name another with --out`, { cause })
  })
  context.answer({ file, text }, () => `written: ${file}\nNext: dynamos agreement check ${given.out}`)
  return undefined
}
