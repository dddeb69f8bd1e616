import type { Flow, ParameterValue, Party, Payload, Section } from '../../protocol/documents/index.ts'
import type { Column } from '../../services/index.ts'
import { columnsOf, flowsToInfrastructure, flowsToRecipient, type Plan } from '../composition/index.ts'
import type { Composed, Dossier, Speaker } from '../negotiation/index.ts'

const HOUR = 3_600_000

interface ContractInput {
  plan: Plan
  dossier: Dossier
  epoch: number
  sandbox: 'bubblewrap' | 'none'
  /** The asker's own specification of the picture, for the recipient alone. */
  specification?: string | undefined
}

/** The sections of each party, by peer: what it needs to do its share, and nobody else may see. */
function sectionsOf({ plan, dossier, specification }: ContractInput): Map<string, Section[]> {
  const query = dossier.query?.part
  if (query === undefined) throw new Error('a request without its query part cannot become a contract')
  const parameters: Record<string, ParameterValue> = query.parameters
  const organisation = new Map(plan.data.map((answer) => [answer.peer, answer.organisation]))
  const inputs = (flows: readonly Flow[], columns: (of: readonly string[]) => Column[]) =>
    flows.map((flow) => {
      const of = plan.chain.carries[flow.flow] ?? []
      return {
        flow: flow.flow,
        organisations: of.flatMap((one) => organisation.get(one) ?? []),
        columns: columns(of)
      }
    })
  const host = plan.infrastructure?.peer ?? null
  const sections = new Map<string, Section[]>()
  const add = (peer: string, section: Section): void => {
    sections.set(peer, [...(sections.get(peer) ?? []), section])
  }
  for (const answer of plan.data) {
    const grant = answer.details?.grants.find((one) => one.rows.includes(plan.row))
    if (grant === undefined) throw new Error(`${answer.organisation} permits the row and names no agreements`)
    add(answer.peer, {
      as: 'data',
      agreements: grant.agreements.map(({ dataset, id }) => ({ dataset, agreement: id })),
      query,
      algorithm: plan.chain.algorithmAtData
        ? plan.merge || plan.chain.mergedAtHost
          ? 'partial'
          : 'complete'
        : null,
      steps: []
    })
  }
  const verifier = plan.verifier?.peer
  for (const computing of [host, verifier]) {
    if (computing == null) continue
    add(computing, {
      as: 'infrastructure',
      parameters,
      algorithm: plan.chain.mergedAtHost ? 'merge' : 'complete',
      inputs: inputs(flowsToInfrastructure(plan.chain.flows, computing), (of) => {
        if (plan.chain.mergedAtHost) return []
        const sender = plan.data.find((answer) => answer.peer === of[0])
        return sender === undefined ? [] : columnsOf(sender, plan.row)
      }),
      union: plan.union
    })
  }
  add(plan.recipient.peer, {
    as: 'recipient',
    parameters,
    inputs: inputs(flowsToRecipient(plan.chain.flows, plan.recipient.peer, host), () => []),
    union: plan.union,
    merge: plan.merge,
    ...(verifier === undefined
      ? {}
      : { again: inputs(flowsToRecipient(plan.chain.flows, plan.recipient.peer, verifier), () => []) }),
    ...(specification === undefined ? {} : { graph: specification })
  })
  return sections
}

/** The contract of a plan: a header that all parties see, and a section for each, signed by the requester's agent. */
export async function writeContract(input: ContractInput, speaker: Speaker): Promise<Composed> {
  const { plan, dossier, epoch, sandbox } = input
  const request: Payload<'request'> = dossier.request.payload
  const sections = sectionsOf(input)
  const sealed = new Map<string, Awaited<ReturnType<Speaker['section']>>>()
  for (const [peer, content] of sections) sealed.set(peer, await speaker.section(content))

  const answers = [...plan.data, plan.infrastructure, plan.verifier, plan.recipient.answer]
  const parties: Party[] = []
  for (const [peer, content] of sections) {
    const offer = answers.find((one) => one?.peer === peer)?.offer
    const digest = sealed.get(peer)?.digest
    if (digest === undefined) continue
    const onlyTakes = content.every((section) => section.as === 'recipient') && peer === request.issuer
    parties.push({
      peer,
      organisation: offer?.payload.organisation ?? plan.recipient.organisation,
      roles: content.map((section) => section.as),
      offer: onlyTakes ? null : (offer?.id ?? null),
      sandbox: offer?.payload.sandbox ?? sandbox,
      section: digest
    })
  }
  const contract = await speaker.sign(
    'contract',
    {
      request: dossier.request.id,
      epoch,
      organisation: request.organisation,
      user: request.user,
      purpose: request.purpose,
      datasets: request.datasets,
      algorithm: request.algorithm,
      archetype: plan.archetype,
      parties,
      chain: plan.chain.steps,
      flows: plan.chain.flows,
      recipients: request.recipients,
      terms: plan.terms,
      deadline: request.deadline,
      ...(request.verify === undefined ? {} : { verify: request.verify })
    },
    request.deadline + HOUR
  )
  return { contract, sections: new Map([...sealed].map(([peer, { section }]) => [peer, section])) }
}
