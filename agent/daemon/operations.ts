import { decodeSigned } from '../../protocol/documents/index.ts'
import type { Agreement, Agreements } from '../agreements/index.ts'
import { viewAgreement } from '../agreements/index.ts'
import type {
  AgreementView,
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
import { matches, type Offered, viewDataset } from './dataset-views.ts'

export interface OperationsComponents {
  health(): HealthView
  requests: Requests
  results: ResultReader
  discovery: Discovery
  members: Members
  agreements: Agreements
  approvals: Pick<Approvals, 'list' | 'approve' | 'refuse'>
  policy: PolicyOperations
  clock: { now(): number }
}

/** What the agent does for its own people. */
export function createOperations(components: OperationsComponents): Operations {
  const { requests, results, discovery, members, agreements, approvals, clock } = components
  const own = members.own.organisation
  const view = (agreement: Agreement, state: string): AgreementView =>
    viewAgreement(agreement, state, agreements.signedBy(agreement), clock.now())
  const offered = async (signal: AbortSignal): Promise<Offered[]> =>
    (await discovery.findMembers({ signal })).flatMap(({ peer, organisation, capability }) =>
      capability.payload.datasets.map((dataset) => ({ peer, organisation, dataset }))
    )
  const collect = async (agreement: Agreement, signal: AbortSignal): Promise<AgreementView> => {
    const { agreement: collected } = await agreements.propose(agreement, { signal })
    return view(collected, agreements.get(collected.id) === undefined ? 'proposed' : 'in-force')
  }

  return {
    health: async () => components.health(),
    submit: async (submission: Submission, caller: Caller, options) =>
      await requests.submit(submission, caller.user, options),
    explain: async (submission, caller, signal) => await requests.explain(submission, caller.user, signal),
    requests: async () => await requests.list(),
    request: async (id) => await requests.view(id),
    events: (id, signal) => requests.events(id, signal),
    cancel: async (id) => await requests.cancel(id),
    artifact: async (id, name) => await results.artifact(id, name),
    rerun: async (id, caller, options) => await requests.rerun(id, caller.user, options),
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

    agreements: async () => (await agreements.all()).map(({ agreement, state }) => view(agreement, state)),
    agreement: async (idOrName) => {
      const found = (await agreements.all()).filter(
        ({ agreement }) => agreement.id === idOrName || agreement.payload.name === idOrName
      )
      const best = found.find(({ state }) => state === 'in-force') ?? found[0]
      return best === undefined ? undefined : view(best.agreement, best.state)
    },
    checkAgreement: async (text, files) => {
      const draft = agreements.parse(text, files)
      const findings = agreements.check(draft)
      const isOwn = draft.provider === own && !findings.some((finding) => finding.level === 'error')
      return { findings, view: isOwn ? view(await agreements.draft(text, files), 'draft') : null }
    },
    prepareAgreement: async (text, files) => {
      const agreement = await agreements.draft(text, files)
      return {
        id: agreement.id,
        payload: Buffer.from(agreement.bytes.payload).toString('base64'),
        view: view(agreement, 'draft')
      }
    },
    signAgreement: async ({ text, files, signed }, signal) => {
      if (signed !== undefined)
        return await collect(await decodeSigned('agreement', Buffer.from(signed, 'base64')), signal)
      return await collect(await agreements.signAsSteward(await agreements.draft(text ?? '', files)), signal)
    },

    policy: components.policy,
    approvals: async ({ user }) => await approvals.list(user),
    approve: async (request, { user }) => await approvals.approve(request, user),
    refuseApproval: async (request, reason, { user }) => await approvals.refuse(request, user, reason)
  }
}
