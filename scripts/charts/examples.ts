/** Results as the algorithms give them, one for each kind of picture; made up, and always the same. */

export interface Example {
  name: string
  /** SELECT that gives the result. */
  sql: string
  algorithm?: string
  value?: string
  units?: Record<string, string>
}

const AREAS = [
  'Economics',
  'Law',
  'Medicine',
  'Science',
  'Arts & Humanities',
  'Social and Behavioural Sciences'
]
const list = (values: readonly string[]): string =>
  `[${values.map((value) => `'${value.replaceAll("'", "''")}'`).join(', ')}]`

export const EXAMPLES: readonly Example[] = [
  {
    name: 'bar',
    sql: `SELECT (${list(AREAS)})[i] AS faculty, 9.5 + sin(i * 2.1) * 1.7 AS average, 1000 + 37 * i AS count FROM range(1, 7) t(i)`,
    algorithm: 'average',
    value: 'Salschal',
    units: { average: 'salary scale' }
  },
  {
    name: 'grouped-bar',
    sql: `SELECT (${list(AREAS)})[i] AS faculty, ['M', 'V'][j] AS "Geslacht", 10 + sin(i * 2.1) * 1.5 + j * 0.4 AS average, 500 + 20 * i * j AS count FROM range(1, 7) t(i), range(1, 3) u(j) ORDER BY 1, 2`,
    algorithm: 'average',
    value: 'Salschal',
    units: { average: 'salary scale' }
  },
  {
    name: 'histogram',
    sql: `SELECT CASE WHEN i >= 0 THEN i * 1.0 END AS "from", CASE WHEN i < 18 THEN i + 1.0 END AS "to", CAST(round(9000 * exp(-pow((i - 8) / 4.0, 2))) AS BIGINT) AS count FROM range(0, 19) t(i)`,
    algorithm: 'histogram',
    value: 'Salschal',
    units: { from: 'salary scale', to: 'salary scale' }
  },
  {
    name: 'heat-map',
    sql: `SELECT (${list(AREAS)})[i] AS faculty, ['PhD', 'Lecturer', 'Senior lecturer', 'Professor', 'Support'][j] AS function, CAST(40 + 1200 * (1 + sin(i * j)) / (1 + j) AS BIGINT) AS count FROM range(1, 7) t(i), range(1, 6) u(j) ORDER BY 1, 2`,
    algorithm: 'crosstab'
  },
  {
    name: 'correlation',
    sql: `WITH c AS (SELECT * FROM (VALUES (1, 'age'), (2, 'scale'), (3, 'years'), (4, 'hours')) v(i, n)) SELECT a.n AS "column", b.n AS other, CASE WHEN a.i = b.i THEN 1.0 ELSE cos(1.1 * (a.i + b.i)) END AS correlation FROM c a, c b ORDER BY a.i, b.i`,
    algorithm: 'correlation'
  },
  {
    name: 'line',
    sql: `SELECT DATE '2016-01-01' + CAST(i * 91 AS INTEGER) AS "Peildat", ['M', 'V'][j] AS "Geslacht", 10 + j * 0.6 + i * 0.03 + sin(i * 0.7 + j) * 0.1 AS average FROM range(0, 24) t(i), range(1, 3) u(j)`,
    algorithm: 'average',
    value: 'Salschal',
    units: { average: 'salary scale' }
  },
  {
    name: 'scatter',
    sql: `SELECT 20 + (i * 7919 % 450) / 10.0 AS age, 6 + (i * 7919 % 450) / 60.0 + (i * 104729 % 97) / 30.0 AS scale FROM range(0, 400) t(i)`,
    units: { age: 'years' }
  },
  {
    name: 'box-plot',
    sql: `SELECT (${list(AREAS)})[1 + i % 6] AS faculty, 6 + (i * 7919 % 97) / 14.0 + i % 6 AS "Salschal" FROM range(0, 1200) t(i)`,
    units: { Salschal: 'salary scale' }
  },
  {
    name: 'many-groups',
    sql: `SELECT 'group with a rather long name, number ' || i AS "key", (i * 7919 % 10007) / 10.0 AS average, i AS count FROM range(0, 10000) t(i)`,
    algorithm: 'average',
    value: 'amount',
    units: { average: '€' }
  },
  {
    name: 'table',
    sql: `SELECT 10.732 AS average, 43085 AS count`
  },
  {
    name: 'difficult-names',
    sql: `SELECT * FROM (VALUES ('<b>bold</b> & "quoted"', 3.0), ('it''s \\ back', -2.0), ('😀 emoji', 4.5), (NULL, 1.0), ('${'very '.repeat(30)}long', 2.0)) v("<script>alert('x')</script> [a.b]", "value ""of"" it's 😀")`
  }
]
