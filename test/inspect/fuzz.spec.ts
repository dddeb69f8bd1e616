import { expect } from 'chai'
import fc from 'fast-check'
import { Engine } from '../../services/engine/index.ts'
import { Failure } from '../../services/failure/index.ts'
import type { ReportOf } from '../../services/index.ts'
import { functionKind } from '../../services/inspect/functions.ts'
import { checkStatement, inspect, prepareShadow } from '../../services/inspect/index.ts'
import { HIDDEN, MISSING, TABLES } from './extract.ts'
import { statementOf } from './queries.ts'
import { Extract, type Listed } from './reading.ts'

/**
 * `FUZZ_QUERIES=1000000 FUZZ_SEED=7` for a longer run, or another one; a failure names its seed and its statement. `FUZZ_SHRINK=1`
 * looks for a smaller one, which takes minutes; `FUZZ_SHOW=CODE` prints what was counted, and what was refused with that code.
 */
const QUERIES = Number(process.env.FUZZ_QUERIES ?? 10_000)
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_124)

type Looked = ReportOf<'inspect'> | Failure

const CODES = new Set([
  'sql-syntax',
  'sql-not-select',
  'sql-function-not-allowed',
  'sql-table-unknown',
  'sql-column-unknown',
  'sql-too-complex',
  'sql-invalid',
  'sql-runtime'
])
/** What running may end in that binding cannot foresee. */
const RUNTIME = new Set(['Conversion', 'Out of Range', 'Invalid Input', 'Not implemented'])
/** What the engine itself puts into a plan. */
const INTERNAL = new Set([
  'error',
  'first',
  'cast',
  'in',
  'count_star',
  'constant_or_null',
  'unnest',
  'case',
  'map',
  'array_slice',
  'array_extract',
  'struct_extract_at',
  // an ASOF join
  'arg_max_null',
  'arg_min_null'
])

describe('ten thousand statements of a grammar', () => {
  let shadow: Engine
  let extract: Extract
  let unlisted: RegExp

  before(async () => {
    shadow = await Engine.open()
    await prepareShadow(shadow)
    await shadow.confine({
      memory: 2 ** 28,
      threads: 1,
      spill: 0,
      scratch: '/nonexistent',
      folders: [],
      files: []
    })
    extract = await Extract.open()
    const functions = await extract.functions()
    const macros = functions.filter(({ name }) => functionKind(name) !== undefined).map(({ macro }) => macro)
    const names = functions
      .map(({ name }) => name)
      .filter((name) => /^\w+$/.test(name) && functionKind(name) === undefined && !INTERNAL.has(name))
      .filter((name) => !macros.some((macro) => macro.includes(`${name}(`)))
    unlisted = new RegExp(`(?<!\\w)(?:${names.join('|')})\\(`, 'i')
  })

  const look = async (sql: string): Promise<Looked> => {
    try {
      return await inspect(shadow, sql, TABLES)
    } catch (error) {
      if (error instanceof Failure) return error
      throw new Error(`inspecting failed with no failure of ours`, { cause: error })
    }
  }

  it('are refused for what they are, or read no more than inspection says', async function () {
    this.timeout(0)
    const seen = { permitted: 0, forbidden: 0, ran: 0, changed: 0, tried: 0 }
    const codes = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(fc.uint16Array({ minLength: 8, maxLength: 250, size: 'max' }), async (numbers) => {
        const { sql, forbidden } = statementOf(numbers, HIDDEN)
        const looked = await look(sql)
        const other = statementOf(numbers, MISSING).sql
        if (other !== sql) assertAlike(looked, await look(other), sql, other)
        if (forbidden) {
          seen.forbidden += 1
          await assertUnbound(shadow, sql)
        }
        if (looked instanceof Failure) {
          codes.set(looked.code, (codes.get(looked.code) ?? 0) + 1)
          if (!CODES.has(looked.code)) throw looked
          if (process.env.FUZZ_SHOW === looked.code) console.log(`${looked.message} :: ${sql}\n`)
          return
        }
        seen.permitted += 1
        const call = unlisted.exec(await extract.plan(sql))
        if (call !== null) throw new Error(`calls ${call[0]}: ${sql}`)
        const listed = listedBy(looked)
        const ran = await extract.run(sql)
        if (ran.error !== undefined && !RUNTIME.has(ran.error))
          throw new Error(`ran into ${ran.error}: ${sql}`)
        expect(await extract.run(sql, listed), sql).to.deep.equal(ran)
        if (ran.error !== undefined) return
        seen.ran += 1
        // that a column matters can be seen at all
        if ((numbers[0] ?? 0) % 8 !== 0) return
        const [fewer, tried] = withoutOne(listed, numbers)
        if (!tried) return
        seen.tried += 1
        if ((await extract.run(sql, fewer)).rows !== ran.rows) seen.changed += 1
      }),
      { numRuns: QUERIES, seed: SEED, endOnFailure: process.env.FUZZ_SHRINK === undefined }
    )
    if (process.env.FUZZ_SHOW) console.log(seen, codes)
    expect(seen.permitted / QUERIES).to.be.greaterThan(0.3)
    expect(seen.changed / seen.tried).to.be.greaterThan(0.3)
  })
})

async function assertUnbound(engine: Engine, sql: string): Promise<void> {
  try {
    await checkStatement(engine, sql, TABLES)
  } catch (error) {
    if (error instanceof Failure) return
    throw error
  }
  throw new Error(`would be bound: ${sql}`)
}

function listedBy({ uses }: ReportOf<'inspect'>): Listed {
  return new Map(
    uses.map(({ dataset, table, columns }) => [
      TABLES.findIndex((one) => one.dataset === dataset && one.name === table),
      new Set(columns)
    ])
  )
}

/** Without one of the columns that are said to be read. */
function withoutOne(listed: Listed, numbers: ArrayLike<number>): [Listed, boolean] {
  const all = [...listed].flatMap(([table, columns]) => [...columns].map((column) => ({ table, column })))
  const left = all[(numbers[1] ?? 0) % all.length]
  if (left === undefined) return [listed, false]
  return [
    new Map(
      [...listed].map(([table, columns]) => [
        table,
        new Set([...columns].filter((column) => table !== left.table || column !== left.column))
      ])
    ),
    true
  ]
}

function assertAlike(one: Looked, two: Looked, sql: string, other: string): void {
  expect(described(one), `${sql}\n${other}`).to.equal(described(two))
}

/** An answer without the name of what nobody is shown. */
function described(looked: Looked): string {
  const text =
    looked instanceof Failure
      ? JSON.stringify([looked.code, looked.hint, looked.position])
      : JSON.stringify(looked)
  return text.replaceAll(/zoutwqx(hh|mm)|qxz(hidden|missng)/gi, '?')
}
