import type { PolicyEngine, WindowCount } from '../../policy/index.ts'
import type { Payload } from '../../protocol/documents/index.ts'
import { codeOf, DynamosError, toError } from '../../protocol/errors/index.ts'
import type { Agreement } from '../agreements/index.ts'
import { readLog } from '../audit/index.ts'
import { runsAgain } from '../composition/index.ts'
import { noDecisionPoint } from '../decision-point/index.ts'
import { type Dossier, openDossier } from '../negotiation/index.ts'
import type { DecisionsComponents } from './components.ts'
import { type Asked, type FactsOfRow, Granted } from './granted.ts'
import { Inspections } from './inspection.ts'
import type { WholeVerdict } from './together.ts'

type Components = Pick<
  DecisionsComponents,
  'datasets' | 'manifests' | 'members' | 'self' | 'store' | 'launcher'
>

/** What decides: rules, and the agreements of this organisation. */
export interface Ruleset {
  engine: PolicyEngine
  agreements: readonly Agreement[]
}

export interface PastRow {
  request: string
  at: number
  user: string
  purpose: string
  datasets: readonly string[]
  archetype: string
  /** Organisation that would have computed. */
  infrastructure: string | null
  verdicts: readonly WholeVerdict[]
}

export interface PastOffers {
  requests: number
  rows: PastRow[]
  skipped: { request: string; reason: string }[]
}

const PAGE = 500
/** The latest requests are replayed, no more than these. */
const MAX_REQUESTS = 5000
const FAR = Date.UTC(9999, 0)

/**
 * Decides again, under each of several sets of rules, about every row of the requests that this agent was asked as a data
 * provider, from their own signed documents, at the instants at which they came. What depends on more than a request and the
 * rules is taken as it is most favourable: quotas count nothing, people approve. Whether an agreement was valid then is looked at, by
 * its `valid`.
 */
export class PastRequests {
  readonly #components: Components

  constructor(components: Components) {
    this.#components = components
  }

  async decide(since: number, rulesets: readonly Ruleset[], signal?: AbortSignal): Promise<PastOffers> {
    const { store, self } = this.#components
    const found: PastOffers = { requests: 0, rows: [], skipped: [] }
    const inspections = new Inspections(this.#components.launcher)
    const asked = await this.#asked(since, signal)
    for (const [request, at] of asked) {
      signal?.throwIfAborted()
      try {
        const dossier = await openDossier(store, request, self.peer)
        if (dossier === undefined) {
          found.skipped.push({ request, reason: 'its documents are not kept any more' })
          continue
        }
        const { payload } = dossier.request
        if (!payload.providers.includes(self.peer)) continue
        // Nobody is asked to approve anything.
        dossier.explains = true
        const verdicts: WholeVerdict[][] = []
        for (const ruleset of rulesets)
          verdicts.push(await this.#rows(dossier, at, usual(ruleset), inspections))
        found.requests += 1
        found.rows.push(
          ...payload.rows.map((row, index) => ({
            ...this.#about(dossier, at, row),
            verdicts: verdicts.flatMap((of) => of[index] ?? [])
          }))
        )
      } catch (error) {
        found.skipped.push({
          request,
          reason: error instanceof DynamosError ? `${codeOf(error)}: ${error.message}` : toError(error).name
        })
      }
    }
    return found
  }

  /** When each request was first decided about, the earliest first. */
  async #asked(since: number, signal?: AbortSignal): Promise<Map<string, number>> {
    const asked = new Map<string, number>()
    for (let from = 1; ; ) {
      signal?.throwIfAborted()
      const page = await readLog(this.#components.store, { from, limit: PAGE })
      const last = page.at(-1)
      if (last === undefined) break
      from = last.sequence + 1
      for (const { entry } of page) {
        if (entry.kind !== 'decision' || entry.fields.question !== 'offer' || entry.time < since) continue
        if (entry.request !== undefined && !asked.has(entry.request)) asked.set(entry.request, entry.time)
      }
    }
    return new Map([...asked].slice(-MAX_REQUESTS))
  }

  async #rows(
    dossier: Dossier,
    now: number,
    { engine, agreements }: Ruleset,
    inspections: Inspections
  ): Promise<WholeVerdict[]> {
    const { datasets, manifests, members, self } = this.#components
    const granted = new Granted({ datasets, manifests, members, self }, inspections)
    const requestsInWindow = Object.fromEntries(
      agreements.map(({ id }): [string, WindowCount] => [id, { count: 0, freesAt: null }])
    )
    const asking = noDecisionPoint.asking(engine)
    const { payload } = dossier.request
    const open = payload.datasets.map((dataset) =>
      agreements.filter(
        (one) => one.payload.provider === self.organisation && one.payload.dataset === dataset
      )
    )
    const asked: Asked = {
      ...asking,
      dossier,
      open,
      grants: new Map(),
      inspected: new Map(),
      approvals: {},
      unapproved: [],
      called: []
    }
    const verdicts: WholeVerdict[] = []
    for (const [index, row] of payload.rows.entries()) {
      const facts: FactsOfRow = {
        question: 'offer',
        now,
        organisation: self.organisation,
        requester: payload.user,
        purpose: payload.purpose,
        archetype: row.archetype,
        infrastructure: this.#organisationAt(row.infrastructure),
        ...(payload.verify !== undefined && runsAgain(payload, payload.verify, index)
          ? { verifier: this.#organisationAt(payload.verify) }
          : {}),
        recipients: payload.recipients,
        datasets: payload.datasets,
        services: null,
        algorithm: payload.algorithm,
        requestsInWindow,
        sandboxes: null
      }
      asked.called = []
      verdicts.push(await granted.decide(asked, index, facts))
    }
    return verdicts
  }

  #about(dossier: Dossier, at: number, row: Payload<'request'>['rows'][number]): Omit<PastRow, 'verdicts'> {
    const { user, purpose, datasets } = dossier.request.payload
    return {
      request: dossier.request.id,
      at,
      user: `${user.name} of ${user.organisation}`,
      purpose,
      datasets,
      archetype: row.archetype,
      infrastructure: this.#organisationAt(row.infrastructure)
    }
  }

  #organisationAt(peer: string): string
  #organisationAt(peer: string | null): string | null
  #organisationAt(peer: string | null): string | null {
    const { members, self } = this.#components
    if (peer === null) return null
    return peer === self.peer ? self.organisation : (members.organisationOf(peer) ?? peer)
  }
}

/** When an agreement was signed is no property of its rules: only what it says itself bounds when it is valid. */
function usual({ engine, agreements }: Ruleset): Ruleset {
  return {
    engine,
    agreements: agreements.map((agreement) => ({
      ...agreement,
      payload: { ...agreement.payload, expires: FAR }
    }))
  }
}
