import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { loadAgentConfig, readUserFile } from '../../../config/index.ts'
import { peerOfKeyFile } from '../../../identity/index.ts'
import { joinRequestText, openCharter } from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'
import { openKey } from '../../passphrase.ts'

export async function join(context: Context, input: Input): Promise<undefined> {
  const { cwd } = context.terminal
  const [charterFile] = parseOptions(input.args, z.tuple([z.string()]))
  const { out, speaksFor } = parseOptions(
    input.options,
    z.object({ out: z.string(), speaksFor: z.array(z.string()).optional() })
  )
  const charter = await openCharter((await readUserFile(resolve(cwd, charterFile))).text)
  const config = await loadAgentConfig(resolve(cwd, context.connection.config ?? 'agent.yaml'))
  const key = await openKey(config.identity.key, context.terminal)
  const { peer: steward } = await peerOfKeyFile(config.identity.steward)
  const request = await joinRequestText(
    {
      marketplace: charter.id,
      organisation: config.organisation,
      roles: config.roles,
      stewards: [steward],
      speaksFor: speaksFor ?? config.users,
      about: {}
    },
    key
  )
  const file = resolve(cwd, out)
  await writeFile(file, request)
  context.answer(
    { marketplace: charter.id, name: charter.payload.name, organisation: config.organisation, request: file },
    () =>
      `${file} asks ${charter.payload.name} to admit ${config.organisation}. Send it to ${charter.payload.contact || 'its authority'}, and install what comes back.`
  )
  return undefined
}
