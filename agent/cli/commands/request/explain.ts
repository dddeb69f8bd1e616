import { z } from 'zod'
import { requestView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { readRequest } from '../../read-request.ts'
import { tell } from './tell.ts'

export async function explain(context: Context, input: Input): Promise<number> {
  const [file] = parseOptions(input.args, z.tuple([z.string()]))
  const { text, submission } = await readRequest(context, file)
  const client = await context.client()
  const view = await client.post('/api/v1/explain', { yaml: text }, requestView)
  return tell(context, view, { sql: submission.query, details: true })
}
