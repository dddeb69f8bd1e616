import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { type AgentConfig, loadAgentConfig, readUserFile, type Topology } from '../config/index.ts'
import { loadOrCreateKey, peerOfKeyFile, replacePrivateFile } from '../identity/index.ts'
import {
  type Admission,
  type Authority,
  admit,
  createMarketplace,
  type Marketplace,
  marketplaceText,
  openMarketplace,
  packageText,
  renewStatus
} from '../membership/index.ts'
import { LabFailed } from './errors.ts'
import { freePorts } from './ports.ts'

export interface PreparedAgent {
  name: string
  config: AgentConfig
  peerId: string
  steward: string
  log: string
}

export const marketplaceFile = (dir: string) => join(dir, 'marketplace', 'marketplace.json')

async function openFounded(dir: string, name: string): Promise<Marketplace | undefined> {
  const file = marketplaceFile(dir)
  const text = await readUserFile(file).then(
    (found) => found.text,
    () => undefined
  )
  if (text === undefined) return undefined
  const marketplace = await openMarketplace(text)
  if (marketplace.charter.payload.name === name) return marketplace
  throw new LabFailed(
    `${dir}: expected the lab of marketplace ${name}, found that of ${marketplace.charter.payload.name}; choose another --dir, or remove it with "dynamos lab down --purge --dir ${dir}"`
  )
}

/** The marketplace of the folder: founded once, so that a lab that comes up again goes on as the same. */
async function foundMarketplace(dir: string, name: string, by: Authority): Promise<Marketplace> {
  const founded = await openFounded(dir, name)
  if (founded !== undefined) return await renewStatus(founded, by)
  return await createMarketplace({ name, contact: 'this lab', discoveryKey: randomBytes(32) }, by)
}

/** One admission for an organisation, however many agents it has. */
function admissionsOf(agents: readonly PreparedAgent[]): Admission[] {
  const organisations = [...new Set(agents.map(({ config }) => config.organisation))]
  return organisations.map((organisation) => {
    const own = agents.filter(({ config }) => config.organisation === organisation)
    return {
      organisation,
      agents: own.map(({ peerId }) => peerId),
      stewards: [...new Set(own.map(({ steward }) => steward))],
      roles: [...new Set(own.flatMap(({ config }) => config.roles))],
      speaksFor: [...new Set(own.flatMap(({ config }) => config.users))]
    }
  })
}

async function writeMemberships(
  dir: string,
  name: string,
  agents: readonly PreparedAgent[],
  now: number
): Promise<void> {
  await mkdir(join(dir, 'marketplace'), { recursive: true, mode: 0o700 })
  const by: Authority = { keys: [await loadOrCreateKey(join(dir, 'marketplace', 'authority.key'))], now }
  let marketplace = await foundMarketplace(dir, name, by)
  for (const admission of admissionsOf(agents)) {
    const admitted = await admit(marketplace, admission, by)
    marketplace = admitted.marketplace
    const { membership } = admitted
    for (const { config } of agents.filter((agent) => agent.config.organisation === admission.organisation))
      await replacePrivateFile(config.marketplace, packageText({ ...marketplace, membership }))
  }
  await replacePrivateFile(marketplaceFile(dir), marketplaceText(marketplace))
}

/**
 * One folder for each agent of a topology: its agent.yaml with free ports of this machine, keys and membership. The first
 * agent is everybody's bootstrap. `listen`, `api.listen` and `bootstrap` of the topology do not count in a lab, and agreements
 * are signed by themselves.
 *
 * @throws {ConfigInvalid} when the settings of an agent are not those of an agent.yaml
 */
export async function prepareLab(
  topology: Topology,
  dir: string,
  options: { now: number }
): Promise<PreparedAgent[]> {
  const ports = await freePorts(topology.agents.length * 2)
  const agents: PreparedAgent[] = []
  let first: string | undefined
  for (const [index, { name, settings }] of topology.agents.entries()) {
    const folder = join(dir, name)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const [p2p, http] = [ports[index * 2], ports[index * 2 + 1]]
    const api = typeof settings.api === 'object' ? settings.api : {}
    const written = {
      ...settings,
      listen: [`/ip4/127.0.0.1/tcp/${p2p}`],
      announce: [],
      bootstrap: first === undefined ? [] : [first],
      api: { ...api, listen: `127.0.0.1:${http}` },
      autoApprove: 'all'
    }
    const file = join(folder, 'agent.yaml')
    await writeFile(file, `# Written by "dynamos lab up" from ${topology.file}\n${stringify(written)}`)
    const config = await loadAgentConfig(file)
    for (const key of [config.identity.key, config.identity.steward]) {
      await mkdir(dirname(key), { recursive: true, mode: 0o700 })
      await loadOrCreateKey(key)
    }
    const { peer: peerId } = await peerOfKeyFile(config.identity.key)
    const { peer: steward } = await peerOfKeyFile(config.identity.steward)
    first ??= `/ip4/127.0.0.1/tcp/${p2p}/p2p/${peerId}`
    agents.push({ name, config, peerId, steward, log: join(folder, 'agent.log') })
  }
  await writeMemberships(dir, topology.marketplace.name, agents, options.now)
  return agents
}
