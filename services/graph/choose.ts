import {
  type Chart,
  type DrawnColumn,
  fieldOf,
  GROUPS,
  MAX_GROUPS,
  MAX_ROWS,
  MAX_SERIES,
  ROWS,
  type Take
} from './chart.ts'
import { bars, boxes, groupedBars, heatMap, histogram, lines, points, tableOf } from './pictures.ts'
import { type ColumnFacts, groupsOf, kindOf, type ResultShape, rolesOf } from './shape.ts'

/** More series than this in one group of bars are told apart by nobody: a heat map then. */
const FEW = 6
const FROM_TO = ['from', 'to', 'count']

/**
 * The picture that suits a result, from its shape alone. Pure: the same shape gives the same specification, whatever the
 * values.
 *
 * @returns null when there is nothing to draw
 */
export function chooseChart(shape: ResultShape): Chart | null {
  if (shape.rowCount === 0 || shape.columns.length === 0) return null
  if (shape.rowCount === 1) return tableOf(shape)
  return (
    ofBins(shape) ??
    ofTimes(shape) ??
    ofMatrix(shape) ??
    ofGroups(shape) ??
    ofNumbers(shape) ??
    tableOf(shape)
  )
}

function drawn(shape: ResultShape, column: ColumnFacts, as: DrawnColumn['as']): DrawnColumn {
  return { field: fieldOf(column.name, shape.columns.indexOf(column)), columns: [column.name], as }
}

function take(columns: DrawnColumn[], more: Partial<Take> = {}): Take {
  return { columns, top: [], limit: MAX_ROWS, sample: false, countAs: null, ...more }
}

/** `from`, `to` and `count`: the bins are there. */
function ofBins(shape: ResultShape): Chart | null {
  const [from, to, count] = FROM_TO.map((name) =>
    shape.columns.find((column) => column.name.toLowerCase() === name && kindOf(column.type) === 'number')
  )
  if (from === undefined || to === undefined || count === undefined || shape.rowCount > MAX_ROWS) return null
  if (from.distinct === 0 || to.distinct === 0) return null
  const keys = shape.columns.filter((column) => ![from, to, count].includes(column))
  if (keys.length > 1 || keys.some((key) => groupsOf(key) > MAX_SERIES)) return null
  const [key] = keys.map((column) => drawn(shape, column, 'label'))
  const numbers = [from, to, count].map((column) => drawn(shape, column, 'number'))
  const outside = from.nulls + to.nulls > 0 ? ['values outside the bins are not drawn'] : []
  const [x, x2, y] = numbers
  if (x === undefined || x2 === undefined || y === undefined) return null
  return histogram(shape, { x, x2, y, key }, take([...numbers, ...(key === undefined ? [] : [key])]), outside)
}

/** Something measured at several times, for one series or a few. */
function ofTimes(shape: ResultShape): Chart | null {
  const { times, keys, measures } = rolesOf(shape)
  const [time] = times
  const [measure] = measures
  const [key, ...more] = keys
  if (time === undefined || time.distinct < 2 || more.length > 0) return null
  const series = key === undefined ? 1 : Math.min(groupsOf(key), MAX_SERIES)
  if (measure === undefined) {
    if (key !== undefined) return null
    const x = drawn(shape, time, 'time')
    return lines(shape, { x, y: ROWS, key: undefined }, take([x], { countAs: ROWS }), [])
  }
  // several values at one time are a cloud, no line
  const unique = shape.rowCount <= groupsOf(time) * (key === undefined ? 1 : groupsOf(key))
  const columns = [drawn(shape, time, 'time'), drawn(shape, measure, 'number')]
  const label = key === undefined ? undefined : drawn(shape, key, 'label')
  const [x, y] = columns
  if (x === undefined || y === undefined) return null
  const top =
    key !== undefined && groupsOf(key) > series
      ? [{ columns: [key.name], by: measure.name, limit: series }]
      : []
  const notes = top.length > 0 && key !== undefined ? [leftOut(series, groupsOf(key), key.name)] : []
  const all = take(label === undefined ? columns : [...columns, label], { top, sample: true })
  const sampled = [...notes, ...sampleNote(shape)]
  return unique
    ? lines(shape, { x, y: y.field, key: label }, all, sampled)
    : points(shape, { x, y, key: label }, all, sampled)
}

/** A number for each pair of groups. */
function ofMatrix(shape: ResultShape): Chart | null {
  const { times, keys, measures } = rolesOf(shape)
  const [first, second, ...more] = keys
  const [measure] = measures
  if (first === undefined || second === undefined || measure === undefined) return null
  if (more.length > 0 || times.length > 0) return null
  const [down, across] = [groupsOf(first), groupsOf(second)]
  if (shape.rowCount > down * across) return null
  const heat =
    shape.algorithm === 'crosstab' || shape.algorithm === 'correlation' || Math.min(down, across) > FEW
  const swapped = !heat && across > FEW
  const [outer, inner] = swapped ? [second, first] : [first, second]
  const limits = heat ? [MAX_GROUPS, MAX_GROUPS] : [Math.ceil(MAX_GROUPS / groupsOf(inner)), FEW]
  const top = [outer, inner].flatMap((key, index) => {
    const limit = limits[index] ?? MAX_GROUPS
    return groupsOf(key) > limit ? [{ columns: [key.name], by: measure.name, limit }] : []
  })
  const notes = top.flatMap(({ columns: [name = ''], limit }) => {
    const key = keys.find((one) => one.name === name)
    return key === undefined ? [] : [leftOut(limit, groupsOf(key), name)]
  })
  const y = drawn(shape, outer, 'label')
  const x = drawn(shape, inner, 'label')
  const value = drawn(shape, measure, 'number')
  const parts = { y, x, value }
  const what = take([y, x, value], { top })
  return heat
    ? heatMap(
        shape,
        parts,
        measure,
        { across: Math.min(across, MAX_GROUPS), down: Math.min(down, MAX_GROUPS) },
        what,
        notes
      )
    : groupedBars(shape, parts, what, notes)
}

/** A number for each group; many for each, or none, when the rows are no groups. */
function ofGroups(shape: ResultShape): Chart | null {
  const { times, keys, measures } = rolesOf(shape)
  if (keys.length === 0 || times.length > 0) return null
  const [key] = keys
  const [measure, second] = measures
  const combinations = keys.reduce((product, one) => product * groupsOf(one), 1)
  const label: DrawnColumn | undefined =
    key === undefined
      ? undefined
      : keys.length === 1
        ? drawn(shape, key, 'label')
        : { field: GROUPS, columns: keys.map((one) => one.name), as: 'label' }
  if (key === undefined || label === undefined) return null
  if (measure === undefined) {
    if (keys.length > 1 || groupsOf(key) === shape.rowCount) return null
    return topBars(shape, label, groupsOf(key), ROWS, take([label], { countAs: ROWS }))
  }
  const y = drawn(shape, measure, 'number')
  if (shape.rowCount <= combinations && (keys.length > 1 || shape.rowCount === groupsOf(key)))
    return topBars(shape, label, shape.rowCount, y, take([label, y]))
  if (keys.length > 1) return null
  const few = Math.min(groupsOf(key), second === undefined ? MAX_GROUPS / 2 : MAX_SERIES)
  const cutOff = groupsOf(key) > few
  const top = cutOff ? [{ columns: [key.name], by: null, limit: few }] : []
  const notes = [
    ...(cutOff ? [`the ${few} most frequent of ${groupsOf(key)} values of ${key.name}`] : []),
    ...sampleNote(shape)
  ]
  if (second !== undefined) {
    const x = drawn(shape, second, 'number')
    return points(shape, { x: y, y: x, key: label }, take([y, x, label], { top, sample: true }), notes)
  }
  return boxes(shape, { x: y, y: label }, take([label, y], { top, sample: true }), notes)
}

function topBars(
  shape: ResultShape,
  label: DrawnColumn,
  groups: number,
  measure: DrawnColumn | typeof ROWS,
  what: Take
): Chart {
  const cutOff = groups > MAX_GROUPS
  const by = measure === ROWS ? null : (measure.columns[0] ?? null)
  const top = cutOff ? [{ columns: label.columns, by, limit: MAX_GROUPS }] : []
  const value = measure === ROWS ? ROWS : measure.field
  const notes = cutOff ? [leftOut(MAX_GROUPS, groups, label.columns.join(' and '))] : []
  return bars(shape, { y: label, x: value, sorted: cutOff || measure === ROWS }, { ...what, top }, notes)
}

/** Nothing but numbers: two against each other, or how one is spread. */
function ofNumbers(shape: ResultShape): Chart | null {
  const { times, keys, measures } = rolesOf(shape)
  if (keys.length > 0 || times.length > 0 || shape.rowCount < 3) return null
  const [one, other] = measures.map((column) => drawn(shape, column, 'number'))
  if (one === undefined) return null
  const notes = sampleNote(shape)
  if (other === undefined) return histogram(shape, { x: one }, take([one], { sample: true }), notes)
  return points(shape, { x: one, y: other, key: undefined }, take([one, other], { sample: true }), notes)
}

function leftOut(shown: number, of: number, name: string): string {
  return `the ${shown} highest of ${of.toLocaleString('en')} groups of ${name}`
}

function sampleNote({ rowCount }: ResultShape): string[] {
  if (rowCount <= MAX_ROWS) return []
  return [`a sample of ${MAX_ROWS.toLocaleString('en')} of ${rowCount.toLocaleString('en')} rows`]
}
