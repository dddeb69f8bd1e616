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
  /** Another party that runs again what the infrastructure runs, over the same rows. */
  verifier?: string | undefined
  recipient: string
  /** One result over all providers' rows. */
  union: boolean
  /** Services that the asker wants. */
  asked: readonly string[]
  /** Data providers send states of the algorithm, never rows, also where another party puts them together. */
  states?: boolean
}

export interface Chain {
  steps: PlacedStep[]
  flows: Flow[]
  /** The data providers whose rows each flow carries, by flow number. */
  carries: string[][]
  /** Whether each data provider runs the algorithm itself, over its own rows. */
  algorithmAtData: boolean
  /** Whether another party merges the states of the algorithm. */
  mergedAtHost: boolean
}

/** Why no chain of this archetype can serve the request. */
export interface NoChain {
  problem: string
}

const ALGORITHM = 'algorithm'

/**
 * What is done where results are put together, after everything else: pictures. A recipient that plays another role too does
 * them in this one only.
 */
export const RECIPIENT_SERVICES: ReadonlySet<string> = new Set(['graph'])

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
  const several = input.data.length > 1
  const wanted = (service: string, when: string | undefined, place: DataPlace | null): boolean => {
    if (when === undefined) return true
    if (when === 'several') return several && input.union
    if (when === 'asked') return input.asked.includes(service)
    return input.asked.includes(service) || (place?.required.includes(service) ?? false)
  }

  const misplaced = misplacedStep(input, (step) => wanted(step.service, step.when, null))
  if (misplaced !== undefined) return { problem: misplaced }
  const atRecipient = input.archetype.steps
    .filter((step) => step.at === 'recipient' && wanted(step.service, step.when, null))
    .map((step) => step.service)

  // the same algorithm makes a state of each provider's rows, and a result of the states
  const states = input.states === true && !atData
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
    (step) =>
      !RECIPIENT_SERVICES.has(step.service) &&
      (step.at === 'data' || (atData && step.at === 'infrastructure'))
  )
  const hostSteps = atData
    ? []
    : input.archetype.steps.filter(
        (step) => step.at === 'infrastructure' && !RECIPIENT_SERVICES.has(step.service)
      )
  const lastAtData: number[] = []
  const lastOfRows: string[] = []
  for (const provider of input.data) {
    const own = dataSteps
      .filter((step) => wanted(step.service, step.when, provider))
      .map((step) => step.service)
    const services = states ? [...own, ALGORITHM] : own
    if (own.length === 0) return { problem: `the archetype has no step at data for ${provider.peer}` }
    const problem = pathProblem(services, input)
    if (problem !== undefined) return { problem }
    const missing = provider.required.find((service) => !services.includes(service))
    if (missing !== undefined)
      return { problem: `${missing} is required, and ${input.archetype.name} has no place for it` }
    for (const service of services) place(service, provider.peer)
    lastAtData.push(steps.length - 1)
    lastOfRows.push(own.at(-1) ?? '')
  }

  const host = input.infrastructure
  const hostServices = hostSteps
    .filter((step) => wanted(step.service, step.when, null))
    .map((step) => step.service)
  const [firstAtHost] = hostServices
  if (states && !hostServices.includes(ALGORITHM))
    return {
      problem: `states of the algorithm are to be merged, and ${input.archetype.name} has no place for it`
    }
  if (host === null || firstAtHost === undefined) {
    if (input.verifier !== undefined)
      return { problem: `${input.archetype.name} has no step at infrastructure that could be run again` }
    for (const [index, provider] of input.data.entries()) {
      addFlow(provider.peer, input.recipient, lastAtData[index] ?? 0, [provider.peer])
    }
    return finish(
      { steps, flows, carries, algorithmAtData: atData || states, mergedAtHost: states },
      atRecipient,
      input
    )
  }
  for (const [index, provider] of input.data.entries()) {
    const problem = pathProblem([lastOfRows[index] ?? '', ...hostServices], input)
    if (problem !== undefined) return { problem }
    addFlow(provider.peer, host, lastAtData[index] ?? 0, [provider.peer])
  }
  for (const service of hostServices) place(service, host)
  const everyone = input.data.map((provider) => provider.peer)
  const results = input.union ? [everyone] : everyone.map((peer) => [peer])
  for (const of of results) addFlow(host, input.recipient, steps.length - 1, of)
  const { verifier } = input
  if (verifier !== undefined) {
    for (const [index, provider] of input.data.entries())
      addFlow(provider.peer, verifier, lastAtData[index] ?? 0, [provider.peer])
    for (const service of hostServices) place(service, verifier)
    for (const of of results) addFlow(verifier, input.recipient, steps.length - 1, of)
  }
  return finish(
    { steps, flows, carries, algorithmAtData: atData || states, mergedAtHost: states },
    atRecipient,
    input
  )
}

/** A step where no party does it, or an asked one for which the archetype has no place. */
function misplacedStep(
  { archetype, asked }: ChainInput,
  wanted: (step: ArchetypeBody['steps'][number]) => boolean
): string | undefined {
  for (const step of archetype.steps) {
    const ofRecipient = RECIPIENT_SERVICES.has(step.service)
    const fits = ofRecipient ? step.at === 'recipient' : step.at === 'data' || step.at === 'infrastructure'
    if (fits) continue
    if (!ofRecipient) return `${step.service} cannot be placed at ${step.at}`
    if (wanted(step))
      return `${step.service} is done where results are put together, at recipient; ${archetype.name} places it at ${step.at}`
  }
  const homeless = asked.find(
    (service) => RECIPIENT_SERVICES.has(service) && !archetype.steps.some((step) => step.service === service)
  )
  return homeless === undefined ? undefined : `${archetype.name} has no place for ${homeless}`
}

/** The services that a request's options ask for. */
export function askedServices({ anonymize, graph }: { anonymize: boolean; graph: boolean }): string[] {
  return [...(anonymize ? ['anonymize'] : []), ...(graph ? ['graph'] : [])]
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

/** The recipient's own steps after all others; labels and numbers of inputs, once everything has its place. */
function finish(chain: Chain, atRecipient: readonly string[], input: ChainInput): Chain | NoChain {
  const arriving = flowsToRecipient(
    chain.flows,
    input.recipient,
    computesAtData(input.archetype) ? null : input.infrastructure
  )
  if (atRecipient.length > 0) {
    for (const { step } of arriving) {
      const last = chain.steps[step]
      const problem = last === undefined ? undefined : pathProblem([last.service, ...atRecipient], input)
      if (problem !== undefined) return { problem }
    }
    for (const service of atRecipient)
      chain.steps.push({ step: chain.steps.length, service, at: input.recipient })
  }
  const providers = new Set(input.data.map((provider) => provider.peer))
  for (const { step, service: name, at } of chain.steps) {
    const service = input.services.get(name)
    if (service === undefined) return { problem: `no service ${name} is known here` }
    if (service.label === 'dataProvider' && !providers.has(at))
      return { problem: `${name} runs at data providers only` }
    const first = chain.steps.findIndex((other) => other.at === at) === step
    const inputs = RECIPIENT_SERVICES.has(name)
      ? arriving.length
      : first && (at === input.infrastructure || at === input.verifier)
        ? Math.max(1, flowsToInfrastructure(chain.flows, at).length)
        : 1
    if (inputs < service.inputs.min || inputs > service.inputs.max) {
      return {
        problem: `${name} takes ${service.inputs.min} to ${service.inputs.max} inputs, here are ${inputs}`
      }
    }
  }
  return chain
}
