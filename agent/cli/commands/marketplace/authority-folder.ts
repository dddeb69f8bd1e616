import { rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { PrivateKey } from '@libp2p/interface'
import { z } from 'zod'
import { hasCode } from '../../../../protocol/errors/index.ts'
import { readUserFile } from '../../../config/index.ts'
import { replacePrivateFile } from '../../../identity/index.ts'
import {
  type Authority,
  charterText,
  type Marketplace,
  MembershipFileInvalid,
  marketplaceText,
  missingIn,
  openMarketplace,
  openProposal,
  packageText,
  proposalText,
  statusText
} from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { openKey } from '../../passphrase.ts'

/** Files of an authority. Only charter and status list are for others. */
export function authorityFiles(context: Pick<Context, 'terminal'>, dir: string) {
  const folder = resolve(context.terminal.cwd, dir)
  return {
    folder,
    key: join(folder, 'authority.key'),
    state: join(folder, 'marketplace.json'),
    charter: join(folder, 'charter.json'),
    status: join(folder, 'status.json'),
    /** The next state, when other authorities have to sign it too. */
    proposal: join(folder, 'proposal.json'),
    /** Which status list the key signed under which number. */
    signed: join(folder, 'signed-lists.json')
  }
}
export type AuthorityFiles = ReturnType<typeof authorityFiles>

/** An authority at work: where things are, what holds, and what is to hold next. */
export interface AuthorityDesk {
  files: AuthorityFiles
  /** What enough authorities have signed; undefined before there is such a thing. */
  state: Marketplace | undefined
  /** What the work goes on from: the state, or what others have still to sign. */
  marketplace: Marketplace
  key: PrivateKey
  by: Authority
  /** Ids of the status lists that the key signed, by number. */
  signed: Map<number, string>
}

async function textIn(file: string): Promise<string | undefined> {
  try {
    return (await readUserFile(file)).text
  } catch (error) {
    if (error instanceof Error && hasCode(error.cause, 'ENOENT')) return undefined
    throw error
  }
}

const signedLists = z.record(z.string().regex(/^\d{1,15}$/), z.string().max(128))

export async function readSigned(files: AuthorityFiles): Promise<Map<number, string>> {
  const text = await textIn(files.signed)
  if (text === undefined) return new Map()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  const parsed = signedLists.safeParse(value)
  if (!parsed.success)
    throw new MembershipFileInvalid(
      `${files.signed}: expected the numbers of the status lists that the key signed; take the file from a backup, since without it the key may sign two lists of one number`
    )
  return new Map(Object.entries(parsed.data).map(([number, id]) => [Number(number), id]))
}

export async function openState(files: AuthorityFiles): Promise<Marketplace | undefined> {
  const text = await textIn(files.state)
  return text === undefined ? undefined : await openMarketplace(text)
}

/** @throws {MembershipFileInvalid} and what reading a file throws */
export async function openAuthority(context: Context, dir: string): Promise<AuthorityDesk> {
  const files = authorityFiles(context, dir)
  const pending = await textIn(files.proposal)
  const state = await openState(files)
  const marketplace =
    pending === undefined
      ? (state ?? (await openMarketplace((await readUserFile(files.state)).text)))
      : await openProposal(pending)
  const signed = await readSigned(files)
  const key = await openKey(files.key, context.terminal)
  const lastNumber = Math.max(0, ...signed.keys())
  return { files, state, marketplace, key, signed, by: { keys: [key], now: Date.now(), lastNumber } }
}

export interface Settled {
  /** What members are to be given, now that enough authorities have signed. */
  packages: { organisation: string; agents: string[]; expires: string; file: string }[]
  /** What others have to sign first. */
  pending: { file: string; missing: number; from: readonly string[] } | null
}

/**
 * Keeps the next state, and writes what is for others once enough authorities have signed it. Before anything signed leaves
 * the folder, the number of its status list is noted.
 */
export async function settle(
  { files, state, signed }: Pick<AuthorityDesk, 'files' | 'state' | 'signed'>,
  next: Marketplace,
  outputs: ReadonlyMap<string, string> = new Map()
): Promise<Settled> {
  const { number } = next.status.payload
  if (signed.get(number) !== next.status.id) {
    signed.set(number, next.status.id)
    await replacePrivateFile(files.signed, `${JSON.stringify(Object.fromEntries(signed))}\n`)
  }
  const missing = missingIn(next)
  const known = new Set(state?.memberships.map(({ id }) => id))
  const packages = next.memberships
    .filter(({ id }) => !known.has(id))
    .map((membership) => {
      const { organisation, agents, expires } = membership.payload
      const file = outputs.get(organisation) ?? join(files.folder, `${organisation}.membership.json`)
      return { membership, told: { organisation, agents, expires: new Date(expires).toISOString(), file } }
    })
  const told = packages.map((one) => one.told)
  if (missing.signatures > 0) {
    await replacePrivateFile(files.proposal, proposalText(next))
    const pending = { file: files.proposal, missing: missing.signatures, from: missing.from }
    return { packages: told, pending }
  }
  // Kept before it is given away: a membership the authority forgot could never be renewed.
  await replacePrivateFile(files.state, marketplaceText(next))
  await writeFile(files.charter, charterText(next.charter))
  await writeFile(files.status, statusText(next.status))
  for (const { membership, told: one } of packages)
    await replacePrivateFile(one.file, packageText({ ...next, membership }))
  await rm(files.proposal, { force: true })
  return { packages: told, pending: null }
}

/** What people are told when other authorities have to sign. */
export function pendingLines({ pending }: Settled): string[] {
  if (pending === null) return []
  return [
    `It holds once ${pending.missing} more of these sign: ${pending.from.join(', ')}.`,
    `Send one of them ${pending.file} over a safe way (it holds secrets); there: dynamos marketplace sign FILE`
  ]
}
