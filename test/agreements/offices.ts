import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PrivateKey } from '@libp2p/interface'
import { type Agreement, Agreements } from '../../agent/agreements/index.ts'
import { Datasets } from '../../agent/datasets/index.ts'
import type { Launcher } from '../../agent/jobs/index.ts'
import type { Admission, Authority, Members } from '../../agent/membership/index.ts'
import { PeerUnreachable } from '../../agent/network/index.ts'
import { openStore, type Store } from '../../agent/store/index.ts'
import { parseSigningRule, type SigningRule } from '../../policy/index.ts'
import { addSignature, type Signed, signDocument } from '../../protocol/documents/index.ts'
import { manifests } from '../composition/market.ts'
import { keyOf, NOW, peerOf, TestMarketplace } from '../membership/builders.ts'

const LIMITS = { memory: 1 << 28, threads: 1, seconds: 1, disk: 1 << 20 }
const noJobs = (): never => {
  throw new Error('no test here runs a job')
}
const LAUNCHER: Launcher = {
  sandbox: 'none',
  isolation: [],
  folder: noJobs,
  run: noJobs,
  inspect: noJobs,
  look: noJobs,
  prepare: noJobs,
  stop: noJobs
}

/** A dataset that is there without a file: only its tables matter to agreements. */
class WagesAtVu extends Datasets {
  override visibilityOf(id: string): ReturnType<Datasets['visibilityOf']> {
    if (id === 'secret') return 'parties'
    return id === 'wageGap' ? 'members' : undefined
  }
  override get(id: string): ReturnType<Datasets['get']> {
    if (id !== 'wageGap' && id !== 'secret') return undefined
    const columns = ['sex', 'wage'].map((name) => ({ name, type: 'VARCHAR' }))
    return {
      config: { file: '/wages.yaml', id, title: 'Wages', visibility: 'members', tables: [] },
      tables: [{ name: 'person', rows: 3, columns }],
      sources: []
    }
  }
}

/** One organisation's agreements, with a network that calls the other offices directly. */
export class Office {
  readonly agreements: Agreements
  /** How often an agreement came into force. */
  enforced = 0
  /** What its rules keep from others, as `DATASET from ORGANISATION`. */
  readonly hidden = new Set<string>()
  /** Organisations that cannot be reached. */
  readonly silent = new Set<string>()

  constructor(
    readonly name: string,
    readonly key: PrivateKey,
    readonly steward: PrivateKey,
    readonly members: Members,
    readonly store: Store,
    network: ReadonlyMap<string, Office>,
    clock: { now(): number },
    /** Whether the agent may use the steward's key. */
    signs: boolean,
    rules: readonly SigningRule[] = []
  ) {
    this.agreements = new Agreements({
      store,
      members,
      manifests,
      datasets: new WagesAtVu({ datasets: [], limits: LIMITS }, { store, launcher: LAUNCHER, clock }),
      clock,
      log: { warn: () => {}, info: () => {} },
      key,
      self: this.peer,
      steward: signs ? steward : null,
      ...(rules.length === 0 ? {} : { rules: { steward, rules } }),
      show: async (organisation, agreement) => {
        const other = network.get(organisation)
        if (other === undefined || this.silent.has(organisation))
          throw new PeerUnreachable(`${organisation} is silent`)
        return await other.agreements.shown({ agreement: agreement.bytes }, this.peer)
      },
      offered: async (organisation, question) => {
        const other = network.get(organisation)
        if (other === undefined || this.silent.has(organisation))
          throw new PeerUnreachable(`${organisation} is silent`)
        return await other.agreements.standing.answer(question, name)
      },
      tell: async (organisation, notice) => {
        const other = network.get(organisation)
        if (other === undefined || this.silent.has(organisation))
          throw new PeerUnreachable(`${organisation} is silent`)
        await other.agreements.proposals.noticed(notice)
      },
      hides: (dataset, organisation) => this.hidden.has(`${dataset} from ${organisation}`),
      enforced: () => {
        this.enforced += 1
      }
    })
  }

  get peer(): string {
    return peerOf(this.key)
  }

  /** Its steward signs a proposal that waits, by hand. */
  async signs(idOrName: string): Promise<Agreement> {
    const { agreement } = await this.agreements.proposals.waiting(idOrName)
    return (await this.agreements.propose(await addSignature(agreement, this.steward))).agreement
  }

  /** Its steward revokes one, by hand. */
  async revokes(idOrName: string, reason = 'no more'): Promise<void> {
    const { proposals } = this.agreements
    await proposals.revoke(
      await signDocument('revocation', await proposals.revocationOf(idOrName, reason), this.steward)
    )
  }

  /** What its steward signs and shows to the others. */
  async signed(text: string): Promise<Agreement> {
    return await this.agreements.signAsSteward(await this.agreements.draft(text))
  }

  async stateOf(id: string): Promise<string | undefined> {
    return (await this.store.agreements.get(id))?.state
  }
}

/** Three members that know each other; `clock.now` is theirs. */
export function offices(names: readonly string[]) {
  const clock = { at: NOW, now: () => clock.at }
  const network = new Map<string, Office>()
  let folder = ''
  let authority: TestMarketplace | undefined
  const founded = (): TestMarketplace => {
    if (authority === undefined) throw new Error('no marketplace yet')
    return authority
  }
  let stores = 0
  const openOne = async (
    name: string,
    members: Members,
    signs: boolean,
    rules: readonly SigningRule[] = []
  ): Promise<Office> => {
    stores += 1
    const store = await openStore(join(folder, name, `${stores}.sqlite`))
    const steward = await keyOf(`steward of ${name}`)
    const office = new Office(name, await keyOf(name), steward, members, store, network, clock, signs, rules)
    network.set(name, office)
    return office
  }
  beforeEach(async () => {
    clock.at = NOW
    folder = await mkdtemp(join(tmpdir(), 'offices-'))
    const market = await TestMarketplace.found()
    authority = market
    const packages = []
    for (const name of names) {
      const stewards = [peerOf(await keyOf(`steward of ${name}`))]
      packages.push({
        name,
        key: await keyOf(name),
        taken: await market.admit(name, await keyOf(name), { stewards })
      })
    }
    for (const { name, key, taken } of packages) {
      const members = await market.members(taken, key, clock.now)
      for (const other of packages)
        if (other.name !== name) await members.learn(other.taken.membership, peerOf(other.key))
      await openOne(name, members, true)
    }
  })
  afterEach(async () => {
    for (const office of network.values()) await office.store.close()
    network.clear()
    await rm(folder, { recursive: true })
  })
  const without = async (name: string, rules: readonly SigningRule[]): Promise<Office> => {
    const { members, store } = get(name)
    const office = await openOne(name, members, false, rules)
    await store.close()
    return office
  }
  const get = (name: string): Office => {
    const found = network.get(name)
    if (found === undefined) throw new Error(`no office ${name}`)
    return found
  }
  return {
    clock,
    get,
    marketplace: () => founded().marketplace,
    by: (): Authority => ({ keys: [founded().authority], now: clock.at }),
    /** A newer membership of an organisation. */
    async admitAgain(name: string, more: Partial<Admission>): Promise<Signed<'membership'>> {
      founded().now = clock.at
      return (await founded().admit(name, await keyOf(name), more)).membership
    },
    /** The same organisation, whose agent may not use the steward's key. */
    async withoutSteward(name: string): Promise<Office> {
      return await without(name, [])
    },
    /** The same organisation, whose agent signs whatever it may. */
    async withSteward(name: string): Promise<Office> {
      const { members, store } = get(name)
      const office = await openOne(name, members, true)
      await store.close()
      return office
    },
    /** The same organisation after its agent went down: what it knows is what it stored. */
    async restarted(name: string, keyAfter?: PrivateKey): Promise<Office> {
      const { key: before, steward, members, store } = get(name)
      const key = keyAfter ?? before
      const office = new Office(name, key, steward, members, store, network, clock, false)
      await office.agreements.open()
      network.set(name, office)
      return office
    },
    /** The same organisation, whose agent signs what keeps to these rules. */
    async withRules(name: string, rules: readonly object[]): Promise<Office> {
      const { members } = get(name)
      return await without(
        name,
        rules.map((rule) => parseSigningRule(rule, 'autoSign', (address) => members.resolveUser(address)))
      )
    }
  }
}

/** An agreement about the sex in VU's wages, as text; one of the changes has to say for whom it is. */
export function aText(changes: Record<string, string>): string {
  const clauses: Record<string, string> = {
    provider: 'VU',
    dataset: 'wageGap',
    purposes: '[research]',
    archetypes: '[computeToData]',
    tables: '{person: {columns: [sex]}}',
    algorithms: '[average]',
    ...changes
  }
  return Object.entries(clauses)
    .map(([clause, value]) => `${clause}: ${value}\n`)
    .join('')
}
