/** A result as a picture sees it: what kind of values each column has, and how many different ones. */

export interface ColumnFacts {
  name: string
  /** As the engine calls it. */
  type: string
  /** Different values, NULL not counted; may be an estimate for many. */
  distinct: number
  nulls: number
  /** Of numbers: values that are finite. */
  finite?: number
  min?: number
  max?: number
  /** As the dataset's description has it. */
  unit?: string
}

export interface ResultShape {
  columns: readonly ColumnFacts[]
  rowCount: number
  /** What made it, when that is known. */
  algorithm?: string
  /** The column that the algorithm worked on. */
  value?: string
  /** Whose rows it rests on. */
  from?: readonly string[]
}

export type Kind = 'number' | 'time' | 'category' | 'other'

const NUMBERS = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(.*\))$/
const TIMES = /^(DATE|TIMESTAMP(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ)$/
const CATEGORIES = /^(VARCHAR|BOOLEAN|UUID|TIME|ENUM\(.*\)|INTERVAL)$/

export function kindOf(type: string): Kind {
  const name = type.toUpperCase()
  if (NUMBERS.test(name)) return 'number'
  if (TIMES.test(name)) return 'time'
  return CATEGORIES.test(name) ? 'category' : 'other'
}

/** How many groups a column makes: NULL is one. */
export function groupsOf(column: ColumnFacts): number {
  return column.distinct + (column.nulls > 0 ? 1 : 0)
}

/** Columns of results whose meaning their algorithm fixes: not keys of groups, whatever their type. */
const MEASURES = new Set([
  'average',
  'mean',
  'count',
  'sum',
  'share',
  'total',
  'estimate',
  'coefficient',
  'correlation',
  'frequency'
])
/** Algorithms whose other columns are keys of groups. */
const GROUPING = new Set(['average', 'crosstab', 'topk'])

export interface Roles {
  keys: ColumnFacts[]
  times: ColumnFacts[]
  /** The one to be drawn first. */
  measures: ColumnFacts[]
}

/** Which columns name groups, which say when, which are measured. Numbers without a finite value say nothing. */
export function rolesOf({ columns, algorithm }: ResultShape): Roles {
  const keyed = algorithm !== undefined && GROUPING.has(algorithm)
  const named = columns.some((column) => isMeasureName(column.name))
  const roles: Roles = { keys: [], times: [], measures: [] }
  for (const column of columns) {
    const kind = kindOf(column.type)
    if (kind === 'category') roles.keys.push(column)
    else if (kind === 'time') roles.times.push(column)
    else if (kind === 'number') {
      if (keyed && named && !isMeasureName(column.name)) roles.keys.push(column)
      else if ((column.finite ?? 1) > 0) roles.measures.push(column)
    }
  }
  // a count beside another number is how much that one rests on
  roles.measures.sort((one, other) => Number(isCount(one.name)) - Number(isCount(other.name)))
  return roles
}

function isMeasureName(name: string): boolean {
  return MEASURES.has(name.toLowerCase())
}

export function isCount(name: string): boolean {
  return name.toLowerCase() === 'count'
}
