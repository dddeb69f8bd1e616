import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { requestView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { pathOf } from './follow.ts'
import { ACCEPT, download, resultPath, saveAnswer } from './save.ts'

const resultOptions = z.object({
  from: z.string().optional(),
  format: z.enum(['json', 'csv', 'parquet'], 'expected json, csv or parquet'),
  out: z.string().optional()
})

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false
  )
}

export async function result(context: Context, input: Input): Promise<undefined> {
  const [id] = parseOptions(input.args, z.tuple([z.string().min(1)]))
  const { from, format, out } = parseOptions(input.options, resultOptions)
  if (context.json && (format !== 'json' || out !== undefined))
    throw new UsageError('--json prints the result itself; leave it out with --format or --out')
  const client = await context.client()
  if (out !== undefined && (await isFolder(resolve(context.terminal.cwd, out)))) {
    const view = await client.get(pathOf(id), requestView)
    await saveAnswer(context, client, view, resolve(context.terminal.cwd, out))
    return undefined
  }
  if (out !== undefined) {
    const file = resolve(context.terminal.cwd, out)
    await download(client, { id, from, format }, file)
    context.say(`written to ${file}`)
    return undefined
  }
  if (format === 'parquet' && context.terminal.colour)
    throw new UsageError('Parquet is no text for a terminal; write it with --out FILE')
  for await (const chunk of await client.download(resultPath(id, from), ACCEPT[format]))
    await context.terminal.outBytes(chunk)
  if (format === 'json') context.terminal.out('\n')
  return undefined
}
