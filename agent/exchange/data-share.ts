import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Flow, Payload, Section, Terms } from '../../protocol/documents/index.ts'
import type { Assignment, Step } from '../../services/index.ts'
import {
  anonymisedOf,
  anonymizeByDataset,
  type Dataset,
  DatasetMissing,
  protectedDatasets,
  tablesToRead,
  withUnitColumns
} from '../datasets/index.ts'
import type { Dossier } from '../negotiation/index.ts'
import type { Disclosure, Earlier } from './group-history.ts'
import type { HeldPart } from './held-part.ts'
import { assertEveryStep, moveParts, ownSteps, runJob, runSteps } from './job-run.ts'
import type { ShareComponents } from './ports.ts'
import { pseudonymKey } from './pseudonym-key.ts'
import { isProtected, type ReceiptBody, receiptsOf, stepsDone } from './receipts.ts'

type Protect = NonNullable<Extract<Assignment, { kind: 'query' }>['protect']>
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
  const { self, datasets, outbox, resources } = components
  const held = dossier.contract(contract)
  const { chain, terms, parties } = held.contract.payload
  const shown = section.agreements.map((one) => shownUnder(components, one))
  const assertUnchanged = async () => {
    for (const { dataset } of shown) await datasets.assertUnchanged(dataset.config.id, { servers: false })
  }
  await assertUnchanged()

  const own = ownSteps(chain, self.peer)
  const asked = dossier.request.payload.options.anonymize
  const anonymize = own.some((step) => step.service === 'anonymize')
  const changed = new Set(anonymize ? anonymisedOf(shown, asked) : [])
  const extract: Extract<Assignment, { kind: 'extract' }> = {
    kind: 'extract',
    tables: shown.flatMap((one) => {
      const { dataset } = one
      const read = tablesToRead(one.terms, dataset, changed.has(one))
      return withUnitColumns(read, one.terms, dataset).flatMap((table) => {
        const source = dataset.sources.find((one) => one.name === table.name)
        if (source === undefined) return []
        const columns = table.columns.map((column) => column.name)
        const where = table.where === null ? {} : { where: table.where }
        return [{ source, dataset: dataset.config.id, columns, ...where }]
      })
    })
  }
  const dataProviders = parties.filter((party) => party.roles.includes('data')).map((party) => party.peer)
  const steps = own.flatMap(({ service }): Step[] => {
    if (service === 'query') return [{ service, sql: section.query.sql }]
    if (service === 'anonymize') {
      const key = pseudonymKey(contract, [...held.acceptances.values()], dataProviders, self)
      return [{ service, parameters: {}, datasets: anonymizeByDataset(shown, asked), key }]
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
      // replaced while it was read: what was read may be half of each
      await assertUnchanged()
      const parts = await moveParts(
        report.tables.map((table) => table.part),
        folder,
        extracts
      )
      return report.tables.flatMap((table, index) => {
        const part = parts[index]
        return part === undefined ? [] : [{ table: { name: table.name, dataset: table.dataset }, part }]
      })
    },
    signal
  ).catch(async (error: unknown) => {
    // a file that changed under the job looks damaged to it: the change is the reason
    if (!signal.aborted) await assertUnchanged()
    throw error
  })
  components.progress(dossier.request.id, 'query', 'runs the query over the extract')
  const delivers = parties.some((party) => party.peer === flow.to && party.roles.includes('recipient'))
  const run = async (protect?: Protect, write?: Earlier['write']) =>
    await runSteps(
      components,
      {
        contract,
        flow: flow.flow,
        maxRows: delivers ? terms.maxRows : null,
        inputs: [
          {
            kind: 'tables',
            tables: first.taken.map(({ table }, index) => ({ ...table, path: tablePath(index) }))
          }
        ],
        steps,
        protect
      },
      async (folder) => {
        for (const [index, { part }] of first.taken.entries())
          await rename(part.file, join(folder.path, tablePath(index)))
        if (protect?.earlier !== undefined) await write?.(join(folder.path, protect.earlier))
      },
      signal
    )
  const guarded = protectedDatasets(shown)
  const { parts, report, spent } =
    guarded === null
      ? await run()
      : await components.history.during(
          disclosure(held.contract.payload, guarded.datasets, self),
          signal,
          async ({ salt, groups, write, room }) => {
            const { minGroupSize, units, bounds } = guarded
            const before = groups === 0 ? {} : { earlier: 'in/earlier.csv' }
            const value = await run({ minGroupSize, units, bounds, salt, room, ...before }, write)
            return { value, released: value.released }
          }
        )
  return {
    parts,
    receipts: receiptsOf({
      round: 0,
      contract,
      request: dossier.request.id,
      organisation: self.organisation,
      steps: stepsDone(own, report),
      protected: isProtected(terms),
      inputs: [],
      outputs: parts.map((part) => part.digest),
      bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
      spent: [first.spent, spent],
      resources
    })
  }
}

/** A dataset, and the terms under which the contract shows it. */
function shownUnder(
  { agreements, datasets }: ShareComponents,
  { dataset: id, agreement: named }: DataSection['agreements'][number]
): { dataset: Dataset; terms: Terms } {
  const agreement = agreements.running(named)?.payload
  const dataset = datasets.get(id)
  if (agreement?.dataset !== id || dataset === undefined)
    throw new DatasetMissing(`dataset ${id} is not open here under the agreement of the contract`)
  return { dataset, terms: agreement.terms }
}

/** Every organisation that gets to know something of a result: who receives it, and who puts it together. */
function disclosure(
  { recipients, parties }: Payload<'contract'>,
  datasets: readonly string[],
  self: { organisation: string }
): Disclosure {
  const hosts = parties
    .filter(({ roles }) => roles.includes('infrastructure') && !roles.includes('data'))
    .map(({ organisation }) => organisation)
  const readers = [...recipients, ...hosts].filter((one) => one !== self.organisation)
  return { datasets, readers }
}

function tablePath(index: number): string {
  return `in/table-${index}.parquet`
}
