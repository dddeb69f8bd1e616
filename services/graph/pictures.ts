/** Vega-Lite for each kind of picture. */
import { type Chart, type ChartKind, COLOURS, cut, type DrawnColumn, type Take, wrapped } from './chart.ts'
import { type ColumnFacts, isCount, type ResultShape } from './shape.ts'
import { type Json, type JsonMap, VEGA_LITE_SCHEMA } from './specification.ts'

const WIDTH = 480
const HEIGHT = 300
const BAR = 20
const CELL = 34
const MAX_LABELLED = 12
const LEGEND: JsonMap = { orient: 'bottom', columns: 4, labelLimit: 150, titleLimit: WIDTH, symbolLimit: 10 }
const DIVERGING = new Set(['correlation', 'r', 'rho'])
const TABLE_ROWS = 20
const TABLE_COLUMNS = 6

/** A column's name with its unit, as axes and legends show it. */
function titleOf(shape: ResultShape, columns: readonly string[]): string {
  return columns
    .map((name) => {
      const { value } = shape
      const unit = shape.columns.find((column) => column.name === name)?.unit
      const what = name === 'average' && value !== undefined ? `average of ${value}` : name
      return unit === undefined ? what : `${what} (${unit})`
    })
    .join(', ')
}

function axisTitle(shape: ResultShape, column: DrawnColumn | string): Json {
  if (typeof column === 'string') return column
  return wrapped(titleOf(shape, column.columns), 56, 2)
}

function quantitative(shape: ResultShape, column: DrawnColumn | string, more: JsonMap = {}): JsonMap {
  return {
    field: typeof column === 'string' ? column : column.field,
    type: 'quantitative',
    title: axisTitle(shape, column),
    ...more
  }
}

/** Above its labels: at the side, a long name is higher than a few bars. */
function rowAxis(shape: ResultShape, column: DrawnColumn, more: JsonMap = {}): JsonMap {
  const axis = { titleAngle: 0, titleAlign: 'right', titleBaseline: 'bottom', titleX: -6, titleY: -7 }
  return nominal(shape, column, { title: cut(titleOf(shape, column.columns), 40), axis, ...more })
}

/** Groups come in the order of their keys, which is the order of the rows. */
function nominal(shape: ResultShape, column: DrawnColumn, more: JsonMap = {}): JsonMap {
  return { field: column.field, type: 'nominal', sort: null, title: axisTitle(shape, column), ...more }
}

function series(shape: ResultShape, key: DrawnColumn | undefined): JsonMap {
  return key === undefined ? {} : { color: nominal(shape, key, { legend: LEGEND }) }
}

interface Words {
  kind: ChartKind
  /** What is shown, by what. */
  title: string
}

function picture(
  shape: ResultShape,
  { kind, title }: Words,
  view: JsonMap,
  take: Take,
  notes: readonly string[]
): Chart {
  const from = shape.from ?? []
  const source = from.length === 0 ? [] : [`from ${from.join(', ')}`]
  const text = [...source, ...notes].join('; ')
  const specification: JsonMap = {
    $schema: VEGA_LITE_SCHEMA,
    description: cut(`${kind}: ${title}${text === '' ? '' : `; ${text}`}`, 1000),
    title: { text: wrapped(title), ...(text === '' ? {} : { subtitle: wrapped(text, 76, 3) }) },
    ...view
  }
  return { kind, specification, take, notes: [...notes] }
}

export function bars(
  shape: ResultShape,
  { y, x, sorted }: { y: DrawnColumn; x: DrawnColumn['field']; sorted: boolean },
  take: Take,
  notes: readonly string[]
): Chart {
  const measured = take.columns.find((column) => column.field === x) ?? x
  const view = {
    mark: { type: 'bar', color: COLOURS[0] ?? '' },
    width: WIDTH,
    height: { step: BAR },
    encoding: {
      y: rowAxis(shape, y, sorted ? { sort: '-x' } : {}),
      x: quantitative(shape, measured)
    }
  }
  const what = typeof measured === 'string' ? measured : titleOf(shape, measured.columns)
  return picture(shape, { kind: 'bar', title: `${what} by ${titleOf(shape, y.columns)}` }, view, take, notes)
}

export interface Matrix {
  y: DrawnColumn
  x: DrawnColumn
  value: DrawnColumn
}

function matrixTitle(shape: ResultShape, { y, x, value }: Matrix): string {
  return `${titleOf(shape, value.columns)} by ${titleOf(shape, y.columns)} and ${titleOf(shape, x.columns)}`
}

export function groupedBars(shape: ResultShape, parts: Matrix, take: Take, notes: readonly string[]): Chart {
  const { y, x, value } = parts
  const view = {
    mark: { type: 'bar' },
    width: WIDTH,
    height: { step: BAR - 4, for: 'offset' },
    encoding: {
      y: rowAxis(shape, y, { scale: { paddingInner: 0.3 } }),
      yOffset: { field: x.field, type: 'nominal', sort: null },
      x: quantitative(shape, value),
      ...series(shape, x)
    }
  }
  return picture(shape, { kind: 'grouped bar', title: matrixTitle(shape, parts) }, view, take, notes)
}

export function heatMap(
  shape: ResultShape,
  parts: Matrix,
  measure: ColumnFacts,
  { across, down }: { across: number; down: number },
  take: Take,
  notes: readonly string[]
): Chart {
  const { y, x, value } = parts
  const diverging = DIVERGING.has(measure.name.toLowerCase())
  const colour = diverging
    ? { scheme: 'blueorange', domain: [-1, 1] }
    : { scheme: 'blues', nice: true, zero: isCount(measure.name) }
  const heat = {
    mark: { type: 'rect', stroke: '#ffffff' },
    encoding: {
      color: quantitative(shape, value, {
        scale: colour,
        legend: { orient: 'right', gradientLength: Math.max(60, Math.min(200, down * CELL - 30)) }
      })
    }
  }
  const layers: JsonMap[] = [heat]
  if (across <= MAX_LABELLED && down <= MAX_LABELLED)
    layers.push({
      mark: { type: 'text', fontSize: 10 },
      encoding: {
        text: { field: value.field, type: 'quantitative', format: numbers(measure) },
        color: { condition: contrast(value.field, measure, diverging), value: '#111111' }
      }
    })
  const view = {
    width: { step: across <= MAX_LABELLED ? CELL + 12 : CELL / 2 },
    height: { step: down <= MAX_LABELLED ? CELL : CELL / 2 },
    encoding: {
      y: rowAxis(shape, y),
      x: nominal(shape, x, {
        axis: { orient: 'bottom', labelAngle: across * 46 > WIDTH || across > 4 ? -45 : 0, labelLimit: 120 }
      })
    },
    layer: layers
  }
  return picture(shape, { kind: 'heat map', title: matrixTitle(shape, parts) }, view, take, notes)
}

function numbers({ min = 0, max = 0, name }: ColumnFacts): string {
  const largest = Math.max(Math.abs(min), Math.abs(max))
  if (largest >= 1e5) return '.3~s'
  return isCount(name) ? ',' : largest >= 1000 ? ',.0f' : '.2~f'
}

/** White letters where the colour is dark. */
function contrast(field: string, { min = 0, max = 0, name }: ColumnFacts, diverging: boolean): JsonMap[] {
  if (diverging)
    return [
      { test: { field, gt: 0.85 }, value: '#ffffff' },
      { test: { field, lt: -0.85 }, value: '#ffffff' }
    ]
  const low = isCount(name) ? Math.min(0, min) : min
  return [{ test: { field, gt: low + (max - low) * 0.7 }, value: '#ffffff' }]
}

export function histogram(
  shape: ResultShape,
  { x, x2, y, key }: { x: DrawnColumn; x2?: DrawnColumn; y?: DrawnColumn; key?: DrawnColumn | undefined },
  take: Take,
  notes: readonly string[]
): Chart {
  const binned = x2 !== undefined && y !== undefined
  const name = binned ? (shape.value ?? 'values') : titleOf(shape, x.columns)
  const unit = shape.columns.find((column) => column.name === x.columns[0])?.unit
  const title = binned && unit !== undefined ? `${name} (${unit})` : name
  const across = {
    ...quantitative(shape, x, { title: wrapped(title, 56, 2) }),
    bin: binned ? 'binned' : { maxbins: 30 }
  }
  const view: JsonMap = {
    mark: { type: 'bar', color: COLOURS[0] ?? '', binSpacing: 1 },
    width: WIDTH,
    height: key === undefined ? HEIGHT : HEIGHT / 2,
    encoding: {
      x: across,
      ...(binned ? { x2: { field: x2.field } } : {}),
      y: binned
        ? quantitative(shape, y)
        : { aggregate: 'count', type: 'quantitative', title: 'number of rows' },
      ...(key === undefined
        ? {}
        : {
            row: nominal(shape, key, {
              header: { labelOrient: 'top', labelAnchor: 'start', titleAnchor: 'middle' }
            })
          })
    }
  }
  const by = key === undefined ? '' : ` by ${titleOf(shape, key.columns)}`
  return picture(shape, { kind: 'histogram', title: `distribution of ${title}${by}` }, view, take, notes)
}

export function lines(
  shape: ResultShape,
  { x, y, key }: { x: DrawnColumn; y: DrawnColumn['field']; key: DrawnColumn | undefined },
  take: Take,
  notes: readonly string[]
): Chart {
  const measured = take.columns.find((column) => column.field === y) ?? y
  const view = {
    mark: {
      type: 'line',
      point: shape.rowCount <= 200,
      strokeWidth: 2,
      ...(key === undefined ? { color: COLOURS[0] ?? '' } : {})
    },
    width: WIDTH,
    height: HEIGHT,
    encoding: {
      x: {
        field: x.field,
        type: 'temporal',
        title: axisTitle(shape, x),
        axis: { labelOverlap: true, tickCount: 8 }
      },
      y: quantitative(shape, measured, { scale: { zero: false } }),
      ...series(shape, key)
    }
  }
  const what = typeof measured === 'string' ? measured : titleOf(shape, measured.columns)
  const by = key === undefined ? '' : `, by ${titleOf(shape, key.columns)}`
  return picture(
    shape,
    { kind: 'line', title: `${what} over ${titleOf(shape, x.columns)}${by}` },
    view,
    take,
    notes
  )
}

export function points(
  shape: ResultShape,
  { x, y, key }: { x: DrawnColumn; y: DrawnColumn; key: DrawnColumn | undefined },
  take: Take,
  notes: readonly string[]
): Chart {
  const across =
    x.as === 'time'
      ? { field: x.field, type: 'temporal', title: axisTitle(shape, x) }
      : quantitative(shape, x, { scale: { zero: false } })
  const view = {
    mark: {
      type: 'circle',
      size: 36,
      opacity: shape.rowCount > 500 ? 0.35 : 0.7,
      ...(key === undefined ? { color: COLOURS[0] ?? '' } : {})
    },
    width: WIDTH,
    height: HEIGHT,
    encoding: { x: across, y: quantitative(shape, y, { scale: { zero: false } }), ...series(shape, key) }
  }
  const by = key === undefined ? '' : `, by ${titleOf(shape, key.columns)}`
  return picture(
    shape,
    { kind: 'scatter', title: `${titleOf(shape, y.columns)} against ${titleOf(shape, x.columns)}${by}` },
    view,
    take,
    notes
  )
}

export function boxes(
  shape: ResultShape,
  { x, y }: { x: DrawnColumn; y: DrawnColumn },
  take: Take,
  notes: readonly string[]
): Chart {
  const view = {
    mark: {
      type: 'boxplot',
      size: BAR - 6,
      color: COLOURS[0] ?? '',
      median: { color: '#ffffff' },
      outliers: { size: 8, opacity: 0.4 }
    },
    width: WIDTH,
    height: { step: BAR + 8 },
    encoding: { y: rowAxis(shape, y), x: quantitative(shape, x, { scale: { zero: false } }) }
  }
  const title = `${titleOf(shape, x.columns)} by ${titleOf(shape, y.columns)}`
  return picture(shape, { kind: 'box plot', title }, view, take, notes)
}

/** What no picture suits is shown as it is, as far as it goes. */
export function tableOf(shape: ResultShape): Chart {
  const shown = shape.columns.slice(0, TABLE_COLUMNS)
  const columns = shown.map((column, index) => ({
    field: `column ${index + 1}`,
    columns: [column.name],
    as: 'text' as const
  }))
  const rows = Math.min(shape.rowCount, TABLE_ROWS)
  const notes = [
    ...(shape.rowCount > rows ? [`the first ${rows} of ${shape.rowCount.toLocaleString('en')} rows`] : []),
    ...(shape.columns.length > shown.length
      ? [`the first ${shown.length} of ${shape.columns.length} columns`]
      : [])
  ]
  const fields = columns.map((column) => column.field)
  const at = {
    x: { field: 'column', type: 'nominal', sort: fields, axis: null },
    y: { field: 'row', type: 'ordinal', axis: null }
  }
  const view: JsonMap = {
    width: { step: 132 },
    height: { step: BAR },
    layer: [
      {
        data: {
          values: columns.map((column) => ({
            column: column.field,
            row: 0,
            value: cut(titleOf(shape, column.columns), 22)
          }))
        },
        mark: { type: 'text', fontSize: 11, color: '#000000', fontWeight: 'bold', limit: 124 },
        encoding: { ...at, text: { field: 'value', type: 'nominal' } }
      },
      {
        transform: [{ window: [{ op: 'row_number', as: 'row' }] }, { fold: fields, as: ['column', 'value'] }],
        mark: { type: 'text', fontSize: 11, limit: 124 },
        encoding: { ...at, text: { field: 'value', type: 'nominal' } }
      }
    ]
  }
  const take: Take = { columns, top: [], limit: rows, sample: false, countAs: null }
  return picture(shape, { kind: 'table', title: 'the result as a table' }, view, take, notes)
}
