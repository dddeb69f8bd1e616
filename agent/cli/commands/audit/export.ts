import { createWriteStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { hasCode } from '../../../../protocol/errors/index.ts'
import { firstHeader } from '../../../audit/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'

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

/** The header names the request; all else is taken from the log anew. */
export async function openTo(context: Context, input: Input): Promise<undefined> {
  const [file] = z.tuple([z.string().min(1)]).parse(input.args)
  const { out, open: shown = 'all' } = parseOptions(input.options, options)
  const { request } = await headerOf(resolve(context.terminal.cwd, file))
  await save(context, request, out, shown)
  return undefined
}

const HEADER_BYTES = 4096

async function headerOf(file: string): Promise<{ request: string }> {
  const handle = await open(file, 'r').catch((cause: unknown) => {
    throw new UsageError(`${file}: expected an audit export; it could not be read`, { cause })
  })
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0)
    return firstHeader(buffer.subarray(0, bytesRead))
  } finally {
    await handle.close()
  }
}

async function save(
  context: Context,
  request: string,
  out: string,
  shown: string | undefined
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
  } catch (error) {
    if (hasCode(error, 'EEXIST'))
      throw new UsageError(`${out}: there is a file already; name another with --out`, { cause: error })
    // Half an export looks like one that somebody cut off.
    await rm(file, { force: true })
    throw error
  }
  context.answer(
    { request, file, bytes },
    () => `${out}: ${bytes} bytes; check it with: dynamos audit check ${out}`
  )
}
