import { planAggregate } from '../../../services/aggregate/index.ts'
import type { Algorithm } from '../../../services/algorithm/index.ts'
import { Engine } from '../../../services/engine/index.ts'
import type { Column } from '../../../services/job/index.ts'
import { quoteName, quoteText } from '../../../services/sql/index.ts'

export type Value = string | number | bigint | null
export type Rows = readonly (readonly Value[])[]

/** An algorithm over rows, run whole or by several parties whose states are merged. */
export class Parties {
  private made = 0

  private constructor(
    readonly engine: Engine,
    private readonly algorithm: Algorithm
  ) {}

  static async of(algorithm: Algorithm): Promise<Parties> {
    return new Parties(await Engine.open(), algorithm)
  }

  plan(columns: readonly Column[], parameters: Record<string, unknown>): string {
    return this.algorithm({ relation: 'nothing AS input', columns, parameters, phase: 'complete' })
  }

  async complete(
    columns: readonly Column[],
    rows: Rows,
    parameters: Record<string, unknown>
  ): Promise<unknown[][]> {
    const relation = `${await this.table(columns, rows)} AS input`
    return await this.engine.rows(this.algorithm({ relation, columns, parameters, phase: 'complete' }))
  }

  /** Each party's rows to a state, all states to the result; a party's place in the list is when its state arrives. */
  async merged(
    columns: readonly Column[],
    parties: readonly Rows[],
    parameters: Record<string, unknown>
  ): Promise<unknown[][]> {
    const states = []
    for (const rows of parties) {
      const relation = `${await this.table(columns, rows)} AS input`
      const sql = this.algorithm({ relation, columns, parameters, phase: 'partial' })
      // a state travels: what is read back must be enough
      const state = `s${this.made++}`
      await this.engine.run(`CREATE TEMP TABLE ${state} AS ${sql}`)
      states.push({ from: `P${states.length}`, relation: state, columns: await this.engine.describe(sql) })
    }
    const union = planAggregate(states)
    const relation = `(${union.sql}) AS input`
    return await this.engine.rows(
      this.algorithm({ relation, columns: union.columns, parameters, phase: 'merge' })
    )
  }

  private async table(columns: readonly Column[], rows: Rows): Promise<string> {
    const name = `t${this.made++}`
    const list = columns.map((column) => `${quoteName(column.name)} ${column.type}`)
    await this.engine.run(`CREATE TEMP TABLE ${name} (${list.join(', ')})`)
    const text = (value: Value): string => (value === null ? 'NULL' : quoteText(String(value)))
    const values = rows.map((row) => `(${row.map(text).join(', ')})`)
    if (values.length > 0) await this.engine.run(`INSERT INTO ${name} VALUES ${values.join(', ')}`)
    return name
  }
}

/** Rows dealt to parties by a number that each carries. */
export function deal<R>(rows: readonly { row: R; at: number }[], count: number): R[][] {
  return Array.from({ length: count }, (_, index) =>
    rows.filter(({ at }) => at % count === index).map(({ row }) => row)
  )
}
