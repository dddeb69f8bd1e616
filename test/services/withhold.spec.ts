import { expect } from 'chai'
import fc from 'fast-check'
import { planAggregate } from '../../services/aggregate/index.ts'
import { algorithm as average } from '../../services/algorithm/average/index.ts'
import { algorithm as crosstab } from '../../services/algorithm/crosstab/index.ts'
import { algorithm as histogram } from '../../services/algorithm/histogram/index.ts'
import type { Algorithm } from '../../services/algorithm/index.ts'
import { Engine } from '../../services/engine/index.ts'
import {
  keptCells,
  planCells,
  planWithholding,
  rememberedGroups,
  SALT
} from '../../services/protect/index.ts'

interface Row {
  /** Of the two tables that the row was joined of. */
  person: number
  other: number
  g: string | null
  h: number
  v: number | null
}

const COLUMNS = [
  { name: 'g', type: 'VARCHAR' },
  { name: 'h', type: 'BIGINT' },
  { name: 'v', type: 'BIGINT' }
]
const ASKED: {
  name: string
  plan: Algorithm
  parameters: Record<string, unknown>
  cell: (row: Row) => string | null
}[] = [
  {
    name: 'average',
    plan: average,
    parameters: { value: 'v', by: ['g', 'h'] },
    cell: ({ g, h, v }) => (v === null ? null : `${g}|${h}`)
  },
  {
    name: 'crosstab',
    plan: crosstab,
    parameters: { rows: 'g', columns: 'h' },
    cell: ({ g, h }) => `${g}|${h}`
  },
  {
    name: 'histogram',
    plan: histogram,
    parameters: { value: 'v', edges: ['-10', '0', '10'], by: ['g'] },
    cell: ({ g, v }) => `${g}|${v === null ? null : v < -10 ? 0 : v < 0 ? 1 : v <= 10 ? 2 : 3}`
  }
]
type Asked = (typeof ASKED)[number]

const row: fc.Arbitrary<Row> = fc.record({
  person: fc.integer({ min: 1, max: 9 }),
  other: fc.integer({ min: 1, max: 9 }),
  g: fc.constantFrom('a', 'b', null),
  h: fc.constantFrom(1, 2),
  v: fc.option(fc.integer({ min: -12, max: 12 }), { freq: 5 })
})
const rows = fc.array(row, { minLength: 1, maxLength: 40 })
const asked = fc.constantFrom(...ASKED)

const literal = (value: string | number | null): string => (value === null ? 'NULL' : `'${value}'`)
const valuesOf = (all: readonly Row[]): string => {
  const typed = `CAST(g AS VARCHAR) AS g, CAST(h AS BIGINT) AS h, CAST(v AS BIGINT) AS v`
  if (all.length === 0)
    return `SELECT ${typed} FROM (SELECT NULL AS g, NULL AS h, NULL AS v) AS n WHERE FALSE`
  const list = all.map(({ person, other, g, h, v }) => [person, other, g, h, v].map(literal).join(', '))
  return `SELECT CAST(person AS VARCHAR) AS person, CAST(other AS VARCHAR) AS other, hash(person, other, g, h, v) AS content, ${typed} FROM (VALUES ${list.map((one) => `(${one})`).join(', ')}) AS t(person, other, g, h, v)`
}

/** What leaves a provider: states, the cells that they are of, and what is remembered. */
async function leaving(all: readonly Row[], { name, plan, parameters }: Asked, minGroupSize: number) {
  const engine = await Engine.open()
  await engine.run(`SET VARIABLE ${SALT} = 'x'`)
  await engine.run(`CREATE TEMP TABLE given AS ${valuesOf(all)}`)
  const given = { table: 'given', columns: COLUMNS, units: ['person', 'other'], content: 'content' }
  const { prepare, cells } = planCells(name, parameters, given)
  for (const statement of prepare) await engine.run(statement)
  for (const statement of planWithholding(cells, given, { minGroupSize, earlier: undefined, room: 1e6 }))
    await engine.run(statement)
  const sql = plan({ relation: `${cells.rows} AS input`, columns: COLUMNS, parameters, phase: 'partial' })
  const columns = await engine.describe(sql)
  return {
    columns,
    states: await engine.rows(sql),
    kept: Number(await engine.run(keptCells(cells))),
    remembered: await engine.rows(rememberedGroups())
  }
}

function cellsOf(all: readonly Row[], { cell }: Asked): Map<string, Row[]> {
  const cells = new Map<string, Row[]>()
  for (const one of all) {
    const key = cell(one)
    if (key !== null) cells.set(key, [...(cells.get(key) ?? []), one])
  }
  return cells
}

const enough = (of: readonly Row[], least: number): boolean =>
  new Set(of.map(({ person }) => person)).size >= least && new Set(of.map(({ other }) => other)).size >= least

const plain = (found: unknown[][]) =>
  found.map((one) => one.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)))

describe('groups that leave a provider', () => {
  it('are never of fewer units than agreed, of any table that was read, and all others leave', async () => {
    await fc.assert(
      fc.asyncProperty(rows, asked, fc.integer({ min: 2, max: 4 }), async (all, what, least) => {
        const { states, kept } = await leaving(all, what, least)
        const cells = [...cellsOf(all, what).values()]
        const released = cells.filter((of) => enough(of, least))
        expect(states).to.have.length(released.length)
        expect(kept).to.equal(cells.length - released.length)
      }),
      { numRuns: 40 }
    )
  })

  it('give, merged over providers, what the engine gives for their rows put together', async () => {
    await fc.assert(
      fc.asyncProperty(rows, rows, asked, fc.integer({ min: 2, max: 4 }), async (one, other, what, least) => {
        const engine = await Engine.open()
        const contributions = []
        const kept: Row[] = []
        for (const [index, all] of [one, other].entries()) {
          const left = [...cellsOf(all, what).values()].filter((of) => enough(of, least)).flat()
          kept.push(...left)
          const relation = `given${index}`
          await engine.run(`CREATE TEMP TABLE ${relation} AS ${valuesOf(left)}`)
          const { states, columns } = await leaving(all, what, least)
          const state = await statesIn(engine, `state${index}`, columns, states)
          contributions.push({ from: `P${index}`, relation: state, columns })
        }
        const union = planAggregate(contributions)
        const { plan, parameters } = what
        const merged = plan({
          relation: `(${union.sql}) AS s`,
          columns: union.columns,
          parameters,
          phase: 'merge'
        })
        await engine.run(`CREATE TEMP TABLE whole AS ${valuesOf(kept)}`)
        const whole = plan({ relation: 'whole', columns: COLUMNS, parameters, phase: 'complete' })
        expect(plain(await engine.rows(merged))).to.deep.equal(plain(await engine.rows(whole)))
      }),
      { numRuns: 30 }
    )
  })
})

async function statesIn(
  engine: Engine,
  table: string,
  columns: readonly { name: string; type: string }[],
  states: readonly unknown[][]
): Promise<string> {
  const list = columns.map(({ name, type }) => `"${name}" ${type}`).join(', ')
  await engine.run(`CREATE TEMP TABLE ${table} (${list})`)
  const text = (value: unknown): string => (value === null ? 'NULL' : `'${String(value)}'`)
  if (states.length > 0)
    await engine.run(
      `INSERT INTO ${table} VALUES ${states.map((one) => `(${one.map(text).join(', ')})`).join(', ')}`
    )
  return table
}
