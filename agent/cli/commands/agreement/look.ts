import { z } from 'zod'
import { agreementView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { table } from '../../render/index.ts'
import { renderAgreement } from './render.ts'

export async function list(context: Context): Promise<undefined> {
  const client = await context.client()
  const agreements = await client.get('/api/v1/agreements', z.array(agreementView))
  context.answer(agreements, () =>
    agreements.length === 0
      ? 'No agreements. Write one and sign it: dynamos agreement sign FILE'
      : table(
          [
            { title: 'agreement' },
            { title: 'state' },
            { title: 'provider' },
            { title: 'dataset' },
            { title: 'parties' },
            { title: 'id' }
          ],
          agreements.map(({ name, state, provider, dataset, parties, id }) => [
            name,
            state,
            provider,
            dataset,
            parties.join(', '),
            id
          ]),
          { style: context.style }
        )
  )
  return undefined
}

export async function show(context: Context, input: Input): Promise<undefined> {
  const [name] = parseOptions(input.args, z.tuple([z.string().min(1)]))
  const client = await context.client()
  const view = await client.get(`/api/v1/agreements/${encodeURIComponent(name)}`, agreementView)
  context.answer(view, () => renderAgreement(view, context.style))
  return undefined
}
