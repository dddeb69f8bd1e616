import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { hasCode } from '../../../../protocol/errors/index.ts'
import { assertContinues, checkRecords } from '../../../audit/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { checkedFile } from './checked-file.ts'

const opened = z
  .string()
  .regex(/^(?:all|\d+(?:,\d+)*)$/, 'expected all, or numbers of entries with commas between them')
const options = z.object({ out: z.string().min(1), open: opened.optional() })

export async function exportTo(context: Context, input: Input): Promise<undefined> {
  const [request] = z.tuple([z.string().min(1)]).parse(input.args)
  const { out, open: shown } = parseOptions(input.options, options)
  await save(context, request, out, shown)
  return undefined
}

/** All but the request is taken from the log anew, which has to be the one that the file shows. */
export async function openTo(context: Context, input: Input): Promise<undefined> {
  const [name] = z.tuple([z.string().min(1)]).parse(input.args)
  const { out, open: shown = 'all' } = parseOptions(input.options, options)
  const earlier = await checkedFile(name, resolve(context.terminal.cwd, name))
  const [first] = earlier.exports
  if (first === undefined) throw new UsageError(`${name}: expected an audit export`)
  await save(context, first.request, out, shown, async (file) =>
    assertContinues(earlier, await checkRecords(createReadStream(file)))
  )
  return undefined
}

async function save(
  context: Context,
  request: string,
  out: string,
  shown: string | undefined,
  check: (file: string) => Promise<void> = async () => undefined
): Promise<void> {
  const file = resolve(context.terminal.cwd, out)
  const client = await context.client()
  const query = shown === undefined ? '' : `?open=${shown}`
  const path = `/api/v1/audit/requests/${encodeURIComponent(request)}/export${query}`
  const body = await client.download(path, 'application/vnd.dynamos.audit')
  let bytes = 0
  const counted = async function* () {
    for await (const chunk of body) {
      bytes += chunk.byteLength
      yield chunk
    }
  }
  try {
    await pipeline(Readable.from(counted()), createWriteStream(file, { flags: 'wx' }))
    await check(file)
  } catch (error) {
    if (hasCode(error, 'EEXIST'))
      throw new UsageError(`${out}: there is a file already; name another with --out`, { cause: error })
    // Half an export looks like one that somebody cut off; one that contradicts another is not to be passed on.
    await rm(file, { force: true })
    throw error
  }
  context.answer(
    { request, file, bytes },
    () => `${out}: ${bytes} bytes; check it with: dynamos audit check ${out}`
  )
}
