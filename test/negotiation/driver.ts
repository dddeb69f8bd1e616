import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Composed,
  type Dossier,
  type Exchange,
  type ExchangePorts,
  Exchanges,
  type Objection,
  type RequestGuard
} from '../../agent/negotiation/index.ts'
import { openStore, StorageFull, type Store, type Transaction } from '../../agent/store/index.ts'
import type { ResultTerms } from '../../protocol/documents/index.ts'
import type { WireMessage } from '../../protocol/messages/index.ts'
import type { Exchange as Machine } from '../../protocol/negotiation/index.ts'
import { anOffer, aReceipt, NOW, PARTIES, type Party } from './documents.ts'

const LIMITS = {
  hop: { startBy: 20_000, deadline: 3_600_000, grace: 2000, idle: 120_000 },
  coordinator: {
    offerWithin: 8000,
    composeWithin: 10_000,
    acceptWithin: 8000,
    retryEvery: 2000,
    closeWithin: 10_000,
    approvalWithin: 2_592_000_000,
    askAgainEvery: 120_000
  },
  maxOpenPerPeer: 64
}
function ignore(): void {
  // Nobody reads the log of a test.
}

/** Time that passes when a test says so. */
export class FakeClock {
  #now = NOW
  #timers: { at: number; run: () => void }[] = []

  now(): number {
    return this.#now
  }

  after(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.#now + milliseconds, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer)
    }
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds
    const due = this.#timers.filter((one) => one.at <= this.#now)
    this.#timers = this.#timers.filter((one) => one.at > this.#now)
    for (const { run } of due) run()
  }
}

/** Nothing that a dead process waits for ever comes. */
const never = new Promise<never>(() => undefined)

/** One agent's exchanges over a real store, with everything around them in the test's hands. */
export class Driver {
  self: Party
  readonly store: Store
  readonly clock = new FakeClock()
  exchanges: Exchanges
  /** What left for others. */
  readonly posts: { to: string; message: WireMessage }[] = []
  /** What others answer at once. */
  answer: (to: string, message: WireMessage) => Promise<WireMessage[]> = async () => []
  /** How many of the next transactions fail as they are committed. */
  failCommits = 0
  /** The process dies as soon as a transaction left this behind. */
  dieWhen: ((store: Store) => Promise<boolean>) | null = null
  compose: (dossier: Dossier) => Promise<Composed> = async () => await never
  readonly changes: Machine[] = []
  /** What was warned of in the log. */
  warnings = 0
  errors = 0
  readonly received: { kind: WireMessage['kind']; from: string }[] = []
  readonly shares = new Map<string, PromiseWithResolvers<void>>()
  /** What shares that run ask before anything leaves. */
  readonly gates = new Map<string, Parameters<ExchangePorts['shares']['run']>[3]>()
  /** Contracts whose slots were held again after a restart. */
  readonly held: string[] = []
  /** What this agent finds against a start. */
  mayStart: (dossier: Dossier, contract: string) => Promise<Objection | null> = async () => null
  /** Terms of the result under which it accepts. */
  resultTerms: ResultTerms | null = null
  /** Who has to approve requests here first. */
  awaits: { until: number; by: string[] } | null = null
  /** How many approvals were not needed any more. */
  withdrawn = 0
  readonly released: { contract: string; spent: boolean }[] = []
  /** What policy has against what runs here. */
  objection: Awaited<ReturnType<ExchangePorts['decisions']['continue']>> = null
  guard: RequestGuard = async () => undefined
  readonly #folder: string
  #life = { dead: false }

  private constructor(self: Party, store: Store, folder: string) {
    this.self = self
    this.store = store
    this.#folder = folder
    this.exchanges = this.#live()
  }

  static async open(self: Party): Promise<Driver> {
    const folder = await mkdtemp(join(tmpdir(), 'driver-'))
    return new Driver(self, await openStore(join(folder, 'state.sqlite'), { synchronous: 'NORMAL' }), folder)
  }

  async close(): Promise<void> {
    this.#life.dead = true
    await this.store.close()
    await rm(this.#folder, { recursive: true })
  }

  /** The process is gone, its store is not; another one takes it over, with the same key unless it has a new one. */
  async crash(self: Party = this.self): Promise<void> {
    this.self = self
    await this.crashAndReload()
    this.exchanges.resume()
  }

  /** As {@link crash}, up to where the other process has read what there is. */
  async crashAndReload(): Promise<void> {
    this.#life.dead = true
    this.dieWhen = null
    this.shares.clear()
    this.exchanges = this.#live()
    await this.exchanges.reload()
  }

  get dead(): boolean {
    return this.#life.dead
  }

  async receive(from: Party, message: WireMessage): Promise<WireMessage[]> {
    return await this.exchanges.receive(from.peer, message)
  }

  exchange(request: string): Exchange {
    const exchange = this.exchanges.get(request)
    if (exchange === undefined) throw new Error('there is no such exchange')
    return exchange
  }

  sent(kind: WireMessage['kind'], to?: Party): WireMessage[] {
    return this.posts
      .filter((post) => post.message.kind === kind && (to === undefined || post.to === to.peer))
      .map((post) => post.message)
  }

  /** Waits for what must come. Nothing here waits for a clock, so it comes soon or never. */
  async until(come: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await come())) await new Promise((resolve) => setImmediate(resolve))
  }

  #live(): Exchanges {
    const life = { dead: false }
    this.#life = life
    return new Exchanges(LIMITS, this.#ports(life), async (request, from) => await this.guard(request, from))
  }

  #ports(life: { dead: boolean }): ExchangePorts {
    const { self } = this
    const alive = async <T>(work: Promise<T>): Promise<T> => {
      if (life.dead) return await never
      const done = await work
      return life.dead ? await never : done
    }
    return {
      self: self.peer,
      clock: this.clock,
      log: {
        debug: ignore,
        info: ignore,
        warn: () => {
          this.warnings += 1
        },
        error: () => {
          this.errors += 1
        }
      },
      store: this.#mortal(life),
      speaker: self.speaker,
      organisationOf: (peer) => PARTIES.find((party) => party.peer === peer)?.organisation,
      whyNot: () => undefined,
      post: async (to, message) => {
        if (life.dead) return await never
        this.posts.push({ to, message })
        return await alive(this.answer(to, message))
      },
      decisions: {
        offer: async (dossier) => this.awaits ?? (await anOffer(dossier.request, self)),
        accept: async () => null,
        withdrawApproval: async () => {
          this.withdrawn += 1
        },
        start: async (dossier, contract) => await this.mayStart(dossier, contract),
        continue: async () => this.objection,
        reserve: async () => null,
        hold: (_, contract) => {
          this.held.push(contract)
        },
        release: async (_, contract, spent) => {
          this.released.push({ contract, spent })
        },
        acceptance: async () => ({ statusNumber: 0, resultTerms: this.resultTerms, shares: [] })
      },
      shares: {
        run: async (_, contract, __, gate) => {
          this.gates.set(contract, gate)
          const share = Promise.withResolvers<void>()
          this.shares.set(contract, share)
          await alive(share.promise)
        },
        receipts: (contract) => {
          const held = this.exchanges.byContract(contract)?.dossier.contract(contract)
          return held === undefined || !this.shares.has(contract) ? [] : [aReceipt(held.contract, self)]
        },
        differing: () => undefined,
        clear: async () => undefined,
        forget: async () => undefined
      },
      coordination: {
        compose: async (dossier) => await this.compose(dossier),
        reopened: async () => undefined,
        unanswered: () => undefined,
        changed: (_, machine) => {
          this.changes.push(machine)
        },
        received: (_, message, from) => {
          this.received.push({ kind: message.kind, from })
        }
      }
    }
  }

  /** The store as a process sees it that may die at any commit. */
  #mortal(life: { dead: boolean }): Store {
    const { store } = this
    const transaction = async <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => {
      if (life.dead) return await never
      const done = await store.transaction(async (tx) => {
        const result = await work(tx)
        if (this.failCommits > 0) {
          this.failCommits -= 1
          throw new StorageFull('the disk of a test')
        }
        return result
      })
      if (this.dieWhen !== null && (await this.dieWhen(store))) life.dead = true
      return life.dead ? await never : done
    }
    return { ...store, transaction }
  }
}
