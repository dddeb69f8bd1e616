import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { agreementDiff, agreementView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { plain, table } from '../../render/index.ts'
import { renderAgreement, renderDiff } from './render.ts'
import { listOffers, showOffer } from './standing.ts'

const listOptions = z.object({ standing: z.boolean().default(false), from: z.string().min(1).optional() })

export async function list(context: Context, input: Input): Promise<undefined> {
  const { standing, from } = parseOptions(input.options, listOptions)
  if (standing) return await listOffers(context, from)
  if (from !== undefined)
    throw new UsageError('expected --standing with --from: agreements are listed here only')
  const client = await context.client()
  const agreements = await client.get('/api/v1/agreements', z.array(agreementView))
  context.answer(agreements, () =>
    agreements.length === 0
      ? 'No agreements. Write one: dynamos agreement draft; then send it: dynamos agreement propose FILE'
      : table(
          [
            { title: 'agreement' },
            { title: 'state' },
            { title: 'proposed by' },
            { title: 'provider' },
            { title: 'dataset' },
            { title: 'parties' },
            { title: 'id' }
          ],
          agreements.map(({ name, state, proposedBy, provider, dataset, parties, id }) => [
            name,
            state,
            proposedBy ?? '',
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

const showOptions = z.object({
  diff: z.boolean().default(false),
  with: z.string().min(1).optional(),
  out: z.string().min(1).optional(),
  from: z.string().min(1).optional()
})

export async function show(context: Context, input: Input): Promise<undefined> {
  const [name] = parseOptions(input.args, z.tuple([z.string().min(1)]))
  const options = parseOptions(input.options, showOptions)
  if (options.from !== undefined) return await showOffer(context, name, options.from)
  const client = await context.client()
  const path = `/api/v1/agreements/${encodeURIComponent(name)}`
  if (options.diff || options.with !== undefined) {
    const other = options.with === undefined ? '' : `?with=${encodeURIComponent(options.with)}`
    const diff = await client.get(`${path}/diff${other}`, agreementDiff)
    context.answer(diff, () => renderDiff(diff, context.style))
    return undefined
  }
  const view = await client.get(path, agreementView)
  if (options.out !== undefined) {
    const file = resolve(context.terminal.cwd, options.out)
    await writeFile(file, `# ${plain(view.name)}, ${plain(view.id)}\n${view.text ?? ''}`)
    context.say(`written: ${file}`)
  }
  context.answer(view, () => renderAgreement(view, context.style))
  return undefined
}
