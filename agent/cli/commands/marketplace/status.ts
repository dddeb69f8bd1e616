import { join } from 'node:path'
import { z } from 'zod'
import { replacePrivateFile } from '../../../identity/index.ts'
import { expel, packageText, renewMembership, renewStatus } from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { openAuthority, saveAuthority } from './authority-folder.ts'

const peerIds = z.array(z.string().regex(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/, 'expected peer ids')).min(1)
const since = z
  .string()
  .transform((text, issues) => {
    const instant = Date.parse(text)
    if (!Number.isNaN(instant)) return instant
    issues.addIssue('expected an instant such as 2026-01-31T12:00Z')
    return z.NEVER
  })
  .optional()

export async function expelPeers(context: Context, input: Input): Promise<undefined> {
  const parsed = peerIds.safeParse(input.args)
  if (!parsed.success)
    throw new UsageError('expected peer ids (12D3KooW…), as "marketplace members" lists them')
  const options = parseOptions(input.options, z.object({ dir: z.string(), since }))
  const { files, marketplace, by } = await openAuthority(context, options.dir)
  const changed = await expel(
    marketplace,
    parsed.data,
    options.since === undefined ? by : { ...by, since: options.since }
  )
  await saveAuthority(files, changed)
  const { number, expelled } = changed.status.payload
  context.answer({ number, expelled: expelled.map(({ peer }) => peer), file: files.status }, () =>
    [
      `Status list ${number} expels ${parsed.data.join(', ')}.`,
      `Install it at one member; the others get it from there: dynamos marketplace install ${files.status}`
    ].join('\n')
  )
  return undefined
}

const renewOptions = z.object({ dir: z.string(), statusOnly: z.boolean().default(false) })

export async function renew(context: Context, input: Input): Promise<undefined> {
  const named = parseOptions(input.args, z.array(z.string()))
  const { dir, statusOnly } = parseOptions(input.options, renewOptions)
  const { files, marketplace: before, by } = await openAuthority(context, dir)
  let marketplace = await renewStatus(before, by)
  const all = marketplace.memberships.map(({ payload }) => payload.organisation)
  const renewed: { organisation: string; expires: string; file: string }[] = []
  for (const organisation of statusOnly ? [] : named.length === 0 ? all : named) {
    const result = await renewMembership(marketplace, organisation, by)
    marketplace = result.marketplace
    const file = join(files.folder, `${organisation}.membership.json`)
    await saveAuthority(files, marketplace)
    await replacePrivateFile(file, packageText({ ...marketplace, membership: result.membership }))
    renewed.push({ organisation, expires: new Date(result.membership.payload.expires).toISOString(), file })
  }
  await saveAuthority(files, marketplace)
  const { number } = marketplace.status.payload
  context.answer({ number, status: files.status, renewed }, () =>
    [
      `Status list ${number}: ${files.status}`,
      ...renewed.map(
        ({ organisation, expires, file }) => `${organisation} is a member until ${expires}: ${file}`
      )
    ].join('\n')
  )
  return undefined
}
