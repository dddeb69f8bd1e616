import { expect } from 'chai'
import { Inspections, visibleTables } from '../../agent/decisions/inspection.ts'
import { JobFailed } from '../../agent/jobs/index.ts'
import type { Dossier } from '../../agent/negotiation/index.ts'
import type { Terms } from '../../protocol/documents/index.ts'
import type { ReportOf } from '../../services/index.ts'
import { aRequest, VU } from '../negotiation/documents.ts'
import { anAgreement } from '../policy/builders.ts'

const agreement = anAgreement({ tables: { Personen: { columns: '*' } } })
const dataset = {
  config: { file: '/d.yaml', id: 'wageGap', title: '', visibility: 'members' as const, tables: [] },
  tables: [{ name: 'Personen', rows: 1, columns: [{ name: 'id', type: 'BIGINT' }] }]
}
const FOUND: ReportOf<'inspect'> = {
  kind: 'inspect',
  columns: [{ name: 'id', type: 'BIGINT' }],
  uses: [],
  functions: [],
  notDistributable: [],
  perProvider: []
}
const SLOW = new JobFailed('sql-too-complex', 'took too long', { hint: 'too slow' })

/** A launcher that answers when the test says so. */
class FakeInspector {
  readonly asked: { sql: string; answer: PromiseWithResolvers<ReportOf<'inspect'>> }[] = []
  #heard = Promise.withResolvers<void>()

  async inspect({ sql }: { sql: string }): Promise<ReportOf<'inspect'>> {
    const answer = Promise.withResolvers<ReportOf<'inspect'>>()
    this.asked.push({ sql, answer })
    this.#heard.resolve()
    this.#heard = Promise.withResolvers()
    return await answer.promise
  }

  /** Every question to come is answered at once. */
  always(answer: ReportOf<'inspect'> | Error): void {
    this.inspect = async ({ sql }) => {
      const given = Promise.withResolvers<ReportOf<'inspect'>>()
      this.asked.push({ sql, answer: given })
      if (answer instanceof Error) throw answer
      return answer
    }
  }

  async question(index: number): Promise<{ sql: string; answer: PromiseWithResolvers<ReportOf<'inspect'>> }> {
    for (;;) {
      const found = this.asked[index]
      if (found !== undefined) return found
      await this.#heard.promise
    }
  }
}

describe('inspections of queries', () => {
  let inspector: FakeInspector
  let inspections: Inspections
  beforeEach(() => {
    inspector = new FakeInspector()
    inspections = new Inspections(inspector)
  })

  const aDossier = async (): Promise<Dossier> => await (await aRequest()).dossier(VU.peer)
  const ask = async (dossier: Dossier, sql: string, requester = 'UVA') =>
    await inspections.inspect({
      requester,
      dossier,
      sql,
      algorithm: { name: 'average', parameters: {} },
      grants: [{ agreement, dataset }],
      anonymize: false
    })

  it('are made once for all rows of a request, whatever came of them', async () => {
    inspector.always(SLOW)
    const dossier = await aDossier()
    for (let row = 0; row < 64; row++)
      expect(await ask(dossier, 'SLOW')).to.have.property('code', 'sql-too-complex')
    expect(inspector.asked).to.have.length(1)
    await ask(await aDossier(), 'SLOW')
    expect(inspector.asked).to.have.length(2)
  })

  it('stay with their request, however many others come', async () => {
    inspector.always(FOUND)
    const dossier = await aDossier()
    await ask(dossier, 'SELECT id FROM Personen')
    const other = await aDossier()
    for (let text = 0; text < 300; text++) await ask(other, `SELECT ${text}`, 'Eve')
    const before = inspector.asked.length
    expect(await ask(dossier, 'SELECT id FROM Personen')).to.deep.equal(FOUND)
    expect(inspector.asked).to.have.length(before)
  })

  it('keep no request busy for ever', async () => {
    const dossier = await aDossier()
    const other = await aDossier()
    const many = Array.from({ length: 40 }, async (_, text) => await ask(other, `SELECT ${text}`))
    const refused = await ask(dossier, 'LAST')
    expect(refused).to.have.property('code', 'busy')
    inspector.always(FOUND)
    ;(await inspector.question(0)).answer.resolve(FOUND)
    await Promise.all(many)
    expect(await ask(dossier, 'LAST')).to.deep.equal(FOUND)
  })

  it('meet the same tables whether what an agreement hides is there or not', () => {
    const hiding = anAgreement({ tables: { Personen: { columns: ['id'] } } })
    const [table] = dataset.tables
    const columns = [...(table?.columns ?? []), { name: 'iban', type: 'VARCHAR' }]
    const more = [
      { name: 'Personen', rows: 1, columns },
      { name: 'Secrets', rows: 1, columns }
    ]
    const met = (tables: typeof more) =>
      visibleTables([{ agreement: hiding, dataset: { ...dataset, tables } }], false, false)
    expect(met(more)).to.deep.equal(met(dataset.tables))
  })

  it('are made in turn, one organisation after the other', async () => {
    const dossier = await aDossier()
    const other = await aDossier()
    for (const text of ['A1', 'A2', 'A3']) void ask(other, text, 'Eve')
    const mine = ask(dossier, 'B1', 'UVA')
    expect((await inspector.question(1)).sql).to.equal('B1')
    ;(await inspector.question(1)).answer.resolve(FOUND)
    expect(await mine).to.deep.equal(FOUND)
    ;(await inspector.question(0)).answer.resolve(FOUND)
    expect((await inspector.question(2)).sql).to.equal('A2')
  })

  it('name what there is as it can be written where two datasets have a table of one name', async () => {
    const ofBoth = async (code: 'sql-table-unknown' | 'sql-column-unknown') => {
      inspector.always(new JobFailed(code, 'none of that name', { hint: 'none' }))
      const other = { ...dataset, config: { ...dataset.config, id: 'sick-leave' } }
      const grants = [dataset, other].map((one) => ({ agreement, dataset: one }))
      return await inspections.inspect({
        requester: 'UVA',
        dossier: await aDossier(),
        sql: code,
        algorithm: { name: 'average', parameters: {} },
        grants,
        anonymize: false
      })
    }
    expect(await ofBoth('sql-table-unknown')).to.deep.include({
      acceptable: { tables: ['wageGap.Personen', '"sick-leave".Personen'] }
    })
    expect(await ofBoth('sql-column-unknown')).to.deep.include({
      acceptable: { columns: ['wageGap.Personen.id', '"sick-leave".Personen.id'] }
    })
  })

  it('refuse, without asking anybody, what the agreement cannot have of this dataset', async () => {
    inspector.always(FOUND)
    const under = async (anonymize: NonNullable<Terms['anonymize']>) =>
      await inspections.inspect({
        requester: 'UVA',
        dossier: await aDossier(),
        sql: 'SELECT id FROM Personen',
        algorithm: { name: 'average', parameters: {} },
        grants: [{ agreement: anAgreement({ tables: { Personen: { columns: '*' } }, anonymize }), dataset }],
        anonymize: true
      })
    const nothing = { pseudonymise: [], generalise: {}, suppress: [] }
    const unfit = await under({ ...nothing, generalise: { ID: { prefix: 2 } } })
    expect(unfit).to.include({ code: 'anonymize-parameters' })
    expect(unfit).to.have.property('reason').that.includes('column "id": a prefix needs a text')
    const renamed = await under({ ...nothing, suppress: ['bsn'] })
    expect(renamed).to.include({ code: 'dataset-changed' })
    expect(inspector.asked).to.have.length(0)
  })
})
