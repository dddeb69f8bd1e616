import { join } from 'node:path'
import type { Contribution } from '../aggregate/index.ts'
import type { Engine } from '../engine/index.ts'
import { Failure } from '../failure/index.ts'
import { checkColumns, checkStatement, namingStatements, sqlFailure } from '../inspect/index.ts'
import type { Assignment, Column, ReportOf, Step, TableSchema } from '../job/index.ts'
import { planQuery } from '../query/index.ts'
import { quoteName } from '../sql/index.ts'
import { copyParts, describeParts, outputList, readFiles, readParts } from './parts.ts'
import type { JobPlace } from './place.ts'
import { type ProtectedResult, runProtected, withUnits } from './protect.ts'
import {
  type AnonymizeStep,
  applyAlgorithm,
  applyAnonymize,
  gather,
  kept,
  materialise,
  type Relation,
  runtimeFailure
} from './steps.ts'

type QueryAssignment = Extract<Assignment, { kind: 'query' }>
type StepReport = ReportOf<'query'>['steps'][number]

/** Runs a party's share of a chain and writes what comes out as parts. */
export async function runQuery(
  engine: Engine,
  assignment: QueryAssignment,
  place: JobPlace
): Promise<ReportOf<'query'>> {
  const run = new QueryRun(engine, assignment, place)
  return await run.run()
}

class QueryRun {
  private relation: Relation | undefined
  private contributions: (Contribution & { rows: number })[] = []
  private tables: TableSchema[] = []
  /** Rows that anonymising left out; undefined where nothing was counted. */
  private withheld: number | undefined
  /** The tables as {@link runProtected} takes them. */
  private opened: { schema: TableSchema; sql: string }[] = []
  private protectedResult: ProtectedResult | undefined
  /** The analyst's text, while an error may still be placed in it. */
  private pending: string | undefined

  constructor(
    private readonly engine: Engine,
    private readonly assignment: QueryAssignment,
    private readonly place: JobPlace
  ) {}

  async run(): Promise<ReportOf<'query'>> {
    const { steps } = this.assignment
    await this.openInputs(
      steps[0]?.service === 'query' && steps[1]?.service === 'anonymize' ? steps[1] : undefined
    )
    const reports: StepReport[] = []
    let started = performance.now()
    for (const [index, step] of steps.entries()) {
      const last = steps
        .slice(index + 1)
        .every((later) => index === 0 && later.service === 'anonymize' && steps.length === 2)
      // anonymising after a query happened when its tables were opened
      const done = step.service === 'anonymize' && index === 1 && steps[0]?.service === 'query'
      if (!done) this.relation = await this.next(step, index, last)
      const withheld = step.service === 'anonymize' ? this.withheld : undefined
      reports.push({
        service: step.service,
        rows: this.relation?.rows ?? 0,
        ...(withheld === undefined ? {} : { withheld }),
        milliseconds: performance.now() - started
      })
      started = performance.now()
    }
    return await this.finish(reports, started)
  }

  private async openInputs(anonymize: AnonymizeStep | undefined): Promise<void> {
    for (const input of this.assignment.inputs) {
      if (input.kind === 'parts') {
        this.contributions.push(await readParts(this.engine, this.place.root, input))
        continue
      }
      await this.openTables(input.tables, anonymize)
    }
    if (this.contributions.length > 0 && this.tables.length > 0)
      throw new Failure('internal', 'a job takes either tables or parts')
  }

  private async openTables(
    inputs: Extract<QueryAssignment['inputs'][number], { kind: 'tables' }>['tables'],
    anonymize: AnonymizeStep | undefined
  ): Promise<void> {
    const relations: Relation[] = []
    for (const [index, { name, dataset, path }] of inputs.entries()) {
      const { sql, columns } = await readFiles(this.engine, [join(this.place.root, path)])
      const held: Relation = { sql: `(${sql})`, columns, rows: undefined }
      const { protect } = this.assignment
      const relation =
        protect === undefined ? held : await withUnits(this.engine, protect, { name, dataset }, held)
      const step = anonymize === undefined ? undefined : anonymizeOf(anonymize, dataset)
      relations.push(step === undefined ? relation : await this.anonymize(step, relation, name, index))
    }
    this.tables = inputs.map(({ name, dataset }, index) => ({
      name,
      ...(dataset === undefined ? {} : { dataset }),
      columns: [...(relations[index]?.columns ?? [])]
    }))
    if (this.assignment.protect !== undefined) {
      this.opened = this.tables.map((schema, index) => ({ schema, sql: relations[index]?.sql ?? '' }))
      return
    }
    const sources = relations.map((relation) => `${relation.sql} AS source`)
    for (const statement of namingStatements(this.tables, (index) => sources[index] ?? ''))
      await this.engine.run(statement)
  }

  private async anonymize(
    step: AnonymizeStep,
    relation: Relation,
    table: string,
    number = 0
  ): Promise<Relation> {
    const changed = await applyAnonymize(this.engine, step, relation, table, number)
    if (changed.withheld !== undefined) this.withheld = (this.withheld ?? 0) + changed.withheld
    return changed
  }

  private async next(step: Step, index: number, last: boolean): Promise<Relation | undefined> {
    if (this.assignment.protect === undefined) return await this.apply(step, index, last)
    // the query and what adds its rows up are one: no rows are there in between
    return step.service === 'query' ? undefined : await this.runProtected(step)
  }

  private async runProtected(step: Step): Promise<Relation> {
    const { steps, protect } = this.assignment
    const [query] = steps
    if (query?.service !== 'query' || step.service !== 'algorithm' || protect === undefined || this.relation)
      throw new Failure('internal', 'expected a query and one algorithm, whose groups are protected')
    const order = { sql: query.sql, step, protect, opened: this.opened }
    this.protectedResult = await runProtected(this.engine, order, this.place)
    return this.protectedResult.relation
  }

  private async apply(step: Step, index: number, last: boolean): Promise<Relation> {
    const as = `dynamos step ${index}`
    if (step.service === 'query') return await this.query(step.sql, as, last)
    const relation = this.relation ?? this.input()
    switch (step.service) {
      case 'anonymize': {
        const [table] = this.tables
        const own = anonymizeOf(step, table?.dataset)
        return own === undefined ? relation : await this.anonymize(own, relation, table?.name ?? '')
      }
      case 'aggregate':
        return relation
      case 'algorithm': {
        const result = await applyAlgorithm(this.engine, step, relation)
        return last ? result : await materialise(this.engine, result, as)
      }
    }
  }

  /** What a first step other than a query works on. */
  private input(): Relation {
    if (this.contributions.length > 0) return gather(this.contributions)
    const [table, ...more] = this.tables
    if (table === undefined || more.length > 0)
      throw new Failure('internal', 'the first step needs parts or exactly one table')
    return { sql: quoteName(table.name), columns: table.columns, rows: undefined }
  }

  private async query(sql: string, as: string, last: boolean): Promise<Relation> {
    if (this.relation !== undefined || this.contributions.length > 0)
      throw new Failure('internal', 'a query is a first step, over tables')
    await checkStatement(this.engine, sql, this.tables)
    const columns = await this.describe(sql)
    // a text that ends in a semicolon cannot stand in parentheses
    if (last && (await this.fits(sql))) {
      this.pending = sql
      return { sql: `(\n${sql}\n)`, columns, rows: undefined }
    }
    const plan = planQuery(sql, as, true)
    try {
      await this.engine.run(plan.sql)
    } catch (error) {
      throw sqlFailure(error, { text: sql, offset: plan.offset, tables: this.tables })
    }
    return await kept(this.engine, as, columns)
  }

  private async describe(sql: string): Promise<Column[]> {
    try {
      const columns = await this.engine.describe(sql)
      checkColumns(columns)
      return columns
    } catch (error) {
      throw sqlFailure(error, { text: sql, offset: 0, tables: this.tables })
    }
  }

  private async fits(sql: string): Promise<boolean> {
    try {
      return (await this.engine.statements(`SELECT * FROM (\n${sql}\n) AS q`)) === 1
    } catch {
      return false
    }
  }

  private async finish(reports: StepReport[], started: number): Promise<ReportOf<'query'>> {
    const relation = this.relation
    if (relation === undefined) throw new Failure('internal', 'a job needs a step')
    const { maxRows, partBytes } = this.assignment
    const select = `SELECT ${outputList(relation.columns)} FROM `
    const limit = maxRows === undefined ? '' : ` LIMIT ${maxRows + 1}`
    const copy = copyParts(`${select}${relation.sql} AS q${limit}`, this.place.out, partBytes)
    let rows: number
    try {
      rows = Number(await this.engine.run(copy.sql))
    } catch (error) {
      if (this.pending === undefined) throw runtimeFailure(error)
      throw sqlFailure(error, {
        text: this.pending,
        offset: Buffer.byteLength(`${copy.prefix}${select}(\n`),
        tables: this.tables
      })
    }
    if (maxRows !== undefined && rows > maxRows) {
      throw new Failure('output-too-large', `more than ${maxRows} rows`, {
        hint: `the result has more than ${maxRows} rows`
      })
    }
    const parts = await describeParts(this.engine, this.place.root)
    const counted = reports.map((report, index) => this.counted(report, index, rows, reports, started))
    const { suppressed, released } = this.protectedResult ?? {}
    return {
      kind: 'query',
      columns: [...relation.columns],
      parts,
      rows,
      ...(suppressed === undefined || released === undefined ? {} : { suppressed, released }),
      steps: counted
    }
  }

  /** Fills in what only the writing of the result showed. */
  private counted(
    report: StepReport,
    index: number,
    rows: number,
    reports: readonly StepReport[],
    started: number
  ): StepReport {
    const last = index === reports.length - 1
    if (index === 0 && this.protectedResult !== undefined)
      return { ...report, rows: this.protectedResult.queried }
    // what stands after a query without a table of its own has its rows: only anonymising does
    const unknown = last || (index === 0 && this.pending !== undefined)
    return {
      ...report,
      rows: unknown ? rows : report.rows,
      milliseconds: last ? report.milliseconds + performance.now() - started : report.milliseconds
    }
  }
}

/** What a step does to the tables of one dataset; undefined where it leaves them as they are. */
function anonymizeOf(step: AnonymizeStep, dataset: string | undefined): AnonymizeStep | undefined {
  if (step.datasets === undefined || dataset === undefined) return step
  const parameters = step.datasets[dataset]
  return parameters === undefined ? undefined : { ...step, parameters }
}
