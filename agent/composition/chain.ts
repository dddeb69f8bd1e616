import type { ArchetypeBody, Flow, PlacedStep } from '../../protocol/documents/index.ts'
import type { Manifests } from '../../services/index.ts'
import { computesAtData, playersProblem } from './players.ts'

/** A data provider's place in a chain. */
export interface DataPlace {
  peer: string
  /** Services that its agreement, or the asker, puts into the chain at this provider. */
  required: readonly string[]
}

export interface ChainInput {
  archetype: ArchetypeBody
  services: Manifests['services']
  data: readonly DataPlace[]
  /** Null where each data provider is its own infrastructure. */
  infrastructure: string | null
  recipient: string
  /** One result over all providers' rows. */
  union: boolean
  /** Services that the asker wants. */
  asked: readonly string[]
}

export interface Chain {
  steps: PlacedStep[]
  flows: Flow[]
  /** The data providers whose rows each flow carries, by flow number. */
  carries: string[][]
  /** Whether each data provider runs the algorithm itself. */
  algorithmAtData: boolean
}

/** Why no chain of this archetype can serve the request. */
export interface NoChain {
  problem: string
}

/**
 * The services of a request in order, each placed at a party, with the flows between them. Every pair of neighbours must be
 * an edge that the first one's manifest allows, every service must stand where its label says, and no service may be one
 * that is invalid in the archetype: a topological order alone is no chain.
 */
export function composeChain(input: ChainInput): Chain | NoChain {
  const atData = computesAtData(input.archetype)
  if (!atData && input.infrastructure === null) return { problem: 'the archetype needs a compute provider' }
  const unfit = playersProblem(input.archetype, {
    data: input.data.map(({ peer }) => peer),
    infrastructure: input.infrastructure === null ? [] : [input.infrastructure],
    recipient: [input.recipient]
  })
  if (unfit !== undefined) return { problem: unfit }
  const astray = input.archetype.steps.find((step) => step.at !== 'data' && step.at !== 'infrastructure')
  if (astray !== undefined) return { problem: `${astray.service} cannot be placed at ${astray.at}` }
  const several = input.data.length > 1
  const wanted = (service: string, when: string | undefined, place: DataPlace | null): boolean => {
    if (when === undefined) return true
    if (when === 'several') return several && input.union
    if (when === 'asked') return input.asked.includes(service)
    return input.asked.includes(service) || (place?.required.includes(service) ?? false)
  }

  const steps: PlacedStep[] = []
  const flows: Flow[] = []
  const carries: string[][] = []
  const addFlow = (from: string, to: string, step: number, of: string[]): void => {
    flows.push({ flow: flows.length, from, to, step })
    carries.push(of)
  }
  const place = (service: string, at: string): void => {
    steps.push({ step: steps.length, service, at })
  }

  const dataSteps = input.archetype.steps.filter(
    (step) => step.at === 'data' || (atData && step.at === 'infrastructure')
  )
  const hostSteps = atData ? [] : input.archetype.steps.filter((step) => step.at === 'infrastructure')
  const lastAtData: number[] = []
  for (const provider of input.data) {
    const services = dataSteps
      .filter((step) => wanted(step.service, step.when, provider))
      .map((step) => step.service)
    if (services.length === 0) return { problem: `the archetype has no step at data for ${provider.peer}` }
    const problem = pathProblem(services, input)
    if (problem !== undefined) return { problem }
    const missing = provider.required.find((service) => !services.includes(service))
    if (missing !== undefined)
      return { problem: `${missing} is required, and ${input.archetype.name} has no place for it` }
    for (const service of services) place(service, provider.peer)
    lastAtData.push(steps.length - 1)
  }

  const host = input.infrastructure
  const hostServices = hostSteps
    .filter((step) => wanted(step.service, step.when, null))
    .map((step) => step.service)
  const [firstAtHost] = hostServices
  if (host === null || firstAtHost === undefined) {
    for (const [index, provider] of input.data.entries()) {
      addFlow(provider.peer, input.recipient, lastAtData[index] ?? 0, [provider.peer])
    }
    return finish({ steps, flows, carries, algorithmAtData: atData }, input)
  }
  for (const [index, provider] of input.data.entries()) {
    const last = steps[lastAtData[index] ?? 0]
    const problem =
      last === undefined
        ? 'the archetype has no step at data'
        : pathProblem([last.service, ...hostServices], input)
    if (problem !== undefined) return { problem }
    addFlow(provider.peer, host, lastAtData[index] ?? 0, [provider.peer])
  }
  for (const service of hostServices) place(service, host)
  const everyone = input.data.map((provider) => provider.peer)
  for (const of of input.union ? [everyone] : everyone.map((peer) => [peer])) {
    addFlow(host, input.recipient, steps.length - 1, of)
  }
  return finish({ steps, flows, carries, algorithmAtData: atData }, input)
}

/** The flows that bring rows to the compute provider, also when it is the recipient of what it makes of them. */
export function flowsToInfrastructure(flows: readonly Flow[], infrastructure: string): Flow[] {
  return flows.filter((flow) => flow.to === infrastructure && flow.from !== infrastructure)
}

/** The flows that bring results to the recipient. @param infrastructure null where data providers compute themselves */
export function flowsToRecipient(
  flows: readonly Flow[],
  recipient: string,
  infrastructure: string | null
): Flow[] {
  return flows.filter(
    (flow) => flow.to === recipient && (infrastructure === null || flow.from === infrastructure)
  )
}

function pathProblem(services: readonly string[], input: ChainInput): string | undefined {
  for (const [index, name] of services.entries()) {
    const service = input.services.get(name)
    if (service === undefined) return `no service ${name} is known here`
    if (service.invalidIn.includes(input.archetype.name))
      return `${name} is invalid in ${input.archetype.name}`
    const next = services[index + 1]
    if (next !== undefined && !service.next.includes(next)) return `${name} may not be followed by ${next}`
  }
  return undefined
}

/** Labels and numbers of inputs, once everything has its place. */
function finish(chain: Chain, input: ChainInput): Chain | NoChain {
  const providers = new Set(input.data.map((provider) => provider.peer))
  for (const { step, service: name, at } of chain.steps) {
    const service = input.services.get(name)
    if (service === undefined) return { problem: `no service ${name} is known here` }
    if (service.label === 'dataProvider' && !providers.has(at))
      return { problem: `${name} runs at data providers only` }
    const first = chain.steps.findIndex((other) => other.at === at) === step
    const inputs =
      first && at === input.infrastructure ? Math.max(1, flowsToInfrastructure(chain.flows, at).length) : 1
    if (inputs < service.inputs.min || inputs > service.inputs.max) {
      return {
        problem: `${name} takes ${service.inputs.min} to ${service.inputs.max} inputs, here are ${inputs}`
      }
    }
  }
  return chain
}
