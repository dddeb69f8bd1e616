/**
 * A picture for every result: which one suits its shape, and what a request may say about its own. Vega itself is in
 * `services/draw/`, a bundle of its own that only a job loads.
 */
export type { Chart, ChartKind, DrawnColumn, Take, TopGroups } from './chart.ts'
export { COLOURS, MAX_ROWS } from './chart.ts'
export { chooseChart } from './choose.ts'
export type { ColumnFacts, ResultShape } from './shape.ts'
export { kindOf } from './shape.ts'
export type { Json, JsonMap, SpecificationProblem } from './specification.ts'
export {
  isMap,
  MAX_SPECIFICATION,
  RESULT_DATA,
  specificationProblems,
  unknownFields,
  VEGA_LITE_SCHEMA
} from './specification.ts'
