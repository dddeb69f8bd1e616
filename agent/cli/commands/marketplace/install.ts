import { resolve } from 'node:path'
import { z } from 'zod'
import { type AgentConfig, loadAgentConfig, readUserFile } from '../../../config/index.ts'
import { peerOfKeyFile, replacePrivateFile } from '../../../identity/index.ts'
import { NotMember, openPackage, openStatus, packageText } from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { type Input, parseOptions } from '../../options.ts'

async function installStatus(config: AgentConfig, text: string): Promise<{ number: number; newer: boolean }> {
  const installed = await openPackage((await readUserFile(config.marketplace)).text)
  const status = await openStatus(text, installed.charter)
  const newer = status.payload.number > installed.status.payload.number
  if (newer) await replacePrivateFile(config.marketplace, packageText({ ...installed, status }))
  return { number: status.payload.number, newer }
}

function isStatusList(text: string): boolean {
  try {
    return z.object({ kind: z.literal('dynamos-status') }).safeParse(JSON.parse(text)).success
  } catch {
    return false
  }
}

export async function install(context: Context, input: Input): Promise<undefined> {
  const { cwd } = context.terminal
  const [file] = parseOptions(input.args, z.tuple([z.string()]))
  const config = await loadAgentConfig(resolve(cwd, context.connection.config ?? 'agent.yaml'))
  const { text } = await readUserFile(resolve(cwd, file))
  if (isStatusList(text)) {
    const { number, newer } = await installStatus(config, text)
    context.answer({ status: number, newer, file: config.marketplace }, () =>
      newer
        ? `Status list ${number} is installed; restart the agent.`
        : `Status list ${number} was known already.`
    )
    return undefined
  }
  const contents = await openPackage(text)
  const { organisation, agents, roles, expires } = contents.membership.payload
  const { peer } = await peerOfKeyFile(config.identity.key)
  if (!agents.includes(peer))
    throw new NotMember(
      `${file}: expected a membership that lists agent ${peer}, found one for ${agents.join(', ')}`
    )
  if (organisation !== config.organisation)
    throw new NotMember(
      `${file}: expected a membership of ${config.organisation} (as agent.yaml says), found one of ${organisation}`
    )
  for (const role of config.roles)
    if (!roles.includes(role))
      context.say(`warning: agent.yaml has the role ${role}, the membership does not`)
  await replacePrivateFile(config.marketplace, packageText(contents))
  const until = new Date(expires).toISOString()
  context.answer(
    { marketplace: contents.charter.id, organisation, roles, expires: until, file: config.marketplace },
    () => `${organisation} is a member of ${contents.charter.payload.name} until ${until}.`
  )
  return undefined
}
