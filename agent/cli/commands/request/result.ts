import { extname, resolve } from 'node:path'
import { z } from 'zod'
import { requestView } from '../../../api/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { pathOf } from './follow.ts'
import { isFolder, placeFile } from './place.ts'
import { ACCEPT, assertFreeFolder, download, resultPath, saveAnswer } from './save.ts'

const format = z.enum(['json', 'csv', 'parquet'], 'expected json, csv or parquet')
const whole = (least: number, most: number) =>
  z.coerce
    .number()
    .int('expected a whole number')
    .min(least, `expected at least ${least}`)
    .max(most, `expected at most ${most}`)

const resultOptions = z.object({
  from: z.string().optional(),
  format: format.optional(),
  offset: whole(0, Number.MAX_SAFE_INTEGER).optional(),
  limit: whole(1, 10_000).optional(),
  out: z.string().optional(),
  overwrite: z.boolean().default(false)
})
type ResultOptions = z.infer<typeof resultOptions>

/** A folder that is there, or that is written as one. */
async function folderNamed(out: string, path: string): Promise<boolean> {
  return /[/\\]$/.test(out) || (await isFolder(path))
}

function formatFor({ format: said, out }: ResultOptions): z.infer<typeof format> {
  const byName = format.safeParse(
    extname(out ?? '')
      .slice(1)
      .toLowerCase()
  )
  return said ?? byName.data ?? 'json'
}

async function saveFolder(
  context: Context,
  id: string,
  folder: string,
  options: ResultOptions
): Promise<void> {
  const { from, format: said, offset, limit, overwrite } = options
  if ([from, said, offset, limit].some((one) => one !== undefined))
    throw new UsageError(
      'a folder gets all of a request; --from, --format, --offset and --limit go with a file'
    )
  await assertFreeFolder(folder, overwrite)
  const client = await context.client()
  await saveAnswer(context, client, await client.get(pathOf(id), requestView), { folder, overwrite })
}

export async function result(context: Context, input: Input): Promise<undefined> {
  const [id] = parseOptions(input.args, z.tuple([z.string().min(1)]))
  const options = parseOptions(input.options, resultOptions)
  const { from, offset, limit, out, overwrite } = options
  const as = formatFor(options)
  if (context.json && (as !== 'json' || out !== undefined))
    throw new UsageError('--json prints the result itself; leave it out with --format or --out')
  if (out === undefined && as === 'parquet' && context.terminal.colour)
    throw new UsageError('Parquet is no text for a terminal; write it with --out FILE')
  const place = out === undefined ? undefined : { out, path: resolve(context.terminal.cwd, out) }
  if (place !== undefined && (await folderNamed(place.out, place.path))) {
    await saveFolder(context, id, place.path, options)
    return undefined
  }
  const path = resultPath(id, {
    ...(from === undefined ? {} : { from }),
    ...(offset === undefined ? {} : { offset }),
    ...(limit === undefined ? {} : { limit })
  })
  const client = await context.client()
  if (place !== undefined) {
    await placeFile(place.path, overwrite, async (file) => await download(client, path, ACCEPT[as], file))
    context.say(`written to ${place.path}`)
    return undefined
  }
  for await (const chunk of await client.download(path, ACCEPT[as])) await context.terminal.outBytes(chunk)
  return undefined
}
