import { algorithms } from 'dynamos:algorithms'
import { type Contribution, planAggregate } from '../aggregate/index.ts'
import { type AlgorithmInput, algorithmRefused, TOO_LARGE } from '../algorithm/index.ts'
import { parseAnonymize, planAnonymize, planShared, pseudonymKeys } from '../anonymize/index.ts'
import { type Engine, engineError, resourceFailure } from '../engine/index.ts'
import { Failure, nearest } from '../failure/index.ts'
import type { Planner } from '../inspect/index.ts'
import type { Column, Step } from '../job/index.ts'
import { quoteName, quoteText } from '../sql/index.ts'

/** Rows on their way through the steps. */
export interface Relation {
  /** SQL that may stand in FROM. */
  sql: string
  columns: readonly Column[]
  /** How many rows, when that is known without counting. */
  rows: number | undefined
  /** How many rows anonymising left out of it. */
  withheld?: number
}

type AlgorithmStep = Extract<Step, { service: 'algorithm' }>
export type AnonymizeStep = Extract<Step, { service: 'anonymize' }>

/** All contributions as one relation, whatever order they came in. */
export function gather(contributions: readonly (Contribution & { rows: number })[]): Relation {
  const union = planAggregate(contributions)
  const rows = contributions.reduce((sum, contribution) => sum + contribution.rows, 0)
  return { sql: `(${union.sql})`, columns: union.columns, rows }
}

/** What an algorithm would do with all rows; undefined for one that does not run here. */
export function plannerOf(
  asked: Pick<AlgorithmStep, 'name' | 'parameters'> | undefined
): Planner | undefined {
  const algorithm = asked === undefined ? undefined : algorithms.get(asked.name)
  if (asked === undefined || algorithm === undefined) return undefined
  const { parameters } = asked
  return (relation, columns) => algorithm({ relation, columns, parameters, phase: 'complete' })
}

/** @throws {Failure} algorithm-parameters */
export async function applyAlgorithm(
  engine: Engine,
  step: AlgorithmStep,
  relation: Relation
): Promise<Relation> {
  const algorithm = algorithms.get(step.name)
  if (algorithm === undefined) {
    const near = nearest(step.name, algorithms.keys())
    throw algorithmRefused(
      `there is no algorithm "${step.name}" here${near === undefined ? '' : `, did you mean "${near}"?`}`
    )
  }
  const input: AlgorithmInput = {
    relation: `${relation.sql} AS input`,
    columns: relation.columns,
    parameters: step.parameters,
    phase: step.phase
  }
  const sql = algorithm(input)
  return { sql: `(${sql})`, columns: await engine.describe(sql), rows: undefined }
}

/**
 * Gives one relation with the asked columns changed. Where rows are left out it is a table: through a view, an expression of
 * the analyst could be evaluated on a row before it is left out, and fail there, which tells of it.
 *
 * @param table its name
 * @param number tells it from others of that name
 */
export async function applyAnonymize(
  engine: Engine,
  step: AnonymizeStep,
  relation: Relation,
  table: string,
  number: number
): Promise<Relation> {
  const parameters = parseAnonymize(step.parameters)
  if (parameters.pseudonymise.length > 0) {
    if (step.key === undefined)
      throw new Failure('anonymize-parameters', 'no key', {
        hint: '"pseudonymise" needs the key of the contract'
      })
    for (const [variable, value] of Object.entries(pseudonymKeys(step.key, parameters.domain))) {
      await engine.run(`SET VARIABLE ${variable} = ${quoteText(value)}`)
    }
  }
  const plan = planAnonymize(`${relation.sql} AS input`, relation.columns, parameters, table)
  if (plan.counting === null) return { sql: `(${plan.sql})`, columns: plan.columns, rows: relation.rows }
  const [changed, shared] = [quoteName(`dynamos changed ${number}`), quoteName(`dynamos shared ${number}`)]
  try {
    const before = await engine.run(`CREATE TEMP TABLE ${changed} AS ${plan.sql}`)
    const after = await engine.run(
      `CREATE TEMP TABLE ${shared} AS ${planShared(changed, plan.columns, plan.counting)}`
    )
    await engine.run(`DROP TABLE ${changed}`)
    const rows = Number(after)
    return { sql: shared, columns: plan.columns, rows, withheld: Number(before) - rows }
  } catch (error) {
    throw runtimeFailure(error)
  }
}

/** Keeps a relation as a table, so that what made it runs once and fails under its own name. */
export async function materialise(engine: Engine, relation: Relation, as: string): Promise<Relation> {
  try {
    await engine.run(`CREATE TEMP TABLE ${quoteName(as)} AS SELECT * FROM ${relation.sql} AS input`)
  } catch (error) {
    throw runtimeFailure(error)
  }
  return await kept(engine, as, relation.columns)
}

export async function kept(engine: Engine, as: string, columns: readonly Column[]): Promise<Relation> {
  const [[rows] = []] = await engine.rows(`SELECT count(*) FROM ${quoteName(as)}`)
  return { sql: quoteName(as), columns, rows: Number(rows) }
}

/** A failure of SQL that is ours. */
export function runtimeFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  const { message } = engineError(error)
  if (message.startsWith(TOO_LARGE))
    return new Failure('output-too-large', message, { cause: error, hint: message.slice(TOO_LARGE.length) })
  return (
    resourceFailure(error) ??
    new Failure('sql-runtime', message, {
      cause: error,
      hint: 'the step failed while it ran'
    })
  )
}
