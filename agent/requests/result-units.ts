import type { ParameterValue, Payload } from '../../protocol/documents/index.ts'
import type { HeldContract, HeldOffer } from '../negotiation/index.ts'

/** What a data provider said of the columns that the query yields there. */
export interface QueryColumns {
  organisation: string
  columns: readonly { name: string; unit?: string | undefined }[]
}

/** The algorithm that a result came out of. */
export interface ResultAlgorithm {
  name: string
  parameters: Readonly<Record<string, ParameterValue>>
  /** Result columns to the parameter that names the column of the query whose unit they are in. */
  units: Readonly<Record<string, string>>
}

/** Groups keep the name of the column they are made by. */
const GROUPS = 'by'

/**
 * The units of a result's columns, of those in which they are known: a unit is a column's when every provider whose rows are
 * in the result says so, and the algorithm leaves it.
 */
export function resultUnits(
  { from, columns }: { from: readonly string[]; columns: readonly string[] },
  providers: readonly QueryColumns[],
  algorithm: ResultAlgorithm
): Record<string, string> {
  const known = commonUnits(providers.filter(({ organisation }) => from.includes(organisation)))
  const units: Record<string, string> = {}
  for (const column of columns) {
    const unit = common(sourcesOf(column, algorithm).map((source) => known.get(source.toLowerCase())))
    if (unit !== undefined) units[column] = unit
  }
  return units
}

/** The columns of the query whose values a column of the result holds, or is computed from within their unit. */
function sourcesOf(column: string, { name, parameters, units }: ResultAlgorithm): string[] {
  if (name === 'table') return [column]
  const parameter = Object.hasOwn(units, column) ? units[column] : undefined
  if (parameter !== undefined) return namesIn(parameters[parameter])
  return namesIn(parameters[GROUPS]).some((group) => group.toLowerCase() === column.toLowerCase())
    ? [column]
    : []
}

function namesIn(value: ParameterValue | undefined): string[] {
  return [value].flat().filter((one) => typeof one === 'string')
}

function commonUnits(providers: readonly QueryColumns[]): Map<string, string> {
  const units = new Map<string, string>()
  for (const { name } of providers[0]?.columns ?? []) {
    const found = providers.map(({ columns }) => columns.find((column) => column.name === name)?.unit)
    const unit = common(found)
    if (unit !== undefined) units.set(name.toLowerCase(), unit)
  }
  return units
}

/** The one value that all have. */
function common(values: readonly (string | undefined)[]): string | undefined {
  const [first] = values
  return values.every((value) => value === first) ? first : undefined
}

/** What the providers of a contract said, when they offered, that the query yields there. */
export function queryColumnsOf(
  request: Pick<Payload<'request'>, 'rows'>,
  offers: ReadonlyMap<string, HeldOffer>,
  { contract }: Pick<HeldContract, 'contract'>
): QueryColumns[] {
  const { archetype, parties, verify } = contract.payload
  const hosts = parties
    .filter(({ peer, roles }) => roles.includes('infrastructure') && peer !== verify)
    .map(({ peer }) => peer)
  const row = request.rows.findIndex(
    (one) =>
      one.archetype === archetype.name &&
      (one.infrastructure === null ? hosts.length === 0 : hosts.includes(one.infrastructure))
  )
  return parties
    .filter(({ roles }) => roles.includes('data'))
    .map(({ organisation, offer }) => {
      const held = offer === null ? undefined : offers.get(offer)
      const grant = held?.details?.grants.find(({ rows }) => rows.includes(row))
      return { organisation, columns: grant?.columns ?? [] }
    })
}

/** What a result over all providers' rows may hold, before there is one. */
export function expectedOf(
  providers: readonly QueryColumns[],
  units: ResultAlgorithm['units']
): { from: string[]; columns: string[] } {
  const queried = providers.flatMap(({ columns }) => columns.map(({ name }) => name))
  return {
    from: providers.map(({ organisation }) => organisation),
    columns: [...new Set([...queried, ...Object.keys(units)])]
  }
}
