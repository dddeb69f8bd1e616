import type { PrivateKey } from '@libp2p/interface'
import { Discovery } from '../../agent/discovery/index.ts'
import { type Log, silentLog, systemClock } from '../../agent/network/index.ts'
import { type Payload, type Role, type Signed, signDocument } from '../../protocol/documents/index.ts'
import { keyOf, peerOf } from '../membership/builders.ts'
import { Lab, type Party, type PartyInit } from '../network/harness.ts'

export async function aCapability(
  key: PrivateKey,
  fields: Partial<Payload<'capability'>> = {}
): Promise<Signed<'capability'>> {
  const now = Date.now()
  return await signDocument(
    'capability',
    {
      type: 'capability',
      version: 1,
      marketplace: '',
      issuer: peerOf(key),
      issuedAt: now,
      expires: now + 3_600_000,
      sequence: 1,
      organisation: 'VU',
      agent: '0.1.0',
      roles: [],
      datasets: [],
      services: [],
      algorithms: [],
      archetypes: [],
      resources: { cores: 1, memory: 0, disk: 0, milliwatts: { idle: 0, full: 0 }, carbon: 0 },
      sandbox: 'bubblewrap',
      load: 0,
      keepFor: 600_000,
      ...fields
    },
    key
  )
}

/** What a test agent offers; `hidden` datasets are shown to the named organisations only. */
export interface Offer {
  datasets?: string[]
  hidden?: Record<string, string[]>
  roles?: Role[]
}

export interface Agent extends Party {
  readonly discovery: Discovery
  /** Offers something else from now on. */
  change(offer: Offer): Promise<number>
}

/** Agents with network and discovery. */
export class Bazaar {
  readonly lab: Lab
  readonly agents: Agent[] = []

  private constructor(lab: Lab) {
    this.lab = lab
  }

  static async open(): Promise<Bazaar> {
    return new Bazaar(await Lab.open())
  }

  async start(name: string, offer: Offer = {}, init: PartyInit & { log?: Log } = {}): Promise<Agent> {
    let current = offer
    let sequence = 1
    const made = new Map<string, Promise<Signed<'capability'>>>()
    let discovery: Discovery | undefined
    const visibleTo = (dataset: string, organisation?: string): boolean =>
      current.datasets?.includes(dataset) === true ||
      organisation === name ||
      (organisation !== undefined && current.hidden?.[dataset]?.includes(organisation) === true)
    const party = await this.lab.start(name, {
      ...init,
      prepare: (network) => {
        const { members } = network
        discovery = new Discovery({
          network,
          members,
          clock: init.clock ?? systemClock,
          log: init.log ?? silentLog,
          visibleTo,
          capability: async (audience) => {
            const all = [...(current.datasets ?? []), ...Object.keys(current.hidden ?? {})]
            const ids = all.filter((id) => visibleTo(id, audience))
            const known = made.get(`${sequence} ${ids.join()}`)
            if (known !== undefined) return await known
            const signing = aCapability(await keyOf(name), {
              marketplace: members.marketplace,
              organisation: name,
              sequence,
              roles: current.roles ?? [],
              datasets: ids.map((id) => ({ id, title: id, tables: [] }))
            })
            made.set(`${sequence} ${ids.join()}`, signing)
            return await signing
          }
        })
        init.prepare?.(network)
      }
    })
    if (discovery === undefined) throw new Error('not prepared')
    const own = discovery
    await own.start()
    const agent: Agent = {
      ...party,
      discovery: own,
      change: async (next) => {
        current = next
        sequence++
        return await own.announce()
      }
    }
    this.agents.push(agent)
    return agent
  }

  async leave(agent: Agent): Promise<void> {
    await agent.discovery.stop()
    await agent.network.stop()
  }

  async stop(): Promise<void> {
    await Promise.all(this.agents.splice(0).map(async ({ discovery }) => await discovery.stop()))
    await this.lab.stop()
  }
}
