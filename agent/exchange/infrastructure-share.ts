import type { Flow, Section } from '../../protocol/documents/index.ts'
import type { Step } from '../../services/index.ts'
import type { Dossier } from '../negotiation/index.ts'
import { type Arrived, digestsOf, inputOf, placeInputs } from './arrived.ts'
import type { HeldPart } from './held-part.ts'
import { assertEveryStep, ownSteps, runSteps } from './job-run.ts'
import type { ShareComponents } from './ports.ts'
import { isProtected, type ReceiptBody, receiptsOf, stepsDone } from './receipts.ts'

export type InfrastructureSection = Extract<Section, { as: 'infrastructure' }>

/**
 * A compute provider's share: rows of the data providers in, results out. One job over all of them when they are put
 * together, else one job for each.
 */
export async function runInfrastructureShare(
  components: ShareComponents,
  dossier: Dossier,
  contract: string,
  section: InfrastructureSection,
  arrived: Arrived,
  outgoing: readonly Flow[],
  signal: AbortSignal
): Promise<{ outputs: { flow: Flow; parts: HeldPart[] }[]; receipts: ReceiptBody[] }> {
  const { self, resources } = components
  const { chain, terms, algorithm } = dossier.contract(contract).contract.payload
  const own = ownSteps(chain, self.peer)
  const steps = own.flatMap(({ service }): Step[] => {
    if (service === 'aggregate') return [{ service }]
    if (service === 'algorithm' && section.algorithm !== null) {
      return [{ service, name: algorithm, parameters: section.parameters, phase: section.algorithm }]
    }
    return []
  })
  assertEveryStep(own, steps, self.peer)
  const groups = section.union ? [section.inputs] : section.inputs.map((input) => [input])
  const outputs: { flow: Flow; parts: HeldPart[] }[] = []
  const receipts: ReceiptBody[] = []
  for (const [index, group] of groups.entries()) {
    const flow = outgoing[index]
    if (flow === undefined) continue
    components.progress(
      dossier.request.id,
      'compute',
      `runs ${own.map((step) => step.service).join(' and ')}`
    )
    const { parts, report, spent } = await runSteps(
      components,
      {
        contract,
        flow: flow.flow,
        maxRows: terms.maxRows,
        inputs: group.map((input) => ({ ...inputOf(input, arrived), columns: input.columns })),
        steps
      },
      async (folder) => await placeInputs(group, arrived, folder),
      signal
    )
    outputs.push({ flow, parts })
    receipts.push(
      ...receiptsOf({
        round: index,
        contract,
        request: dossier.request.id,
        organisation: self.organisation,
        steps: stepsDone(own, report),
        protected: isProtected(terms),
        inputs: digestsOf(group, arrived),
        outputs: parts.map((part) => part.digest),
        bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
        spent: [spent],
        resources
      })
    )
  }
  return { outputs, receipts }
}
