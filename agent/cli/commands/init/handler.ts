import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { z } from 'zod'
import { hasCode, toError } from '../../../../protocol/errors/index.ts'
import { commentedAgentConfig, loadAgentConfig } from '../../../config/index.ts'
import { loadOrCreateKey, peerOfKeyFile } from '../../../identity/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { newPassphrase } from '../../passphrase.ts'

const options = z.object({
  organisation: z.string(),
  dir: z.string(),
  role: z.array(z.string()).optional(),
  user: z.array(z.string()).optional(),
  listen: z.array(z.string()).optional(),
  bootstrap: z.array(z.string()).optional(),
  api: z.string().optional(),
  protect: z.enum(['none', 'steward', 'all'], 'expected none, steward or all')
})

/** Never over a file that is there: it may hold hours of somebody's work. */
async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' })
  } catch (cause) {
    const error = toError(cause)
    if (!hasCode(error, 'EEXIST')) throw error
    throw new UsageError(`${file} is there already; choose another --dir, or edit that file`, { cause })
  }
}

export async function init(context: Context, input: Input): Promise<undefined> {
  const { organisation, dir, role, user, listen, bootstrap, api, protect } = parseOptions(
    input.options,
    options
  )
  const folder = resolve(context.terminal.cwd, dir)
  const file = join(folder, 'agent.yaml')
  await mkdir(folder, { recursive: true })
  await writeNew(
    file,
    commentedAgentConfig({
      organisation,
      ...(role === undefined ? {} : { roles: role }),
      ...(user === undefined ? {} : { users: user }),
      ...(listen === undefined ? {} : { listen }),
      ...(bootstrap === undefined ? {} : { bootstrap }),
      ...(api === undefined ? {} : { api })
    })
  )
  const config = await loadAgentConfig(file)
  const passphrase = protect === 'none' ? {} : { passphrase: await newPassphrase(context.terminal) }
  await mkdir(join(folder, 'identity'), { recursive: true, mode: 0o700 })
  for (const name of [config.agreements, config.policy]) await mkdir(name, { recursive: true })
  await loadOrCreateKey(config.identity.key, protect === 'all' ? passphrase : {})
  await loadOrCreateKey(config.identity.steward, passphrase)
  const { peer } = await peerOfKeyFile(config.identity.key)
  const { peer: steward } = await peerOfKeyFile(config.identity.steward)
  context.answer({ config: file, organisation, peerId: peer, steward }, () =>
    [
      `${context.style.bold(organisation)} is agent ${peer}`,
      '',
      `  ${relative(context.terminal.cwd, file) || file}  its configuration, explained line by line`,
      '',
      'Next:',
      '  dynamos marketplace join CHARTER       asks an authority for a membership',
      '  dynamos marketplace install MEMBERSHIP installs what it answers',
      '  dynamos dataset add FILE --id ID       describes data of your own',
      `  dynamos agent run --config ${relative(context.terminal.cwd, file) || file}`
    ].join('\n')
  )
}
