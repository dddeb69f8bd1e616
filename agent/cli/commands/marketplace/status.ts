import { z } from 'zod'
import {
  expel,
  keysOf,
  type Marketplace,
  membershipOf,
  NotMember,
  renewMembership,
  renewStatus,
  trusted
} from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { days, type Input, parseOptions } from '../../options.ts'
import { openAuthority, pendingLines, settle } from './authority-folder.ts'
import { pendingOf } from './create.ts'

const DAY_MS = 86_400_000
const PEER = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/
const instant = z
  .string()
  .transform((text, issues) => {
    const read = Date.parse(text)
    if (!Number.isNaN(read) && read >= 0) return read
    issues.addIssue('expected an instant such as 2026-01-31T12:00Z')
    return z.NEVER
  })
  .optional()

const expelOptions = z.object({
  dir: z.string(),
  since: instant,
  stolenFrom: instant,
  reason: z.string().max(200, 'expected at most 200 letters').optional()
})

/** The keys that are meant: a peer id is one, an organisation has all those by which it could be taken for a member. */
function keysMeant(name: string, marketplace: Marketplace, now: number): string[] {
  if (PEER.test(name)) return [name]
  const keys = keysOf(marketplace, name, now)
  if (keys.length > 0) return keys
  const known = marketplace.memberships.map(({ payload }) => payload.organisation).join(', ')
  throw new UsageError(`expected a peer id or one of ${known || 'no members'}, found ${name}`)
}

export async function expelPeers(context: Context, input: Input): Promise<undefined> {
  const names = parseOptions(input.args, z.array(z.string()))
  if (names.length === 0)
    throw new UsageError(
      'expected peer ids (12D3KooW…) or organisations, as "marketplace members" lists them'
    )
  const { dir, since, stolenFrom, reason } = parseOptions(input.options, expelOptions)
  const desk = await openAuthority(context, dir)
  const { now } = desk.by
  for (const [option, value] of Object.entries({ since, 'stolen-from': stolenFrom }))
    if (value !== undefined && value > now)
      throw new UsageError(`--${option}: expected an instant of the past`)
  const keys = names.flatMap((name) => keysMeant(name, desk.marketplace, now))
  const changed = await expel(desk.marketplace, keys, {
    ...desk.by,
    ...(since === undefined ? {} : { since }),
    ...(stolenFrom === undefined ? {} : { stolenFrom }),
    ...(reason === undefined ? {} : { reason })
  })
  const settled = await settle(desk, changed)
  const { number, expelled } = changed.status.payload
  context.answer(
    { number, expelled: expelled.map(({ peer }) => peer), file: desk.files.status, ...pendingOf(settled) },
    () =>
      [
        `Status list ${number} expels ${keys.join(', ')}.`,
        ...(settled.pending === null
          ? [
              `Tell one member, the others get it from there: dynamos marketplace publish ${desk.files.status}`
            ]
          : pendingLines(settled))
      ].join('\n')
  )
  return undefined
}

const renewOptions = z.object({
  dir: z.string(),
  statusOnly: z.boolean().default(false),
  endingWithin: days.optional()
})

export async function renew(context: Context, input: Input): Promise<undefined> {
  const named = parseOptions(input.args, z.array(z.string()))
  const { dir, statusOnly, endingWithin } = parseOptions(input.options, renewOptions)
  const desk = await openAuthority(context, dir)
  const before = desk.marketplace
  for (const name of named)
    if (membershipOf(before, name) === undefined)
      throw new NotMember(`expected a member called ${name}, found none; "marketplace admit" makes one`)
  let marketplace = await renewStatus(before, desk.by)
  const until = endingWithin === undefined ? Number.POSITIVE_INFINITY : desk.by.now + endingWithin * DAY_MS
  const due = before.memberships.filter(
    ({ payload }) =>
      !statusOnly &&
      (named.length === 0 || named.includes(payload.organisation)) &&
      payload.expires <= until &&
      trusted(before, payload.agents).length > 0
  )
  for (const { payload } of due)
    marketplace = (await renewMembership(marketplace, payload.organisation, desk.by)).marketplace
  const settled = await settle(desk, marketplace)
  const { number } = marketplace.status.payload
  const renewed = settled.packages.map(({ organisation, expires, file }) => ({ organisation, expires, file }))
  context.answer({ number, status: desk.files.status, renewed, ...pendingOf(settled) }, () =>
    [
      `Status list ${number}: ${desk.files.status}`,
      ...renewed.map(
        ({ organisation, expires, file }) => `${organisation} is a member until ${expires}: ${file}`
      ),
      ...pendingLines(settled)
    ].join('\n')
  )
  return undefined
}
