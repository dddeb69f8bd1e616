import { join } from 'node:path'
import type { Flow, Section } from '../../protocol/documents/index.ts'
import type { Assignment, Step } from '../../services/index.ts'
import { RECIPIENT_SERVICES } from '../composition/index.ts'
import type { Dossier } from '../negotiation/index.ts'
import { PART_BYTES } from './data-share.ts'
import { assertEveryStep, moveParts, placeParts, runJob } from './job-run.ts'
import type { HeldPart, ShareComponents } from './ports.ts'
import { type ReceiptBody, receiptsOf } from './receipts.ts'

export type InfrastructureSection = Extract<Section, { as: 'infrastructure' }>

/** Parts that arrived, by flow. */
export type Arrived = ReadonlyMap<number, HeldPart[]>

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
  const { self, outbox, resources } = components
  const { chain, terms, algorithm } = dossier.contract(contract).contract.payload
  const own = chain.filter((step) => step.at === self.peer && !RECIPIENT_SERVICES.has(step.service))
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
    const digests = group.flatMap((input) => arrived.get(input.flow)?.map((part) => part.digest) ?? [])
    const query: Extract<Assignment, { kind: 'query' }> = {
      kind: 'query',
      inputs: group.map((input) => ({
        kind: 'parts',
        from: labelOf(input.organisations),
        paths: (arrived.get(input.flow) ?? []).map((_, part) => `in/${input.flow}/part-${part}.parquet`),
        columns: input.columns
      })),
      steps,
      ...(terms.maxRows !== null && terms.maxRows > 0 ? { maxRows: terms.maxRows } : {}),
      partBytes: PART_BYTES
    }
    components.progress(
      dossier.request.id,
      'compute',
      `runs ${own.map((step) => step.service).join(' and ')}`
    )
    const { taken, spent } = await runJob(
      components,
      'query',
      query,
      async (folder) => {
        for (const input of group) await placeParts(arrived.get(input.flow) ?? [], folder, `${input.flow}`)
      },
      async (report, folder) => ({
        parts: await moveParts(report.parts, folder, join(outbox, contract, `${flow.flow}`)),
        report
      }),
      signal
    )
    outputs.push({ flow, parts: taken.parts })
    receipts.push(
      ...receiptsOf({
        round: index,
        contract,
        request: dossier.request.id,
        organisation: self.organisation,
        steps: own.map((step, position) => ({
          step: step.step,
          service: step.service,
          rows: taken.report.steps[position]?.rows ?? null,
          milliseconds: taken.report.steps[position]?.milliseconds ?? 0
        })),
        inputs: digests,
        outputs: taken.parts.map((part) => part.digest),
        bytes: taken.parts.reduce((sum, part) => sum + part.bytes, 0),
        spent: [spent],
        resources
      })
    )
  }
  return { outputs, receipts }
}

const MAX_LABEL = 128

/** Whose rows an input carries, as the job names it; the order of inputs follows from it. */
export function labelOf(organisations: readonly string[]): string {
  return organisations.join(',').slice(0, MAX_LABEL)
}
