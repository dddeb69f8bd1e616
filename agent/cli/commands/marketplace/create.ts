import { randomBytes } from 'node:crypto'
import { access, mkdir } from 'node:fs/promises'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { z } from 'zod'
import { createKey, peerOfKeyFile } from '../../../identity/index.ts'
import { createMarketplace } from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { days, type Input, parseOptions } from '../../options.ts'
import { newPassphrase, openKey } from '../../passphrase.ts'
import { authorityFiles, pendingLines, settle } from './authority-folder.ts'

const DAY_MS = 86_400_000
const PEER = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/
const createOptions = z.object({
  dir: z.string(),
  contact: z.string(),
  membershipDays: days,
  statusDays: days,
  protect: z.boolean().default(false),
  authority: z.array(z.string().regex(PEER, 'expected a peer id, as "marketplace key" tells it')).default([]),
  threshold: z.coerce.number().int('expected a number of authorities').positive().max(16).default(1)
})

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false
  )
}

export async function create(context: Context, input: Input): Promise<undefined> {
  const [name] = parseOptions(input.args, z.tuple([z.string()]))
  const options = parseOptions(input.options, createOptions)
  const { contact, membershipDays, statusDays, protect, threshold } = options
  const files = authorityFiles(context, options.dir)
  for (const file of [files.state, files.proposal])
    if (await exists(file))
      throw new UsageError(`${file} is there already; choose another --dir for another marketplace`)
  await mkdir(files.folder, { recursive: true, mode: 0o700 })
  const key = (await exists(files.key))
    ? await openKey(files.key, context.terminal)
    : await createKey(files.key, protect ? { passphrase: await newPassphrase(context.terminal) } : {})
  const authorities = [...new Set([peerIdFromPrivateKey(key).toString(), ...options.authority])]
  if (threshold > authorities.length)
    throw new UsageError(
      `--threshold: expected at most ${authorities.length}, the number of authorities; name the others with --authority PEER`
    )
  const marketplace = await createMarketplace(
    {
      name,
      contact,
      discoveryKey: randomBytes(32),
      authorities,
      threshold,
      membershipLifetime: Math.round(membershipDays * DAY_MS),
      statusMaxAge: Math.round(statusDays * DAY_MS)
    },
    { keys: [key], now: Date.now() }
  )
  const settled = await settle({ files, state: undefined, signed: new Map() }, marketplace)
  const { id } = marketplace.charter
  context.answer(
    {
      marketplace: id,
      dir: files.folder,
      charter: files.charter,
      authorities,
      threshold,
      ...pendingOf(settled)
    },
    () =>
      [
        `${context.style.bold(name)} is marketplace ${id}`,
        '',
        ...(settled.pending === null ? [`  ${files.charter}  give it to whoever may join`] : []),
        `  ${files.key}  keep it secret, and a copy of it`,
        '',
        ...(settled.pending === null
          ? ['Next: dynamos marketplace admit JOIN-REQUEST']
          : pendingLines(settled))
      ].join('\n')
  )
  return undefined
}

/** In an answer: who has to sign, where somebody has. */
export function pendingOf({ pending }: Awaited<ReturnType<typeof settle>>): object {
  return pending === null ? {} : { pending }
}

/** A key for somebody who is to be an authority of a marketplace that another founds. */
export async function authorityKey(context: Context, input: Input): Promise<undefined> {
  const { dir, protect } = parseOptions(
    input.options,
    z.object({ dir: z.string(), protect: z.boolean().default(false) })
  )
  const files = authorityFiles(context, dir)
  await mkdir(files.folder, { recursive: true, mode: 0o700 })
  if (!(await exists(files.key)))
    await createKey(files.key, protect ? { passphrase: await newPassphrase(context.terminal) } : {})
  const { peer } = await peerOfKeyFile(files.key)
  context.answer({ authority: peer, file: files.key }, () =>
    [
      `${files.key} is the key of authority ${peer}. Keep it secret, and a copy of it.`,
      `Whoever founds the marketplace names it: dynamos marketplace create NAME --authority ${peer} --threshold N`
    ].join('\n')
  )
  return undefined
}
