import type { Column } from '../job/index.ts'
import { isDecimal, isDouble, isInteger, quoteName, quoteText } from '../sql/index.ts'
import { algorithmRefused, columnNamed, type Phase } from './algorithm.ts'

/**
 * A parameter that is a list of names, each once.
 *
 * @throws {Failure} algorithm-parameters
 */
export function namesOf(
  value: unknown,
  parameter: string,
  { min, max }: { min: number; max: number }
): string[] {
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string'))
    throw algorithmRefused(`${parameter}: expected a list of column names`)
  if (value.length < min || value.length > max)
    throw algorithmRefused(`${parameter}: expected ${min} to ${max} columns, found ${value.length}`)
  return [...value]
}

/** The columns that names stand for, each once. @throws {Failure} algorithm-parameters */
export function columnsNamed(
  names: readonly string[],
  parameter: string,
  columns: readonly Column[]
): Column[] {
  const found = names.map((name) => columnNamed(name, parameter, columns))
  const twice = found.find((column, index) => found.indexOf(column) !== index)
  if (twice !== undefined) throw algorithmRefused(`${parameter}: "${twice.name}" is named twice`)
  return found
}

/** The one column that a parameter names. @throws {Failure} algorithm-parameters */
export function oneColumn(name: unknown, parameter: string, columns: readonly Column[]): Column {
  if (typeof name !== 'string') throw algorithmRefused(`${parameter}: expected the name of a column`)
  return columnNamed(name, parameter, columns)
}

/** @throws {Failure} algorithm-parameters */
export function numeric(column: Column, parameter: string): Column {
  const { name, type } = column
  if (isDouble(type) || isInteger(type) || isDecimal(type)) return column
  throw algorithmRefused(`${parameter}: column "${name}" is ${type}, expected a number`)
}

/** How many digits a column's values have behind the point; 0 for what is no decimal. */
export function decimalPlaces({ type }: Column): number {
  return Number(/^DECIMAL\(\d+,(\d+)\)$/.exec(type)?.[1] ?? 0)
}

/** SQL of a whole number or decimal without its point: 1.50 is 150. */
export function unscaled(column: Column): string {
  const value = quoteName(column.name)
  const places = decimalPlaces(column)
  if (places === 0) return `CAST(${value} AS HUGEINT)`
  const width = Number(/^DECIMAL\((\d+),/.exec(column.type)?.[1] ?? 38)
  if (width + places <= 38)
    return `CAST(CAST(${value} AS DECIMAL(${width + places},${places})) * CAST(1${'0'.repeat(places)} AS DECIMAL(${places + 1},0)) AS HUGEINT)`
  // the product would not fit
  return `CAST(replace(CAST(${value} AS VARCHAR), '.', '') AS HUGEINT)`
}

/** @throws {Failure} algorithm-parameters, for an algorithm whose parties' answers cannot be put together */
export function wholeOnly(algorithm: string, phase: Phase): void {
  if (phase !== 'complete') throw algorithmRefused(`"${algorithm}" needs the union of all rows`)
}

/** `"a", "b", ` */
export function keyList(by: readonly string[]): string {
  return by.map((name) => `${quoteName(name)}, `).join('')
}

export function groupBy(by: readonly string[]): string {
  return by.length === 0 ? '' : `GROUP BY ${by.map(quoteName).join(', ')}`
}

/**
 * Groups in order, NULL last.
 *
 * @param of the relation that has the columns, where the SELECT gives their names to others
 */
export function orderBy(by: readonly string[], of?: string): string {
  const from = of === undefined ? '' : `${of}.`
  return by.length === 0
    ? ''
    : `ORDER BY ${by.map((name) => `${from}${quoteName(name)} ASC NULLS LAST`).join(', ')}`
}

/** A parameter that is a whole number. @throws {Failure} algorithm-parameters */
export function wholeNumber(
  value: unknown,
  parameter: string,
  { min, max }: { min: number; max: number }
): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw algorithmRefused(`${parameter}: expected a whole number from ${min} to ${max}`)
}

/** More cells than this are no table that anybody reads; what the data hold decides how many there are. */
const MAX_CELLS = 1_000_000

/** A condition that ends the job, and says why, when a result would have too many cells. */
export function atMostCells(algorithm: string, cells: string): string {
  const hint = `${algorithm}: the result would have more than ${MAX_CELLS} cells`
  return `CASE WHEN ${cells} > ${MAX_CELLS} THEN error(${quoteText(`${TOO_LARGE}${hint}`)}) IS NULL ELSE TRUE END`
}

/**
 * What a cell shows of which no state tells a count: 0, or NULL where a state has a row without a count. That row is how a party
 * says that it left cells out: any cell that is not there may be one of them.
 *
 * @param states SQL of the states of all parties
 */
export function emptyCell(states: string, count: string): string {
  return `CASE WHEN EXISTS (SELECT 1 FROM ${states} WHERE ${quoteName(count)} IS NULL) THEN NULL ELSE 0 END`
}

/** A state that says of itself that cells were left out of it. */
export function withCellsLeftOut(state: string, columns: readonly Column[]): string {
  return `SELECT * FROM ${state} AS s UNION ALL SELECT ${columns.map(() => 'NULL').join(', ')}`
}

/** How a step that ends itself for the size of its result says so. */
export const TOO_LARGE = 'output-too-large: '
