import { z } from 'zod'
import { parseSubmission } from '../../../config/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { waitingOptions } from './finish.ts'
import { submitText } from './submit.ts'

const names = z.array(z.string())
const askOptions = z.object({
  dataset: names,
  purpose: z.string(),
  algorithm: z.string().optional(),
  value: z.string().optional(),
  by: names.optional(),
  graph: z.boolean().optional(),
  provider: names.optional(),
  archetype: names.optional()
})

export async function ask(context: Context, input: Input): Promise<number> {
  const [query] = parseOptions(input.args, z.tuple([z.string()]))
  const { dataset, purpose, algorithm, value, by, graph, provider, archetype } = parseOptions(
    input.options,
    askOptions
  )
  const waiting = parseOptions(input.options, waitingOptions)
  if (algorithm === undefined && (value !== undefined || by !== undefined))
    throw new UsageError(
      '--value and --by say what an algorithm works on; name it with --algorithm, such as average'
    )
  const written = {
    purpose,
    datasets: dataset,
    query,
    ...(algorithm === undefined
      ? {}
      : {
          algorithm: {
            name: algorithm,
            parameters: { ...(value === undefined ? {} : { value }), ...(by === undefined ? {} : { by }) }
          }
        }),
    ...(graph === true ? { options: { graph } } : {}),
    ...(provider === undefined ? {} : { providers: provider }),
    ...(archetype === undefined ? {} : { archetype })
  }
  const { query: sql } = parseSubmission(written, 'command line')
  return await submitText(context, { text: JSON.stringify(written), sql }, waiting)
}
