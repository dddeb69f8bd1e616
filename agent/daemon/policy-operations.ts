import {
  createCedarEngine,
  type Denial,
  type KnownNames,
  type Permission,
  type RulePlace
} from '../../policy/index.ts'
import { DynamosError } from '../../protocol/errors/index.ts'
import type { Agreement, Agreements } from '../agreements/index.ts'
import type { PolicyDraft, PolicyOperations, PolicySimulated } from '../api/index.ts'
import type { PastRequests, Ruleset } from '../decisions/index.ts'
import type { Members } from '../membership/index.ts'
import { explainRequest, type Policies, viewPolicy } from '../policies/index.ts'

export interface PolicyOperationsComponents {
  policies: Policies
  agreements: Agreements
  members: Members
  past: PastRequests
  roles: NonNullable<RulePlace['roles']>
  decisionPoint: string | null
  clock: { now(): number }
  names(): KnownNames
  /** Whether an archetype needs a compute provider besides the data provider. */
  needsHost(archetype: string): boolean | undefined
}

const MAX_CHANGES = 1000
const NOTES = [
  'compared with the rules and agreements that are in force now; `valid` is looked at as of the instant of each request',
  'not replayed: which rules, agreements and revocations were in force then',
  'not replayed: quotas (`limits` count nothing)',
  'not replayed: approvals (everybody is taken to approve)',
  'not replayed: the decision point (it is not asked)',
  'not replayed: sandboxes, and what datasets and memberships were then'
]

/** What the agent does for its own people about its rules. */
export function createPolicyOperations(components: PolicyOperationsComponents): PolicyOperations {
  const { policies, agreements, members, past, decisionPoint, clock } = components
  const own = members.own.organisation
  const status = () => viewPolicy(policies.status, decisionPoint)
  const draftOf = async ({ text, files }: NonNullable<PolicyDraft['agreement']>): Promise<Agreement> =>
    await agreements.draft(text, files)

  /** What would decide if the draft were in force. */
  const drafted = async (draft: PolicyDraft): Promise<Ruleset> => {
    const current = agreements.inForce({ provider: own })
    const engine = draft.files === undefined ? policies.engine : await createCedarEngine(draft.files)
    if (draft.agreement === undefined) return { engine, agreements: current }
    const agreement = await draftOf(draft.agreement)
    const others = current.filter(({ payload }) => payload.name !== agreement.payload.name)
    return { engine, agreements: [...others, agreement] }
  }

  return {
    status: async () => status(),
    reload: async () => {
      await policies.reload()
      return status()
    },
    lint: async ({ files, agreement }) => {
      const known = components.names()
      const place = { known, roles: components.roles }
      const ofAgreement =
        agreement === undefined
          ? []
          : policies.reader.agreement(
              agreements.parse(agreement.text, agreement.files).terms.cedar ?? '',
              place
            )
      const { broken } = policies.status
      const inForce = files === undefined && agreement === undefined
      // The rules in force are not those that lie in the folder.
      const wrong = (inForce ? (broken?.findings ?? []) : []).map((finding) => ({
        ...finding,
        level: 'error' as const,
        kind: 'malformed',
        rule: null
      }))
      const folder = files ?? (agreement === undefined ? policies.files : undefined)
      return {
        findings: [
          ...wrong,
          ...(folder === undefined ? [] : policies.reader.folder(folder, place)),
          ...ofAgreement
        ]
      }
    },
    explain: async (submission, draft, caller) => {
      const { engine, agreements: open } = await drafted(draft)
      const user = submission.user ?? caller.user
      const requester = members.resolveUser(user)
      if (requester === undefined)
        throw new DynamosError('consumer-not-permitted', `no member organisation speaks for ${user}`)
      return explainRequest({
        engine,
        agreements: open,
        submission,
        requester,
        now: clock.now(),
        needsHost: components.needsHost
      })
    },
    simulate: async (draft, since, signal) => {
      const now: Ruleset = { engine: policies.engine, agreements: agreements.inForce({ provider: own }) }
      const { requests, rows, skipped } = await past.decide(since, [now, await drafted(draft)], signal)
      const changes = rows.flatMap(({ verdicts, at, ...row }): PolicySimulated['changes'] => {
        const [old, other] = verdicts.map(shownVerdict)
        if (old === undefined || other === undefined || isSame(old, other)) return []
        const { request, user, purpose, datasets, archetype, infrastructure } = row
        const about = { request, user, purpose, dataset: datasets.join(', '), archetype, infrastructure }
        return [{ ...about, at: new Date(at).toISOString(), old, new: other }]
      })
      const cut =
        changes.length > MAX_CHANGES ? [`the first ${MAX_CHANGES} of ${changes.length} changes`] : []
      return {
        requests,
        rows: rows.length,
        skipped: skipped.slice(0, MAX_CHANGES),
        changes: changes.slice(0, MAX_CHANGES),
        notes: [...NOTES, ...cut]
      }
    }
  }
}

type Shown = PolicySimulated['changes'][number]['old']

function shownVerdict(verdict: Permission | Denial): Shown {
  return verdict.verdict === 'permit'
    ? { verdict: 'permit', code: null, clause: null }
    : {
        verdict: 'deny',
        code: verdict.refusal.code,
        clause: verdict.refusal.clause ?? verdict.clauses[0] ?? null
      }
}

/** Another reason for the same no is a change too: whoever asked would be told something else. */
function isSame(one: Shown, other: Shown): boolean {
  return one.verdict === other.verdict && one.code === other.code && one.clause === other.clause
}
