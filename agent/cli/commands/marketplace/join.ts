import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { loadAgentConfig, readUserFile } from '../../../config/index.ts'
import { peerOfKeyFile } from '../../../identity/index.ts'
import { joinRequestText, openCharter } from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { openKey } from '../../passphrase.ts'
import { makeSuccessor, peerIfThere, successorOf } from './new-keys.ts'

const joinOptions = z.object({
  out: z.string(),
  speaksFor: z.array(z.string()).optional(),
  newKey: z.array(z.enum(['agent', 'steward'], 'expected agent or steward')).default([])
})

export async function join(context: Context, input: Input): Promise<undefined> {
  const { cwd } = context.terminal
  const [charterFile] = parseOptions(input.args, z.tuple([z.string()]))
  const { out, speaksFor, newKey } = parseOptions(input.options, joinOptions)
  const charter = await openCharter((await readUserFile(resolve(cwd, charterFile))).text)
  const config = await loadAgentConfig(resolve(cwd, context.connection.config ?? 'agent.yaml'))
  const files = { agent: config.identity.key, steward: config.identity.steward }
  const replaces: string[] = []
  for (const kind of newKey) {
    const before = await peerIfThere(files[kind])
    if (before !== undefined) replaces.push(before)
    await makeSuccessor(context, files[kind])
  }
  const fileOf = (kind: keyof typeof files): string =>
    newKey.includes(kind) ? successorOf(files[kind]) : files[kind]
  const key = await openKey(fileOf('agent'), context.terminal)
  const hasBefore = newKey.includes('agent') && (await peerIfThere(files.agent)) !== undefined
  const { peer: steward } = await peerOfKeyFile(fileOf('steward'))
  const request = await joinRequestText(
    {
      marketplace: charter.id,
      organisation: config.organisation,
      roles: config.roles,
      stewards: [steward],
      speaksFor: speaksFor ?? config.users,
      about: {},
      ...(replaces.length === 0 ? {} : { replaces })
    },
    key,
    ...(hasBefore ? [await openKey(files.agent, context.terminal)] : [])
  )
  const file = resolve(cwd, out)
  await writeFile(file, request)
  const { name, contact } = charter.payload
  context.answer(
    { marketplace: charter.id, name, organisation: config.organisation, request: file, replaces },
    () =>
      `${file} asks ${name} to admit ${config.organisation}${replaces.length === 0 ? '' : ' with a new key'}. Send it to ${contact || 'its authority'}, and install what comes back.`
  )
  return undefined
}
