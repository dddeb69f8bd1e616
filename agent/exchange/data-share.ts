import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Flow, Section } from '../../protocol/documents/index.ts'
import type { Assignment, Step } from '../../services/index.ts'
import { anonymizeParameters, DatasetMissing, tablesToRead } from '../datasets/index.ts'
import type { Dossier } from '../negotiation/index.ts'
import { assertEveryStep, moveParts, ownSteps, runJob, runSteps } from './job-run.ts'
import type { HeldPart, ShareComponents } from './ports.ts'
import { pseudonymKey } from './pseudonym-key.ts'
import { type ReceiptBody, receiptsOf, stepsDone } from './receipts.ts'

export type DataSection = Extract<Section, { as: 'data' }>

/**
 * A data provider's share: an extract of what the agreement shows, by SQL we wrote ourselves, then the asker's SQL and the
 * rest of the chain over that extract alone, each in a sandbox of its own.
 */
export async function runDataShare(
  components: ShareComponents,
  dossier: Dossier,
  contract: string,
  section: DataSection,
  flow: Flow,
  signal: AbortSignal
): Promise<{ parts: HeldPart[]; receipts: ReceiptBody[] }> {
  const { self, datasets, agreements, outbox, resources } = components
  const held = dossier.contract(contract)
  const { chain, terms, parties } = held.contract.payload
  const agreement = agreements.get(section.agreement)
  const dataset = agreement === undefined ? undefined : datasets.get(agreement.payload.dataset)
  if (agreement === undefined || dataset === undefined)
    throw new DatasetMissing('the dataset of the agreement is not open here')
  await datasets.assertUnchanged(dataset.config.id)

  const own = ownSteps(chain, self.peer)
  const anonymize = own.some((step) => step.service === 'anonymize')
  const granted = tablesToRead(agreement.payload.terms, dataset, anonymize)
  const extract: Extract<Assignment, { kind: 'extract' }> = {
    kind: 'extract',
    tables: granted.flatMap((table) => {
      const source = dataset.sources.find((one) => one.name === table.name)
      if (source === undefined) return []
      const columns = table.columns.map((column) => column.name)
      return [{ source, columns, ...(table.where === null ? {} : { where: table.where }) }]
    })
  }
  const dataProviders = parties.filter((party) => party.roles.includes('data')).map((party) => party.peer)
  const steps = own.flatMap(({ service }): Step[] => {
    if (service === 'query') return [{ service, sql: section.query.sql }]
    if (service === 'anonymize') {
      const key = pseudonymKey(contract, [...held.acceptances.values()], dataProviders, self)
      return [{ service, parameters: anonymizeParameters(agreement.payload.terms, dataset), key }]
    }
    if (service === 'algorithm' && section.algorithm !== null) {
      const { algorithm } = held.contract.payload
      return [{ service, name: algorithm, parameters: section.query.parameters, phase: section.algorithm }]
    }
    return []
  })
  assertEveryStep(own, steps, self.peer)

  const extracts = join(outbox, contract, 'extract')
  components.progress(dossier.request.id, 'extract', 'reads what the agreement shows')
  const first = await runJob(
    components,
    'extract',
    extract,
    async () => undefined,
    async (report, folder) => {
      const parts = await moveParts(
        report.tables.map((table) => table.part),
        folder,
        extracts
      )
      return report.tables.flatMap((table, index) => {
        const part = parts[index]
        return part === undefined ? [] : [{ name: table.name, part }]
      })
    },
    signal
  )
  components.progress(dossier.request.id, 'query', 'runs the query over the extract')
  const delivers = parties.some((party) => party.peer === flow.to && party.roles.includes('recipient'))
  const { parts, report, spent } = await runSteps(
    components,
    {
      contract,
      flow: flow.flow,
      maxRows: delivers ? terms.maxRows : null,
      inputs: [
        {
          kind: 'tables',
          tables: first.taken.map(({ name }, index) => ({ name, path: `in/table-${index}.parquet` }))
        }
      ],
      steps
    },
    async (folder) => {
      for (const [index, { part }] of first.taken.entries()) {
        await rename(part.file, join(folder.path, `in/table-${index}.parquet`))
      }
    },
    signal
  )
  return {
    parts,
    receipts: receiptsOf({
      round: 0,
      contract,
      request: dossier.request.id,
      organisation: self.organisation,
      steps: stepsDone(own, report),
      inputs: [],
      outputs: parts.map((part) => part.digest),
      bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
      spent: [first.spent, spent],
      resources
    })
  }
}
