import { Engine } from '../../services/engine/index.ts'
import { namingStatements, prepareShadow } from '../../services/inspect/index.ts'
import { quoteName } from '../../services/sql/index.ts'
import { EXTRACT, type ExtractTable, TABLES } from './extract.ts'

/** Columns that a statement is said to read, by the place of their table. */
export type Listed = ReadonlyMap<number, ReadonlySet<string>>

/** What came of running a statement: its rows as text, or the engine's class of error. */
export interface Ran {
  rows?: string
  error?: string
}

const ROWS = 7

/** Two values for a cell that differ, of which either may be NULL. */
function cells({ type, name }: ExtractTable['fields'][number], table: number, row: number): [string, string] {
  const seed = (row * 7 + table * 3 + name.length) % 11
  if (row === 3) return ['NULL', one(type, name, seed)]
  if (row === 5) return [one(type, name, seed), 'NULL']
  // keys meet those of other tables in one variant only
  if (name === 'id') return [String(row), String(row + 900)]
  return [one(type, name, seed), other(type, seed)]
}

function one(type: string, name: string, seed: number): string {
  switch (type) {
    case 'VARCHAR':
      return name === 'sex' ? `'${seed % 2 === 0 ? 'f' : 'm'}'` : `'a${seed}'`
    case 'DATE':
      return `DATE '19${80 + seed}-0${1 + (seed % 9)}-1${seed % 9}'`
    case 'BOOLEAN':
      return seed % 3 === 0 ? 'FALSE' : 'TRUE'
    case 'VARCHAR[]':
      return `['a', 't${seed}']`
    case 'DOUBLE':
      return `${seed}.5`
    default:
      return type.startsWith('STRUCT') ? `{'town': 'w${seed}', 'zip': ${seed}}` : `${seed}`
  }
}

function other(type: string, seed: number): string {
  switch (type) {
    case 'VARCHAR':
      return `'4${seed}é'`
    case 'DATE':
      return `DATE '2031-1${seed % 3}-2${seed % 9}'`
    case 'BOOLEAN':
      return seed % 3 === 0 ? 'TRUE' : 'FALSE'
    case 'VARCHAR[]':
      return `['z', 'f', 'b${seed}']`
    case 'DOUBLE':
      return `-${seed}.25e3`
    default:
      return type.startsWith('STRUCT') ? `{'town': 'f${seed}é', 'zip': ${seed + 5000}}` : `${seed + 7000}`
  }
}

/**
 * A database that holds nothing but an extract, named as a query's job names it, in which every column can be given other
 * values. It runs with the optimisers of an inspection, so that the same statement runs by the same plan whatever the values.
 */
export class Extract {
  private readonly changed: (string | undefined)[] = []

  private constructor(private readonly engine: Engine) {}

  static async open(): Promise<Extract> {
    const engine = await Engine.open()
    await prepareShadow(engine)
    await engine.confine({
      memory: 2 ** 29,
      threads: 1,
      spill: 0,
      scratch: '/nonexistent',
      folders: [],
      files: []
    })
    const extract = new Extract(engine)
    await engine.run('CREATE SCHEMA "both values"')
    for (const [index, { fields }] of EXTRACT.entries()) {
      const rows = Array.from({ length: ROWS }, (_, row) =>
        fields.flatMap((field) => cells(field, index, row)).join(', ')
      )
      const columns = fields.flatMap(({ name, type }) => [
        `${quoteName(`1 ${name}`)} ${type}`,
        `${quoteName(`2 ${name}`)} ${type}`
      ])
      await engine.run(`CREATE TABLE "both values".t${index} (${columns.join(', ')})`)
      await engine.run(
        `INSERT INTO "both values".t${index} VALUES ${rows.map((row) => `(${row})`).join(', ')}`
      )
      await extract.show(index, () => true)
    }
    for (const statement of namingStatements(TABLES, (index) => `"both values".v${index}`))
      await engine.run(statement)
    return extract
  }

  /** Runs a statement where the columns that `listed` does not have hold other values. */
  async run(sql: string, listed?: Listed): Promise<Ran> {
    for (const index of EXTRACT.keys())
      await this.show(index, (name) => listed === undefined || (listed.get(index)?.has(name) ?? false))
    try {
      return { rows: JSON.stringify(await this.engine.rows(sql), plain) }
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      return { error: /"exception_type":"([^"]*)"/.exec(text)?.[1] ?? text }
    }
  }

  async plan(sql: string): Promise<string> {
    return String((await this.engine.rows(`EXPLAIN (FORMAT JSON) ${sql}`))[0]?.[1])
  }

  /** All functions that the engine has; a macro with what it is written out as. */
  async functions(): Promise<{ name: string; macro: string }[]> {
    const rows = await this.engine.rows(
      'SELECT DISTINCT function_name, macro_definition FROM duckdb_functions()'
    )
    return rows.map(([name, macro]) => ({ name: String(name), macro: String(macro ?? '') }))
  }

  private async show(index: number, unchanged: (column: string) => boolean): Promise<void> {
    const columns = (EXTRACT[index]?.fields ?? []).map(
      ({ name }) => `${quoteName(`${unchanged(name) ? 1 : 2} ${name}`)} AS ${quoteName(name)}`
    )
    const text = columns.join(', ')
    if (this.changed[index] === text) return
    await this.engine.run(
      `CREATE OR REPLACE VIEW "both values".v${index} AS SELECT ${text} FROM "both values".t${index}`
    )
    this.changed[index] = text
  }
}

function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}
