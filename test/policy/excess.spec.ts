import { expect } from 'chai'
import { excessOver, REQUESTER } from '../../policy/index.ts'
import type { ResultTerms, Terms } from '../../protocol/documents/index.ts'
import { RESULT_TERMS, TERMS } from './builders.ts'

const CAME: ResultTerms = {
  ...RESULT_TERMS,
  recipients: ['UVA', 'VUMC'],
  purposes: ['research'],
  until: Date.UTC(2027, 0, 1),
  services: ['anonymize'],
  forbid: ['graph'],
  maxRows: 100
}
const INSIDE: Terms = {
  ...TERMS,
  consumers: [{ organisation: 'UVA' }],
  purposes: ['research'],
  recipients: [REQUESTER],
  computeProviders: [],
  services: { require: [], forbid: ['graph'] },
  output: { maxRows: 100 },
  valid: { until: Date.UTC(2027, 0, 1) }
}
const clauses = (terms: Partial<Terms>) =>
  excessOver(CAME, { ...INSIDE, ...terms }, 'UVA').map(({ clause }) => clause)

describe('an agreement about what a request brought', () => {
  it('may be as wide as the terms that came with it, inside the organisation that received it', () => {
    expect(clauses({})).to.deep.equal([])
    expect(clauses({ purposes: [], valid: { until: 0 }, output: { maxRows: 1 } })).to.deep.equal([])
  })

  const wider: [string, Partial<Terms>, string[]][] = [
    // who asks would receive it too
    [
      'another organisation that asks',
      { consumers: [{ organisation: 'VUMC' }] },
      ['consumers', 'recipients']
    ],
    ['another recipient, though the first terms name it', { recipients: ['VUMC'] }, ['recipients']],
    ['any recipient', { recipients: '*' }, ['recipients']],
    ['another place to compute', { computeProviders: ['SURF'] }, ['computeProviders']],
    ['another purpose', { purposes: ['research', 'marketing'] }, ['purposes']],
    ['any purpose', { purposes: '*' }, ['purposes']],
    ['a later end', { valid: { until: Date.UTC(2027, 0, 2) } }, ['valid.until']],
    ['no end', { valid: {} }, ['valid.until']],
    ['what may not be in the chain', { services: { require: [], forbid: [] } }, ['services.forbid']],
    ['more rows', { output: { maxRows: 101 } }, ['output.maxRows']],
    ['any number of rows', { output: {} }, ['output.maxRows']]
  ]
  for (const [what, terms, found] of wider)
    it(`is wider with ${what}`, () => {
      expect(clauses(terms)).to.deep.equal(found)
    })

  it('names each excess, and what would be allowed', () => {
    const found = excessOver(CAME, { ...INSIDE, purposes: ['marketing'], computeProviders: ['SURF'] }, 'UVA')
    expect(found.map(({ message }) => message).join()).to.match(
      /allow UVA: "SURF"; they say onward: none.*allow research: "marketing"/
    )
  })
})
