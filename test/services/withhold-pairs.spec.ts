import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { algorithm as correlation } from '../../services/algorithm/correlation/index.ts'
import type { Algorithm } from '../../services/algorithm/index.ts'
import { algorithm as regression } from '../../services/algorithm/regression/index.ts'
import { Engine } from '../../services/engine/index.ts'
import {
  keptCells,
  planCells,
  planWithholding,
  rememberedGroups,
  SALT
} from '../../services/protect/index.ts'

type Value = number | null
interface Row {
  person: number
  values: readonly [Value, Value, Value]
}

const NAMES = ['a', 'b', 'c']
const COLUMNS = NAMES.map((name) => ({ name, type: 'BIGINT' }))
/** Places of the columns that have to hold a value for a row to count in a cell. */
type Cell = readonly number[]

interface Asked {
  name: string
  plan: Algorithm
  parameters: Record<string, unknown>
  cells: readonly Cell[]
}
const CORRELATION: Asked = {
  name: 'correlation',
  plan: correlation,
  parameters: { columns: NAMES },
  cells: [
    [0, 0],
    [0, 1],
    [0, 2],
    [1, 1],
    [1, 2],
    [2, 2]
  ]
}
const REGRESSION: Asked = {
  name: 'regression',
  plan: regression,
  parameters: { outcome: 'c', predictors: ['a', 'b'] },
  cells: [[0, 1, 2]]
}

const value = fc.option(fc.integer({ min: -5, max: 5 }), { freq: 4 })
const row: fc.Arbitrary<Row> = fc.record({
  person: fc.integer({ min: 1, max: 10 }),
  values: fc.tuple(value, value, value)
})
const rows = fc.array(row, { minLength: 1, maxLength: 30 })
const asked = fc.constantFrom(CORRELATION, REGRESSION)
const least = fc.integer({ min: 2, max: 4 })
/** Rows of before, and which of these people are not there any more. */
const fewer = fc
  .record({ all: rows, gone: fc.uniqueArray(fc.integer({ min: 1, max: 10 }), { maxLength: 5 }) })
  .map(({ all, gone }) => ({ all, rest: all.filter(({ person }) => !gone.includes(person)) }))

const literal = (one: Value): string => (one === null ? 'NULL' : String(one))

function relationOf(all: readonly Row[]): string {
  const list = all.map(({ person, values }) => `(${[person, ...values].map(literal).join(', ')})`)
  const given = `(VALUES (NULL, NULL, NULL, NULL)${list.map((one) => `, ${one}`).join('')}) AS t(person, a, b, c)`
  const typed = NAMES.map((name) => `CAST(${name} AS BIGINT) AS ${name}`).join(', ')
  return `SELECT CAST(person AS VARCHAR) AS person, hash(person, a, b, c) AS content, ${typed} FROM ${given} WHERE person IS NOT NULL`
}

interface Left {
  /** How many rows each cell rests on that left, by its place in the list of cells. */
  counts: ReadonlyMap<number, number>
  kept: number
  remembered: string
}

async function leaving(all: readonly Row[], what: Asked, minGroupSize: number, earlier = ''): Promise<Left> {
  const folder = await mkdtemp(join(tmpdir(), 'withheld-'))
  const engine = await Engine.open()
  try {
    const path = join(folder, 'earlier.csv')
    await writeFile(path, earlier)
    await engine.run(`SET VARIABLE ${SALT} = 'x'`)
    await engine.run(`CREATE TEMP TABLE given AS ${relationOf(all)}`)
    const given = { table: 'given', columns: COLUMNS, units: ['person'], content: 'content' }
    const { prepare, cells } = planCells(what.name, what.parameters, given)
    const withheld = planWithholding(cells, given, {
      minGroupSize,
      earlier: earlier === '' ? undefined : path,
      room: 1e6
    })
    for (const statement of [...prepare, ...withheld]) await engine.run(statement)
    const { parameters } = what
    const relation = `${cells.rows} AS input`
    const state = what.plan({ relation, columns: COLUMNS, parameters, phase: 'partial' })
    const names = (await engine.describe(state)).map(({ name }) => name)
    const [i, j, n] = ['i', 'j', 'n'].map((of) => names.findIndex((name) => name.endsWith(of)))
    const counts = new Map<number, number>()
    for (const sent of await engine.rows(cells.state(state))) {
      const [first, second, count] = [i, j, n].map((place) => Number(sent[place ?? -1]))
      const at =
        what.cells.length === 1
          ? 0
          : what.cells.findIndex(([one, other]) => one === Number(first) - 1 && other === Number(second) - 1)
      if (Number(count) > 0) counts.set(at, Number(count))
    }
    const remembered = (await engine.rows(rememberedGroups())).map((one) => `${one.join(',')}\n`).join('')
    return { counts, kept: Number(await engine.run(keptCells(cells))), remembered }
  } finally {
    await rm(folder, { recursive: true })
  }
}

const inCell = (all: readonly Row[], cell: Cell): Row[] =>
  all.filter(({ values }) => cell.every((place) => values[place] !== null))

/** The rows of each person in a cell, in words. */
function peopleOf(all: readonly Row[]): Map<number, string> {
  const people = new Map<number, string[]>()
  for (const { person, values } of all)
    people.set(person, [...(people.get(person) ?? []), values.map(literal).join(' ')])
  return new Map([...people].map(([person, held]) => [person, held.sort().join('; ')]))
}

/** How many people only one of two has, or both have with other rows. */
function difference(one: readonly Row[], other: readonly Row[]): number {
  const [mine, theirs] = [peopleOf(one), peopleOf(other)]
  return [...new Set([...mine.keys(), ...theirs.keys()])].filter(
    (person) => mine.get(person) !== theirs.get(person)
  ).length
}

describe('pairs of columns, and regressions, that leave a provider', () => {
  it('never rest on fewer units than agreed', async () => {
    await fc.assert(
      fc.asyncProperty(rows, asked, least, async (all, what, minGroupSize) => {
        const { counts, kept } = await leaving(all, what, minGroupSize)
        const filled = what.cells.filter((cell) => inCell(all, cell).length > 0).length
        expect(counts.size + kept).to.equal(filled)
        for (const [at, count] of counts) {
          const held = inCell(all, what.cells[at] ?? [])
          expect(count).to.equal(held.length)
          expect(peopleOf(held).size).to.be.at.least(minGroupSize)
        }
      }),
      { numRuns: 12 }
    )
  })

  it('never differ by too few units from one that left before, nor from each other', async () => {
    let withheld = 0
    await fc.assert(
      fc.asyncProperty(fewer, asked, asked, least, async ({ all, rest }, before, after, minGroupSize) => {
        const first = await leaving(all, before, minGroupSize)
        const second = await leaving(rest, after, minGroupSize, first.remembered)
        const left = [
          ...[...first.counts.keys()].map((at) => inCell(all, before.cells[at] ?? [])),
          ...[...second.counts.keys()].map((at) => inCell(rest, after.cells[at] ?? []))
        ]
        for (const [index, one] of left.entries())
          for (const other of left.slice(index + 1)) {
            const apart = difference(one, other)
            expect(apart === 0 || apart >= minGroupSize, `${apart} units apart`).to.equal(true)
          }
        withheld += second.kept
      }),
      { numRuns: 25 }
    )
    expect(withheld).to.be.greaterThan(0)
  })

  it('differ from each other by enough, also where several pairs are of the same rows', async () => {
    const all: Row[] = [
      { person: 1, values: [0, null, 0] },
      { person: 1, values: [null, 0, 0] },
      { person: 2, values: [null, 0, 0] }
    ]
    // c holds a row of person 1 more than b, and than b beside c
    const { counts, kept } = await leaving(all, CORRELATION, 2)
    expect([...counts]).to.have.deep.members([
      [4, 2],
      [3, 2]
    ])
    expect(kept).to.equal(3)
  })

  it('leave again as they left, when the same is asked of the same rows', async () => {
    await fc.assert(
      fc.asyncProperty(rows, asked, least, async (all, what, minGroupSize) => {
        const first = await leaving(all, what, minGroupSize)
        const again = await leaving(all, what, minGroupSize, first.remembered)
        expect(again.counts).to.deep.equal(first.counts)
        expect(again.remembered).to.equal(first.remembered)
      }),
      { numRuns: 6 }
    )
  })
})
