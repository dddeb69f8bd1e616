import { expect } from 'chai'
import fc from 'fast-check'
import { specificationProblems, unknownFields } from '../../services/graph/index.ts'

const BAR = {
  mark: { type: 'bar', tooltip: true },
  encoding: { x: { field: 'a', type: 'nominal' }, y: { field: 'b', type: 'quantitative' } }
}

let deep: object = { mark: 'bar' }
for (let level = 0; level < 40; level++) deep = { hconcat: [deep] }

const REFUSED: [what: string, specification: unknown, place: string][] = [
  ['data from an address', { ...BAR, data: { url: 'https://example.org/x.csv' } }, 'data.url'],
  ['a file', { ...BAR, data: { url: 'file:///etc/passwd' } }, 'data.url'],
  [
    'a lookup in a file',
    { ...BAR, transform: [{ lookup: 'a', from: { data: { url: 'x.csv' }, key: 'a' } }] },
    'transform.0.from.data.url'
  ],
  ['images', { ...BAR, mark: 'image' }, 'mark'],
  ['images in a layer', { layer: [{ mark: { type: 'image' } }] }, 'layer.0.mark'],
  ['maps', { ...BAR, mark: 'geoshape' }, 'mark'],
  ['an image channel', { ...BAR, encoding: { url: { field: 'a' } } }, 'encoding.url'],
  ['links', { ...BAR, encoding: { href: { value: 'javascript:alert(1)' } } }, 'encoding.href'],
  [
    'links in its configuration',
    { ...BAR, config: { bar: { href: 'https://example.org' } } },
    'config.bar.href'
  ],
  ['calculations', { ...BAR, transform: [{ calculate: 'datum.a', as: 'c' }] }, 'transform.0.calculate'],
  [
    'a filter that is an expression',
    { ...BAR, transform: [{ filter: 'datum.a > 1' }] },
    'transform.0.filter'
  ],
  [
    'one within another',
    { ...BAR, transform: [{ filter: { and: ['datum.a > 1'] } }] },
    'transform.0.filter.and'
  ],
  ['a negated one', { ...BAR, transform: [{ filter: { not: 'datum.a' } }] }, 'transform.0.filter.not'],
  [
    'a test that is an expression',
    { ...BAR, encoding: { color: { condition: { test: 'datum.a', value: 'red' } } } },
    'encoding.color.condition.test'
  ],
  ['expressions in marks', { ...BAR, mark: { type: 'bar', color: { expr: 'x' } } }, 'mark.color.expr'],
  [
    'expressions where values may stand',
    { ...BAR, encoding: { x: { field: 'a', axis: { values: { expr: 'x' } } } } },
    'encoding.x.axis.values.expr'
  ],
  [
    'expressions for labels',
    { ...BAR, encoding: { x: { field: 'a', axis: { labelExpr: 'x' } } } },
    'encoding.x.axis.labelExpr'
  ],
  ['signals', { ...BAR, width: { signal: 'w' } }, 'width.signal'],
  [
    'formats of its own',
    { ...BAR, encoding: { x: { field: 'a', axis: { formatType: 'alert' } } } },
    'encoding.x.axis.formatType'
  ],
  ['parameters', { ...BAR, params: [{ name: 'p' }] }, 'params'],
  ['rows that are made up', { ...BAR, data: { sequence: { start: 0, stop: 1e12 } } }, 'data.sequence'],
  ['a very large picture', { ...BAR, width: 1e6 }, 'width'],
  ['names of the language', JSON.parse('{"mark":"bar","__proto__":{"url":"x"}}'), '__proto__'],
  ['another language', { ...BAR, $schema: 'https://vega.github.io/schema/vega/v6.json' }, '$schema'],
  ['no picture at all', { title: 'x' }, ''],
  ['a list', [], ''],
  ['1 MB', { ...BAR, title: 'x'.repeat(1_000_000) }, ''],
  ['many values', { ...BAR, data: { values: Array.from({ length: 20_000 }, () => 1) } }, ''],
  ['deep nesting', deep, 'hconcat.0.hconcat.0']
]

describe('a specification of one’s own', () => {
  for (const [what, specification, place] of REFUSED)
    it(`may not hold ${what}`, () => {
      const [problem] = specificationProblems(specification)
      expect(problem?.path.join('.')).to.equal(place)
      expect(problem?.message).to.be.a('string')
    })

  for (const [what, more] of [
    ['values of its own', { data: { values: [{ url: 'a text like any other', expr: 1 }] } }],
    ['named values', { datasets: { mine: [{ href: 1 }] }, data: { name: 'mine' } }],
    [
      'predicates about fields',
      { transform: [{ filter: { and: [{ field: 'a', gt: 1.5 }, { not: { field: 'b', oneOf: ['x'] } }] } }] }
    ],
    ['aggregates', { transform: [{ aggregate: [{ op: 'mean', field: 'b', as: 'm' }], groupby: ['a'] }] }],
    ['its own look', { config: { axis: { labelFontSize: 9 }, mark: { color: 'red' } } }]
  ] as const)
    it(`may hold ${what}`, () => {
      expect(specificationProblems({ ...BAR, ...more })).to.deep.equal([])
    })

  it('is answered whatever it is', () => {
    fc.assert(fc.property(fc.anything(), (value) => Array.isArray(specificationProblems(value))))
  })

  it('reads only what the result has, or what it makes of it', () => {
    expect(unknownFields(BAR, ['a'])).to.deep.equal(['b'])
    expect(unknownFields(BAR, ['a', 'b'])).to.deep.equal([])
    const made = { ...BAR, transform: [{ aggregate: [{ op: 'mean', field: 'c', as: 'b' }] }] }
    expect(unknownFields(made, ['a', 'c'])).to.deep.equal([])
    expect(unknownFields({ mark: 'bar', encoding: { x: { field: 'a\\.b' } } }, ['a.b'])).to.deep.equal([])
  })
})
