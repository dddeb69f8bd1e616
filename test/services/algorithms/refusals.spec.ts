import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { algorithm as correlation } from '../../../services/algorithm/correlation/index.ts'
import { algorithm as crosstab } from '../../../services/algorithm/crosstab/index.ts'
import { algorithm as describeColumns } from '../../../services/algorithm/describe/index.ts'
import { algorithm as histogram } from '../../../services/algorithm/histogram/index.ts'
import type { Algorithm, Phase } from '../../../services/algorithm/index.ts'
import { algorithm as regression } from '../../../services/algorithm/regression/index.ts'
import { algorithm as topk } from '../../../services/algorithm/topk/index.ts'
import { Failure } from '../../../services/failure/index.ts'
import { loadManifests } from '../../../services/index.ts'
import { Parties } from './parties.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

const columns = [
  { name: 'wage', type: 'DOUBLE' },
  { name: 'age', type: 'BIGINT' },
  { name: 'hours', type: 'DECIMAL(6,2)' },
  { name: 'gender', type: 'VARCHAR' },
  { name: 'occupation', type: 'VARCHAR' },
  { name: 'born', type: 'DATE' },
  { name: 'Count', type: 'BIGINT' }
]
const many = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`)
const bins = { from: 0, to: 1, bins: 2 }

type Refused = [parameters: Record<string, unknown>, hint: RegExp]
const ALGORITHMS = new Map<string, Algorithm>(
  Object.entries({ describe: describeColumns, histogram, crosstab, correlation, regression, topk })
)

const REFUSED: Record<string, Refused[]> = {
  describe: [
    [{}, /columns: expected a list/],
    [{ columns: 'wage' }, /columns: expected a list/],
    [{ columns: [1] }, /columns: expected a list/],
    [{ columns: [] }, /columns: expected 1 to 32 columns, found 0/],
    [{ columns: many(33) }, /found 33/],
    [{ columns: ['wags'] }, /no column "wags"; did you mean "wage"\?/],
    [{ columns: ['wage', 'WAGE'] }, /columns: "wage" is named twice/],
    [{ columns: ['gender'] }, /"gender" is VARCHAR, expected a number/],
    [{ columns: ['born'] }, /"born" is DATE, expected a number/],
    [{ columns: ['wage'], by: ['gender'] }, /"by" is not a parameter here, expected columns/]
  ],
  histogram: [
    [{ value: 'wage' }, /edges: expected a list of numbers, or "from", "to" and "bins"/],
    [{ ...bins }, /value: expected the name of a column/],
    [{ value: 'wagee', ...bins }, /did you mean "wage"\?/],
    [{ value: 'gender', ...bins }, /"gender" is VARCHAR/],
    [{ value: 'wage', edges: [0, 1], ...bins }, /found both/],
    [{ value: 'wage', edges: 3 }, /edges: expected a list of 2 to 10001/],
    [{ value: 'wage', edges: [0] }, /edges: expected a list of 2 to 10001/],
    [{ value: 'wage', edges: Array.from({ length: 10_002 }, (_, i) => i) }, /2 to 10001/],
    [{ value: 'wage', edges: [0, 2, 1] }, /each to be larger than the one before, found 1 after 2/],
    [{ value: 'wage', edges: ['0.5', '0.50'] }, /found 0.5 after 0.5/],
    [{ value: 'wage', edges: [0, 'x'] }, /edges\[1\]: expected a finite number, .* found "x"/],
    [{ value: 'wage', edges: [0, '1e999'] }, /edges\[1\]: expected a finite number/],
    [{ value: 'wage', edges: [0, 'Infinity'] }, /edges\[1\]: expected a finite number/],
    [{ value: 'wage', edges: [0, 'NaN'] }, /edges\[1\]: expected a finite number/],
    [{ value: 'wage', edges: [0, '.'] }, /edges\[1\]: expected a finite number/],
    [{ value: 'wage', edges: [0, ''] }, /edges\[1\]: expected a finite number/],
    [{ value: 'wage', edges: [0, '0x10'] }, /edges\[1\]: expected a finite number/],
    [{ value: 'wage', edges: [0, `1${'0'.repeat(500)}`] }, /edges\[1\]: expected a finite number/],
    [{ value: 'wage', edges: [0, null] }, /edges\[1\]: expected a finite number/],
    [{ value: 'wage', from: 0, bins: 3 }, /to: expected a finite number/],
    [{ value: 'wage', from: 0, to: 1 }, /bins: expected a whole number from 1 to 10000/],
    [{ value: 'wage', from: 0, to: 1, bins: 10_001 }, /bins: expected a whole number/],
    [{ value: 'wage', from: 0, to: 1, bins: '3' }, /bins: expected a whole number/],
    [{ value: 'wage', from: 1, to: 0, bins: 3 }, /"from" must be less than "to"/],
    [{ value: 'wage', from: 1, to: '1.0000000000000001', bins: 3 }, /have no width/],
    [{ value: 'wage', ...bins, by: 'gender' }, /by: expected a list/],
    [{ value: 'wage', ...bins, by: ['gendre'] }, /did you mean "gender"\?/],
    [{ value: 'wage', ...bins, by: ['gender', 'Gender'] }, /named twice/],
    [{ value: 'wage', ...bins, by: ['Count'] }, /by: "Count" would be a column of the result twice/],
    [{ value: 'wage', ...bins, colour: 1 }, /"colour" is not a parameter here/]
  ],
  crosstab: [
    [{ rows: 'gender' }, /columns: expected the name of a column/],
    [{ columns: 'gender' }, /rows: expected the name of a column/],
    [{ rows: ['gender'], columns: 'occupation' }, /rows: expected the name of a column/],
    [{ rows: 'gendr', columns: 'occupation' }, /rows: .* did you mean "gender"\?/],
    [{ rows: 'gender', columns: 'zzz' }, /columns: the query gives no column "zzz"; it gives "wage"/],
    [{ rows: 'gender', columns: 'age', p: 1 }, /"p" is not a parameter here, expected rows, columns/]
  ],
  correlation: [
    [{}, /columns: expected a list/],
    [{ columns: ['wage'] }, /columns: expected 2 to 32 columns, found 1/],
    [{ columns: many(33) }, /found 33/],
    [{ columns: ['wage', 'gender'] }, /"gender" is VARCHAR/],
    [{ columns: ['wage', 'agee'] }, /did you mean "age"\?/],
    [{ columns: ['wage', 'Wage'] }, /named twice/],
    [{ columns: ['wage', 'age'], method: 'spearman' }, /"method" is not a parameter here/]
  ],
  regression: [
    [{ predictors: ['age'] }, /outcome: expected the name of a numeric column/],
    [{ outcome: 'wage' }, /predictors: expected a list/],
    [{ outcome: 'wage', predictors: [] }, /predictors: expected 1 to 16 columns, found 0/],
    [{ outcome: 'wage', predictors: many(17) }, /found 17/],
    [{ outcome: 'wage', predictors: ['gender'] }, /predictors: column "gender" is VARCHAR/],
    [{ outcome: 'gender', predictors: ['age'] }, /outcome: column "gender" is VARCHAR/],
    [{ outcome: 'wage', predictors: ['age', 'WAGE'] }, /predictors: "wage" is the outcome/],
    [{ outcome: 'wage', predictors: ['age', 'age'] }, /named twice/],
    [{ outcome: 'wages', predictors: ['age'] }, /outcome: .* did you mean "wage"\?/],
    [{ outcome: 'wage', predictors: ['age'], intercept: false }, /"intercept" is not a parameter here/]
  ],
  topk: [
    [{ column: 'gender' }, /k: expected a whole number from 1 to 10000/],
    [{ k: 3 }, /column: expected the name of a column/],
    [{ column: 'gender', k: 0 }, /k: expected a whole number/],
    [{ column: 'gender', k: 10_001 }, /k: expected a whole number/],
    [{ column: 'gender', k: '3' }, /k: expected a whole number/],
    [{ column: 'ocupation', k: 3 }, /did you mean "occupation"\?/],
    [{ column: 'gender', k: 3, by: [] }, /"by" is not a parameter here/]
  ]
}

function algorithmOf(name: string): Algorithm {
  const found = ALGORITHMS.get(name)
  if (found === undefined) throw new Error(`expected an algorithm ${name}`)
  return found
}

function refusal(
  algorithm: Algorithm,
  parameters: Record<string, unknown>,
  phase: Phase = 'complete'
): Failure {
  try {
    algorithm({ relation: 'nothing AS input', columns, parameters, phase })
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('planned')
}

describe('Each algorithm', () => {
  for (const [name, cases] of Object.entries(REFUSED))
    for (const [parameters, hint] of cases)
      it(`${name} refuses ${JSON.stringify(parameters).slice(0, 80)}`, () => {
        const failure = refusal(algorithmOf(name), parameters)
        expect(failure.code).to.equal('algorithm-parameters')
        expect(failure.hint).to.match(hint)
      })

  it('can run the example of its manifest, and says so in its documentation', async () => {
    const { algorithms } = await loadManifests(`${ROOT}services`)
    const documentation = await readFile(`${ROOT}docs/algorithms.md`, 'utf8')
    for (const { algorithm: name, example, mergeable, units, parameters } of algorithms.values()) {
      const section = documentation.split(/^## /m).find((text) => text.startsWith(`\`${name}\``))
      expect(section, `a section of ${name}`).to.be.a('string')
      expect(section, name).to.include(mergeable ? 'Exactly mergeable' : 'Needs the union')
      for (const parameter of Object.keys(Object(parameters.properties)))
        expect(section, `${parameter} of ${name}`).to.include(`\`${parameter}\``)
      if (!ALGORITHMS.has(name) || example === undefined) continue
      const parties = await Parties.of(algorithmOf(name))
      const none = columns.map(({ name: column, type }) => `CAST(NULL AS ${type}) AS "${column}"`)
      const sql = parties
        .plan(columns, example)
        .replaceAll('nothing AS input', `(SELECT ${none.join(', ')}) AS input`)
      const found = await parties.engine.describe(sql)
      for (const [column, parameter] of Object.entries(units ?? {})) {
        expect(
          found.map((one) => one.name),
          name
        ).to.include(column)
        expect(Object.keys(example), name).to.include(parameter)
      }
      const results = found.filter((one) => !columns.some((column) => column.name === one.name))
      for (const { name: column } of results) expect(section, name).to.include(`\`${column}\``)
    }
  })

  it('that needs the union says so when asked for a state', async () => {
    const { algorithms } = await loadManifests(`${ROOT}services`)
    for (const { algorithm: name, mergeable, example = {} } of algorithms.values()) {
      if (mergeable) continue
      for (const phase of ['partial', 'merge'] as const)
        expect(refusal(algorithmOf(name), example, phase).hint).to.equal(
          `"${name}" needs the union of all rows`
        )
    }
  })

  it('refuses states of another', async () => {
    const { algorithms } = await loadManifests(`${ROOT}services`)
    for (const { algorithm: name, mergeable, example = {} } of algorithms.values())
      if (mergeable && ALGORITHMS.has(name))
        expect(refusal(algorithmOf(name), example, 'merge').hint).to.equal(
          `merge: expected states of "${name}"`
        )
  })
})
