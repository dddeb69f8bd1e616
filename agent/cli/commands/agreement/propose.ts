import { z } from 'zod'
import { type AgreementView, agreementView } from '../../../api/index.ts'
import { agreementBody } from '../../../client/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { readAgreement } from '../../read-agreement.ts'
import { plain } from '../../render/index.ts'
import { renderAgreement } from './render.ts'

async function send(context: Context, file: string, counters?: string): Promise<AgreementView> {
  const read = await readAgreement(context, file)
  const client = await context.client()
  const json = { ...agreementBody(read), ...(counters === undefined ? {} : { counters }) }
  return await client.post('/api/v1/agreements/propose', { json }, agreementView)
}

function tell(context: Context, view: AgreementView): void {
  context.answer(view, () => renderAgreement(view, context.style))
  if (view.state === 'proposed')
    context.say(
      `It waits for its parties, this one too: dynamos agreement sign ${plain(view.name)}. Those that cannot be reached hear of it later.`
    )
}

export async function propose(context: Context, input: Input): Promise<undefined> {
  const [file] = parseOptions(input.args, z.tuple([z.string()]))
  tell(context, await send(context, file))
  return undefined
}

export async function counter(context: Context, input: Input): Promise<undefined> {
  const [name, file] = parseOptions(input.args, z.tuple([z.string().min(1), z.string()]))
  tell(context, await send(context, file, name))
  return undefined
}

export async function refuse(context: Context, input: Input): Promise<undefined> {
  const [name] = parseOptions(input.args, z.tuple([z.string().min(1)]))
  const { reason } = parseOptions(input.options, z.object({ reason: z.string() }))
  const client = await context.client()
  const path = `/api/v1/agreements/${encodeURIComponent(name)}/refuse`
  tell(context, await client.post(path, { json: { reason } }, agreementView))
  return undefined
}
