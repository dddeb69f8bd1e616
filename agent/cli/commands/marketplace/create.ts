import { randomBytes } from 'node:crypto'
import { access, mkdir, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { createKey } from '../../../identity/index.ts'
import { charterText, createMarketplace } from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { days, type Input, parseOptions } from '../../options.ts'
import { newPassphrase } from '../../passphrase.ts'
import { authorityFiles, saveAuthority } from './authority-folder.ts'

const DAY_MS = 86_400_000
const createOptions = z.object({
  dir: z.string(),
  contact: z.string(),
  membershipDays: days,
  statusDays: days,
  protect: z.boolean().default(false)
})

export async function create(context: Context, input: Input): Promise<undefined> {
  const [name] = parseOptions(input.args, z.tuple([z.string()]))
  const { dir, contact, membershipDays, statusDays, protect } = parseOptions(input.options, createOptions)
  const files = authorityFiles(context, dir)
  const exists = await access(files.state).then(
    () => true,
    () => false
  )
  if (exists)
    throw new UsageError(`${files.state} is there already; choose another --dir for another marketplace`)
  await mkdir(files.folder, { recursive: true, mode: 0o700 })
  const key = await createKey(files.key, protect ? { passphrase: await newPassphrase(context.terminal) } : {})
  const marketplace = await createMarketplace(
    {
      name,
      contact,
      discoveryKey: randomBytes(32),
      membershipLifetime: membershipDays * DAY_MS,
      statusMaxAge: statusDays * DAY_MS
    },
    { keys: [key], now: Date.now() }
  )
  await saveAuthority(files, marketplace)
  await writeFile(files.charter, charterText(marketplace.charter))
  context.answer({ marketplace: marketplace.charter.id, dir: files.folder, charter: files.charter }, () =>
    [
      `${context.style.bold(name)} is marketplace ${marketplace.charter.id}`,
      '',
      `  ${files.charter}  give it to whoever may join`,
      `  ${files.key}  keep it secret, and a copy of it`,
      '',
      'Next: dynamos marketplace admit JOIN-REQUEST'
    ].join('\n')
  )
  return undefined
}
