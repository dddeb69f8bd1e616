import {
  type Approval,
  approvalUnder,
  type Denial,
  decideAsProvider,
  type PolicyEngine,
  type ProviderFacts,
  type ProviderVerdict
} from '../../policy/index.ts'
import type { Payload, Refusal } from '../../protocol/documents/index.ts'
import type { Agreement } from '../agreements/index.ts'
import { givesPseudonyms } from '../datasets/index.ts'
import type { Asking } from '../decision-point/index.ts'
import type { Dossier } from '../negotiation/index.ts'
import { isAnonymised, openToOf } from './anonymity.ts'
import type { Called } from './basis.ts'
import { type DecisionsComponents, refuse } from './components.ts'
import { openClauses } from './facts.ts'
import { type Grant, type Inspected, type Inspections, unprotected, usesOf } from './inspection.ts'
import { oneOfEach, PermittingAgreements } from './permitting.ts'
import { checkPins } from './pins.ts'
import { together, type WholeVerdict } from './together.ts'

/** Rows that run under the same agreements, one about each dataset. */
export interface GrantedRows {
  grants: readonly Granting[]
  rows: number[]
  inspected: Inspected
}

type Granting = Grant & { agreement: Agreement }

/** So many choices of agreements about several datasets are tried for one row. */
const MAX_CHOICES = 64
const MAX_TEXT = 4096

/** One request whose rows are decided about, one after the other. */
export interface Asked {
  dossier: Dossier
  engine: PolicyEngine
  /** What a second engine says to what the first permits. */
  confirm: Asking['confirm']
  /** For each dataset of the request, the agreements that may permit it: the same for all its rows. */
  open: readonly (readonly Agreement[])[]
  /** By the agreements under which they are granted. */
  grants: Map<string, GrantedRows>
  /** What the query reads, or why it cannot be run, by the agreements: the same for every row. */
  inspected: Map<string, Inspected | Refusal>
  /** By id of agreement. */
  approvals: Readonly<Record<string, Approval>>
  /** Would permit some row once somebody has approved the request under each of them. */
  unapproved: readonly Agreement[]
  /** What the rules were asked about the row that is being decided about: of a permission, the last word of each agreement. */
  called: Called[]
}

/** What is known of a row before it is known what the query reads. */
export type FactsOfRow = Omit<ProviderFacts, 'dataset' | 'uses'>

type Components = Pick<DecisionsComponents, 'manifests' | 'self'> & {
  datasets: { get(id: string): Grant['dataset'] | undefined }
  members: Pick<DecisionsComponents['members'], 'organisationOf'>
}

/** Finds the agreements under which a data provider permits the rows of a request. */
export class Granted {
  readonly #components: Components
  readonly #inspections: Inspections

  constructor(components: Components, inspections: Inspections) {
    this.#components = components
    this.#inspections = inspections
  }

  /** Under one agreement about each dataset, all of which permit the request whole, or not at all. */
  async decide(asked: Asked, index: number, facts: FactsOfRow): Promise<WholeVerdict> {
    const { dossier, grants, engine, open } = asked
    const { datasets, self } = this.#components
    const request = dossier.request.payload
    // What the SQL reads under the only agreements is known from an earlier row: one decision about each is enough.
    const known = open.every((of) => of.length === 1) ? grants.get(keyOf(open.flat())) : undefined
    if (known !== undefined) {
      const verdict = this.#permitted(asked, facts, known.inspected, known.grants)
      if (verdict.verdict === 'permit') known.rows.push(index)
      const pinned = await asked.confirm(this.#pinned(verdict, known.grants, request, index))
      return this.#approved(asked, pinned, facts, known)
    }
    const permitting = request.datasets.map((dataset, place) => {
      const wished = wishOf(request, self.organisation, dataset)
      return new PermittingAgreements(open[place] ?? [], (left) => {
        const told = { ...facts, dataset, uses: null }
        const verdict = decideAsProvider(engine, told, left, wished)
        asked.called.push(calledOf(told, left, wished, verdict))
        return verdict
      })
    })
    for (const [place, dataset] of request.datasets.entries()) {
      const denial = permitting[place]?.denial() ?? null
      if (denial !== null) return request.datasets.length === 1 ? denial : about(dataset, denial)
    }
    let nearest: WholeVerdict | undefined
    // An agreement under which somebody has yet to say yes does not permit yet: one that does comes first, whatever its id.
    let later: (() => Promise<WholeVerdict>) | undefined
    let tried = 0
    // These permit the request whole, or the next ones are tried: what the SQL reads is known only under agreements.
    for (const chosen of oneOfEach(permitting)) {
      if (request.datasets.length > 1 && ++tried > MAX_CHOICES) break
      const waits = chosen.some(({ agreement }) => awaitsApproval(asked, agreement))
      if (waits && later !== undefined) continue
      const policy = chosen[0]?.verdict.policy ?? ''
      const granting = chosen.flatMap(({ agreement }): Granting[] => {
        const dataset = datasets.get(agreement.payload.dataset)
        return dataset === undefined ? [] : [{ agreement, dataset }]
      })
      if (dossier.query === null || granting.length < chosen.length)
        return denied(refuse('no-agreement', 'the query part of the request did not come with it'), policy)
      const { sql, parameters } = dossier.query.part
      const key = keyOf(granting.map(({ agreement }) => agreement))
      const inspected =
        asked.inspected.get(key) ??
        (await this.#inspections.inspect({
          requester: request.organisation,
          dossier,
          sql,
          algorithm: { name: request.algorithm, parameters },
          grants: granting,
          anonymize: granting.some(({ agreement }) => isAnonymised(request, agreement.payload.terms))
        }))
      asked.inspected.set(key, inspected)
      const verdict =
        'code' in inspected
          ? denied(inspected, policy)
          : (protectedDenial(granting, request.algorithm, inspected, policy) ??
            this.#distributable(request, inspected, policy) ??
            this.#permitted(asked, facts, inspected, granting))
      if (verdict.verdict === 'permit' && !('code' in inspected)) {
        const { called } = asked
        const take = async (): Promise<WholeVerdict> => {
          asked.called = called
          const granted = grants.get(key) ?? { grants: granting, rows: [], inspected }
          granted.rows.push(index)
          grants.set(key, granted)
          const pinned = await asked.confirm(this.#pinned(verdict, granting, request, index))
          return this.#approved(asked, pinned, facts, granted)
        }
        if (!waits) return await take()
        later = take
        continue
      }
      nearest ??= verdict
    }
    if (later !== undefined) return await later()
    return nearest ?? denied(refuse('no-agreement', 'the agreement is no longer in force'), engine.policy)
  }

  /** The decision once it is known what the SQL reads, and who could undo pseudonyms. */
  #permitted(
    asked: Asked,
    facts: FactsOfRow,
    inspected: Inspected,
    grants: readonly Granting[]
  ): WholeVerdict {
    const request = asked.dossier.request.payload
    const hosts = [facts.infrastructure, facts.verifier].flatMap((one) => one ?? [])
    const openTo = openToOf(this.#components, request, hosts)
    let pseudonyms = false
    const called: Called[] = []
    const verdict = together(
      grants.map(({ agreement, dataset: described }) => {
        const { dataset, terms } = agreement.payload
        const wished = wishOf(request, facts.organisation, dataset)
        const known = { ...facts, dataset, uses: usesOf(inspected, dataset) }
        const made = isAnonymised(request, terms) && givesPseudonyms(terms, described)
        pseudonyms ||= made
        const told = made ? { ...known, pseudonymsOpenTo: openTo } : known
        const one = decideAsProvider(asked.engine, told, [agreement], wished)
        called.push(calledOf(told, [agreement], wished, one))
        return one
      })
    )
    asked.called = verdict.verdict === 'permit' ? called : [...asked.called, ...called]
    return verdict.verdict === 'deny' || !pseudonyms
      ? verdict
      : { ...verdict, clauses: [...verdict.clauses, ...openClauses(openTo)] }
  }

  /**
   * People are asked last, about what everything else permits; whoever only wants to know bothers nobody. Nobody is waited for
   * once somebody has said no, or ran out of time, under one of the agreements.
   */
  #approved(
    asked: Asked,
    verdict: WholeVerdict,
    facts: FactsOfRow,
    { grants, inspected }: GrantedRows
  ): WholeVerdict {
    if (verdict.verdict === 'deny' || asked.dossier.explains) return verdict
    if (grants.every(({ agreement }) => agreement.payload.terms.approval === undefined)) return verdict
    const told = { ...facts, approvals: asked.approvals }
    const decided = this.#permitted(asked, told, inspected, grants)
    if (decided.verdict === 'permit') return decided
    const unapproved: Agreement[] = []
    for (const one of grants) {
      const alone = this.#permitted(asked, told, inspected, [one])
      if (alone.verdict === 'permit') continue
      if (alone.refusal.code !== 'approval-required') return alone
      unapproved.push(one.agreement)
    }
    if (asked.unapproved.length === 0) asked.unapproved = unapproved
    return decided
  }

  /** What the agreements' names stood for when they were signed they must stand for still. */
  #pinned(
    verdict: WholeVerdict,
    grants: readonly Granting[],
    request: Payload<'request'>,
    index: number
  ): WholeVerdict {
    if (verdict.verdict === 'deny') return verdict
    const { manifests } = this.#components
    const archetype = request.rows[index]?.archetype ?? ''
    const used = { archetype, algorithm: request.algorithm, services: verdict.requiredServices }
    const refusals = grants.map(({ agreement }) => checkPins(agreement.payload, used, manifests))
    const refusal = refusals.find((one) => one !== null)
    return refusal === undefined ? verdict : denied(refusal, verdict.policy)
  }

  #distributable(request: Payload<'request'>, inspected: Inspected, policy: string): Denial | null {
    if (!request.options.aggregate || inspected.notDistributable.length === 0) return null
    const reason = `the query uses ${inspected.notDistributable.join(', ')}, so results of several providers cannot be put together; use \`algorithm\`, or \`aggregate: false\``
    return denied(refuse('not-distributable', reason), policy)
  }
}

function awaitsApproval({ approvals }: Asked, { id, payload }: Agreement): boolean {
  return payload.terms.approval !== undefined && approvalUnder(approvals, id).state !== 'approved'
}

function calledOf(
  facts: ProviderFacts,
  agreements: readonly Agreement[],
  wished: string | undefined,
  { verdict }: ProviderVerdict
): Called {
  const ids = agreements.map(({ id }) => id)
  const call = { function: 'provider' as const, facts, agreements: ids, wished: wished ?? null }
  return { call, permits: verdict === 'permit' }
}

/** The agreement that the requester wishes for one of the datasets. */
function wishOf(request: Payload<'request'>, provider: string, dataset: string): string | undefined {
  const wish = Object.hasOwn(request.agreements, provider) ? request.agreements[provider] : undefined
  if (wish === undefined || typeof wish === 'string') return wish
  return Object.hasOwn(wish, dataset) ? wish[dataset] : undefined
}

/** Of several datasets it is said which one stands in the way. */
function about(dataset: string, denial: Denial): Denial {
  return {
    ...denial,
    refusal: { ...denial.refusal, reason: `${dataset}: ${denial.refusal.reason}`.slice(0, MAX_TEXT) }
  }
}

function protectedDenial(
  grants: readonly Granting[],
  algorithm: string,
  inspected: Inspected,
  policy: string
): Denial | null {
  const refusal = unprotected(grants, algorithm, inspected)
  return refusal === null ? null : denied(refusal, policy)
}

function keyOf(agreements: readonly Agreement[]): string {
  return agreements.map(({ id }) => id).join()
}

function denied(refusal: Refusal, policy: string): Denial {
  return { verdict: 'deny', refusal, clauses: [], detail: null, policy }
}
