import { join } from 'node:path'
import type { Section } from '../../protocol/documents/index.ts'
import type { Assignment } from '../../services/index.ts'
import { type Dossier, RESULT_SERVICE, ShareFailed, StoppedByPolicy } from '../negotiation/index.ts'
import { type Arrived, digestsOf, inputOf, labelOf, placeInputs } from './arrived.ts'
import { explained, GRAPH, graphOrderOf, keepPicture } from './graph-step.ts'
import { moveFile, runJob } from './job-run.ts'
import type { ShareComponents, StoredResult } from './ports.ts'
import { isProtected, type ReceiptBody, receiptsOf } from './receipts.ts'
import { againOf, VerificationDiffers, verificationOf, verifiedOf } from './verifying.ts'

export type RecipientSection = Extract<Section, { as: 'recipient' }>

/** The recipient's share: what arrived, merged where the archetype leaves that to the recipient, as results for people. */
export async function runRecipientShare(
  components: ShareComponents,
  dossier: Dossier,
  contract: string,
  section: RecipientSection,
  arrived: Arrived,
  signal: AbortSignal
): Promise<ReceiptBody[]> {
  const { self, results, resources } = components
  const { chain, terms, algorithm } = dossier.contract(contract).contract.payload
  const request = dossier.request.id
  const draws = chain.find((step) => step.at === self.peer && step.service === GRAPH)
  const labels = new Map(section.inputs.map((input) => [labelOf(input.organisations), input.organisations]))
  const convert: Extract<Assignment, { kind: 'convert' }> = {
    kind: 'convert',
    inputs: section.inputs.map((input) => inputOf(input, arrived)),
    union: section.union,
    steps: section.merge
      ? [{ service: 'algorithm', name: algorithm, parameters: section.parameters, phase: 'merge' }]
      : [],
    maxInlineRows: 1000,
    // Whoever wants another form has it made then.
    csv: false,
    ...(await againOf(self.key, contract, section, arrived)),
    ...(draws === undefined ? {} : { graph: graphOrderOf(components, dossier, contract, section) })
  }
  components.progress(request, 'convert', 'puts the result together')
  const to = await results.folder(request)
  const { taken, spent } = await runJob(
    components,
    'convert',
    convert,
    async (folder) => await placeInputs([...section.inputs, ...(section.again ?? [])], arrived, folder),
    async (report, folder) => {
      const compared = verificationOf(dossier, contract, report.verification)
      if (compared !== null && !compared.same) throw new VerificationDiffers(self.peer, compared.verification)
      const verification = compared?.verification ?? null
      const stored: StoredResult[] = []
      for (const [index, result] of report.results.entries()) {
        if (terms.maxRows !== null && result.rowCount > terms.maxRows) {
          throw new ShareFailed(
            { hop: self.peer, code: 'output-too-large', step: null, position: null },
            `the terms allow ${terms.maxRows} rows, the result has ${result.rowCount}`
          )
        }
        const parquet = join(to, `result-${index}.parquet`)
        await moveFile(join(folder.path, result.parquet.path), parquet)
        const { columns, types, rows, rowCount, truncated } = result
        const from = result.from.flatMap((label) => labels.get(label) ?? [label])
        const drawn = await keepPicture(result.graph, index, folder.path, to)
        const verified = verifiedOf(verification, index, convert.again?.salt)
        stored.push({
          from,
          columns,
          types,
          rows,
          rowCount,
          truncated,
          parquet,
          csv: null,
          ...drawn,
          ...verified
        })
      }
      return {
        stored,
        verification,
        drawing: report.results.reduce((sum, one) => sum + (one.graph?.milliseconds ?? 0), 0)
      }
    },
    signal
  ).catch((error: unknown) => {
    throw explained(components, request, error)
  })
  const { stored, verification, drawing } = taken
  // It may have taken long to make; nothing is kept of what may not be had any more.
  if (terms.until !== null && components.clock.now() >= terms.until) {
    const reason = 'the terms of the data ended before the result was whole'
    const refusal = {
      code: 'agreement-expired' as const,
      clause: null,
      reason,
      acceptable: null,
      position: null
    }
    throw new StoppedByPolicy({ refusal, hop: self.peer })
  }
  await results.store(request, stored)
  const receipts = receiptsOf({
    round: 0,
    contract,
    request,
    organisation: self.organisation,
    steps: [
      ...(draws === undefined
        ? []
        : [{ step: draws.step, service: draws.service, rows: null, milliseconds: drawing }]),
      {
        step: chain.length,
        service: RESULT_SERVICE,
        rows: stored.reduce((sum, one) => sum + one.rowCount, 0),
        milliseconds: spent.milliseconds - drawing
      }
    ],
    protected: isProtected(terms),
    inputs: digestsOf([...section.inputs, ...(section.again ?? [])], arrived),
    outputs: [],
    bytes: 0,
    spent: [spent],
    resources
  })
  return receipts.map((receipt) =>
    verification === null || receipt.service !== RESULT_SERVICE ? receipt : { ...receipt, verification }
  )
}
