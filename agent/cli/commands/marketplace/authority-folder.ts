import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { readUserFile } from '../../../config/index.ts'
import { replacePrivateFile } from '../../../identity/index.ts'
import {
  type Authority,
  type Marketplace,
  marketplaceText,
  openMarketplace,
  statusText
} from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { openKey } from '../../passphrase.ts'

/** Files of an authority. Only charter and status list are for others. */
export function authorityFiles(context: Context, dir: string) {
  const folder = resolve(context.terminal.cwd, dir)
  return {
    folder,
    key: join(folder, 'authority.key'),
    state: join(folder, 'marketplace.json'),
    charter: join(folder, 'charter.json'),
    status: join(folder, 'status.json')
  }
}

export async function openAuthority(
  context: Context,
  dir: string
): Promise<{ files: ReturnType<typeof authorityFiles>; marketplace: Marketplace; by: Authority }> {
  const files = authorityFiles(context, dir)
  const { text } = await readUserFile(files.state)
  const marketplace = await openMarketplace(text)
  return { files, marketplace, by: { keys: [await openKey(files.key, context.terminal)], now: Date.now() } }
}

export async function saveAuthority(
  files: ReturnType<typeof authorityFiles>,
  marketplace: Marketplace
): Promise<void> {
  await replacePrivateFile(files.state, marketplaceText(marketplace))
  await writeFile(files.status, statusText(marketplace.status))
}
