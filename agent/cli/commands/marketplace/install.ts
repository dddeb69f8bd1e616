import { resolve } from 'node:path'
import { z } from 'zod'
import type { Signed } from '../../../../protocol/documents/index.ts'
import { AgentUnreachable } from '../../../client/index.ts'
import { type AgentConfig, loadAgentConfig, readUserFile } from '../../../config/index.ts'
import { replacePrivateFile } from '../../../identity/index.ts'
import { NotMember, openPackage, openStatus, packageText } from '../../../membership/index.ts'
import type { Context } from '../../context.ts'
import { UsageError } from '../../exit.ts'
import { type Input, parseOptions } from '../../options.ts'
import { handOver } from './hand-over.ts'
import { peerIfThere, succeed, successorOf } from './new-keys.ts'

async function installStatus(
  config: AgentConfig,
  text: string
): Promise<{ status: Signed<'status'>; newer: boolean }> {
  const installed = await openPackage((await readUserFile(config.marketplace)).text)
  const status = await openStatus(text, installed.charter)
  const newer = status.payload.number > installed.status.payload.number
  if (newer) await replacePrivateFile(config.marketplace, packageText({ ...installed, status }))
  return { status, newer }
}

function isStatusList(text: string): boolean {
  try {
    return z.object({ kind: z.literal('dynamos-status') }).safeParse(JSON.parse(text)).success
  } catch {
    return false
  }
}

/** Tells the running agent, where one answers; otherwise it reads the file when it starts. */
async function tell(
  context: Context,
  documents: Parameters<typeof handOver>[1]
): Promise<{ agent: 'told' | 'not-running' }> {
  try {
    await handOver(context, documents)
    return { agent: 'told' }
  } catch (error) {
    // No token yet, or a port that the file does not tell: it never ran, or runs somewhere that this command cannot find.
    if (error instanceof AgentUnreachable || error instanceof UsageError) return { agent: 'not-running' }
    throw error
  }
}

export async function install(context: Context, input: Input): Promise<undefined> {
  const { cwd } = context.terminal
  const [file] = parseOptions(input.args, z.tuple([z.string()]))
  const config = await loadAgentConfig(resolve(cwd, context.connection.config ?? 'agent.yaml'))
  const { text } = await readUserFile(resolve(cwd, file))
  if (isStatusList(text)) {
    const { status, newer } = await installStatus(config, text)
    const { number } = status.payload
    const { agent } = await tell(context, { status })
    context.answer({ status: number, newer, file: config.marketplace, agent }, () =>
      newer
        ? `Status list ${number} is installed${agent === 'told' ? '; the running agent has it' : ''}.`
        : `Status list ${number} was known already.`
    )
    return undefined
  }
  const contents = await openPackage(text)
  const { organisation, agents, stewards, roles, expires } = contents.membership.payload
  const keys = [config.identity.key, successorOf(config.identity.key)]
  const peers = (await Promise.all(keys.map(peerIfThere))).filter((peer) => peer !== undefined)
  if (!peers.some((peer) => agents.includes(peer)))
    throw new NotMember(
      `${file}: expected a membership that lists agent ${peers.join(' or ')}, found one for ${agents.join(', ')}`
    )
  if (organisation !== config.organisation)
    throw new NotMember(
      `${file}: expected a membership of ${config.organisation} (as agent.yaml says), found one of ${organisation}`
    )
  const newAgent = await succeed(config.identity.key, agents)
  const newSteward = await succeed(config.identity.steward, stewards)
  for (const role of config.roles)
    if (!roles.includes(role))
      context.say(`warning: agent.yaml has the role ${role}, the membership does not`)
  await replacePrivateFile(config.marketplace, packageText(contents))
  const until = new Date(expires).toISOString()
  const { membership, status } = contents
  const told =
    newAgent === undefined ? await tell(context, { membership, status }) : { agent: 'restart' as const }
  const restart = newAgent !== undefined || newSteward !== undefined
  context.answer(
    {
      marketplace: contents.charter.id,
      organisation,
      roles,
      expires: until,
      file: config.marketplace,
      ...told,
      newKeys: { agent: newAgent ?? null, steward: newSteward ?? null }
    },
    () =>
      [
        `${organisation} is a member of ${contents.charter.payload.name} until ${until}.`,
        ...(newAgent === undefined ? [] : [`The agent's key is ${newAgent} now.`]),
        ...(newSteward === undefined ? [] : [`The steward's key is ${newSteward} now.`]),
        ...(restart ? ['Start the agent again: a running one goes on with the key before.'] : [])
      ].join('\n')
  )
  return undefined
}
