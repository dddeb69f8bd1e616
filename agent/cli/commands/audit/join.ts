import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { hasCode } from '../../../../protocol/errors/index.ts'
import type { CheckedFile } from '../../../audit/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { plain } from '../../render/index.ts'
import { checkedFile } from './checked-file.ts'

const files = z.array(z.string().min(1)).min(2, 'expected at least two exports').max(256)
const options = z.object({ out: z.string().min(1) })

/** Works without an agent: whoever got the exports may put them together. */
export async function join(context: Context, input: Input): Promise<undefined> {
  const { files: names } = parseOptions({ files: input.args }, z.object({ files }))
  const { out } = parseOptions(input.options, options)
  const paths = names.map((name) => resolve(context.terminal.cwd, name))
  const exports: CheckedFile['exports'][number][] = []
  for (const [index, path] of paths.entries()) {
    const name = names[index] ?? path
    for (const header of (await checkedFile(name, path)).exports) {
      const [first] = exports
      if (first !== undefined && first.marketplace !== header.marketplace)
        throw new UsageError(`${name}: expected an export of marketplace ${first.marketplace}`)
      if (first !== undefined && first.request !== header.request)
        throw new UsageError(`${name}: expected an export of request ${first.request}`)
      if (exports.some(({ peer }) => peer === header.peer))
        throw new UsageError(
          `${name}: there is an export of ${plain(header.organisation)} already; leave one out`
        )
      exports.push(header)
    }
  }
  await write(paths, out, resolve(context.terminal.cwd, out))
  const joined = exports.map(({ organisation, peer }) => ({ organisation, peer }))
  const parties = joined.map(({ organisation }) => plain(organisation)).join(', ')
  context.answer({ file: out, request: exports[0]?.request, exports: joined }, () => `${out}: ${parties}`)
  return undefined
}

async function write(paths: readonly string[], name: string, out: string): Promise<void> {
  const all = async function* () {
    for (const path of paths) yield* createReadStream(path)
  }
  try {
    await pipeline(all(), createWriteStream(out, { flags: 'wx' }))
  } catch (error) {
    if (hasCode(error, 'EEXIST'))
      throw new UsageError(`${name}: there is a file already; name another with --out`, { cause: error })
    // Half of it looks like something that somebody cut off.
    await rm(out, { force: true })
    throw error
  }
}
