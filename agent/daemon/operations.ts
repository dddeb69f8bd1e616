import type { Manifests } from '../../services/index.ts'
import type { Agreements } from '../agreements/index.ts'
import type {
  AuditOperations,
  Caller,
  DatasetView,
  HealthView,
  Operations,
  PeerView,
  PolicyOperations
} from '../api/index.ts'
import type { Approvals } from '../approvals/index.ts'
import type { Submission } from '../config/index.ts'
import type { Discovery } from '../discovery/index.ts'
import type { Members } from '../membership/index.ts'
import type { Requests, ResultReader } from '../requests/index.ts'
import { agreementOperations } from './agreement-operations.ts'
import { matches, viewDataset } from './dataset-views.ts'
import type { Offered } from './offered.ts'
import { standingOperations } from './standing-operations.ts'

export interface OperationsComponents {
  health(): HealthView
  requests: Requests
  results: ResultReader
  discovery: Discovery
  members: Members
  agreements: Agreements
  manifests: Manifests
  approvals: Pick<Approvals, 'list' | 'approve' | 'refuse'>
  policy: PolicyOperations
  audit: AuditOperations
  /** Before anything new begins. @throws {LogBroken} */
  assertUsable(): void
  clock: { now(): number }
  marketplace: Pick<Operations, 'marketplace' | 'takeDocuments'>
}

/** What the agent does for its own people. */
export function createOperations(components: OperationsComponents): Operations {
  const { requests, results, discovery, members, agreements, manifests, approvals, clock, marketplace } =
    components
  const own = members.lastOwn.payload.organisation
  const offered = async (signal: AbortSignal): Promise<Offered[]> =>
    (await discovery.findMembers({ signal })).flatMap(({ peer, organisation, capability }) =>
      capability.payload.datasets.map((dataset) => ({ peer, organisation, dataset }))
    )
  return {
    health: async () => components.health(),
    submit: async (submission: Submission, caller: Caller, options) => {
      components.assertUsable()
      return await requests.submit(submission, caller.user, options)
    },
    explain: async (submission, caller, signal) => await requests.explain(submission, caller.user, signal),
    requests: async () => await requests.list(),
    request: async (id) => await requests.view(id),
    events: (id, signal) => requests.events(id, signal),
    cancel: async (id) => await requests.cancel(id),
    artifact: async (id, name) => await results.artifact(id, name),
    rerun: async (id, caller, options) => {
      components.assertUsable()
      return await requests.rerun(id, caller.user, options)
    },
    submission: async (id) => await requests.submission(id),
    contract: async (id) => await requests.contract(id),
    result: async (id, options, signal) => await results.read(id, options, signal),

    peers: async (signal): Promise<PeerView[]> => {
      await discovery.findMembers({ signal })
      return (await discovery.peers()).map(({ peer, organisation, roles, addresses, connected }) => ({
        peerId: peer,
        organisation: organisation === '' ? null : organisation,
        roles: [...roles],
        addresses: [...addresses],
        connected
      }))
    },
    members: async () =>
      members.all().map((member) => ({
        organisation: member.organisation,
        agents: [...member.agents],
        roles: [...member.roles],
        expires: new Date(member.expires).toISOString()
      })),
    marketplace: async () => await marketplace.marketplace(),
    takeDocuments: async (documents) => await marketplace.takeDocuments(documents),
    capability: async (peer, signal) => {
      if (peer === undefined || peer === own) return (await discovery.capabilities())[0]?.capability.payload
      const known = await discovery.findMembers({ signal })
      return known.find((one) => one.peer === peer || one.organisation === peer)?.capability.payload
    },
    datasets: async (find, signal): Promise<DatasetView[]> => {
      const all = await offered(signal)
      const found = all.filter((one) => matches(one, find))
      const ids = [...new Set(found.map((one) => one.dataset.id))].sort()
      return ids.flatMap(
        (id) =>
          viewDataset(
            all.filter((one) => one.dataset.id === id),
            agreements,
            own
          ) ?? []
      )
    },
    dataset: async (id, signal) =>
      viewDataset(
        (await offered(signal)).filter((one) => one.dataset.id === id),
        agreements,
        own
      ),

    ...agreementOperations({ agreements, manifests, own, clock }),

    standing: standingOperations({
      agreements,
      own,
      clock,
      providers: async (signal) => {
        const found = await discovery.findMembers({ signal })
        const holders = found.filter(({ capability }) => capability.payload.roles.includes('dataProvider'))
        return [...new Set(holders.map(({ organisation }) => organisation))]
      }
    }),
    policy: components.policy,
    audit: components.audit,
    approvals: async ({ user }) => await approvals.list(user),
    approve: async (request, { user }) => await approvals.approve(request, user),
    refuseApproval: async (request, reason, { user }) => await approvals.refuse(request, user, reason)
  }
}
