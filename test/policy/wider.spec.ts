import { expect } from 'chai'
import { AgreementMalformed, parseAgreement, parseSigningRule, widerThan } from '../../policy/index.ts'

const LEAST = 'agreement: a\nprovider: VU\ndataset: wages\nconsumers: [{organisation: UVA}]\n'
const termsOf = (more: string) =>
  parseAgreement(`${LEAST}${more}`, 'a.yaml', (name) => ({ organisation: 'UVA', name })).terms
const wider = (bound: string, terms: string) => widerThan(termsOf(bound), termsOf(terms), { consumers: true })

describe('terms that are no wider than others', () => {
  const clauses: [string, string, string][] = [
    ['purposes', 'purposes: [a, b]', 'purposes: [a, c]'],
    ['purposes', 'purposes: [a]', 'purposes: "*"'],
    ['archetypes', 'archetypes: [a]', 'archetypes: [b]'],
    ['computeProviders', 'computeProviders: [SURF]', 'computeProviders: "*"'],
    ['computeProviders', '', 'computeProviders: [SURF]'],
    ['recipients', '', 'recipients: [RUG]'],
    ['recipients', 'recipients: [RUG]', ''],
    ['tables', 'tables: {t: {columns: [a]}}', 'tables: {t: {columns: [a, b]}}'],
    ['tables', 'tables: {t: {columns: [a]}}', 'tables: {u: {columns: []}}'],
    ['tables', 'tables: {t: {columns: [a], where: "a > 1"}}', 'tables: {t: {columns: [a]}}'],
    ['tables', 'tables: {t: {columns: [a], where: "a > 1"}}', 'tables: {t: {columns: [a], where: "a > 0"}}'],
    ['tables', 'tables: {t: {columns: "*"}}', 'tables: "*"'],
    ['algorithms', 'algorithms: [average]', 'algorithms: "*"'],
    ['services', 'services: {require: [anonymize]}', ''],
    ['services', 'services: {forbid: [graph]}', ''],
    ['output', 'output: {maxRows: 10}', 'output: {maxRows: 11}'],
    ['output', 'output: {maxRows: 10}', ''],
    ['output', 'output: {minGroupSize: 10}', 'output: {minGroupSize: 9}'],
    ['output', 'output: {aggregatesOnly: true}', ''],
    ['anonymize', 'anonymize: {suppress: [a]}', ''],
    ['anonymize', 'anonymize: {suppress: [a]}', 'anonymize: {pseudonymise: [a]}'],
    ['anonymize', 'anonymize: {generalise: {a: year}}', 'anonymize: {generalise: {a: month}}'],
    ['anonymize', 'anonymize: {k: 5, quasi: [a]}', 'anonymize: {k: 4, quasi: [a]}'],
    ['limits', 'limits: {requests: 5, per: P1D}', ''],
    ['limits', 'limits: {requests: 5, per: P1D}', 'limits: {requests: 6, per: P1D}'],
    ['limits', 'limits: {requests: 5, per: P1D}', 'limits: {requests: 5, per: PT1H}'],
    ['approval', 'approval: {by: [a@vu.nl], when: always, within: P1D}', ''],
    ['privacy', 'privacy: {epsilon: 1, budget: 10, per: P1D}', 'privacy: {epsilon: 2, budget: 10, per: P1D}'],
    ['cache', '', 'cache: {extract: P7D}'],
    ['valid', 'valid: {until: 2027-01-01}', ''],
    ['valid', 'valid: {until: 2027-01-01}', 'valid: {until: 2027-01-02}'],
    ['valid', 'valid: {from: 2026-01-01}', 'valid: {from: 2025-12-31}'],
    ['sandbox', 'sandbox: required', ''],
    ['onward', '', 'onward: partners'],
    ['revocation', '', 'revocation: {effect: finish}'],
    ['revocation', 'revocation: {notice: PT1H}', 'revocation: {notice: PT2H}'],
    ['cedar', 'cedar: "forbid (principal, action, resource);"', '']
  ]
  for (const [clause, bound, terms] of clauses)
    it(`are wider by ${clause}: ${terms || 'left out'} than ${bound || 'left out'}`, () => {
      expect(wider(bound, terms)).to.deep.equal([clause])
      expect(wider(bound, bound)).to.deep.equal([])
      expect(wider(terms, terms)).to.deep.equal([])
    })

  it('may be stricter', () => {
    const bound =
      'purposes: "*"\ntables: "*"\nrecipients: "*"\nlimits: {requests: 5, per: P1D}\nanonymize: {pseudonymise: [a]}\nvalid: {until: 2027-01-01}\n'
    const terms =
      'purposes: [x]\ntables: {t: {columns: [a], where: "a > 1"}}\nlimits: {requests: 4, per: P2D}\nanonymize: {suppress: [a], k: 3, quasi: [b]}\nvalid: {until: 2026-06-01}\nsandbox: required\n'
    expect(wider(bound, terms)).to.deep.equal([])
  })

  it('compare who may ask only where that matters', () => {
    const [bound, terms] = [termsOf(''), { ...termsOf(''), consumers: [{ organisation: 'RUG' }] }]
    expect(widerThan(bound, terms, { consumers: true })).to.deep.equal(['consumers'])
    expect(widerThan(bound, terms, { consumers: false })).to.deep.equal([])
  })
})

describe('a signing rule', () => {
  const parse = (rule: unknown) => parseSigningRule(rule, 'agent.yaml', () => undefined)

  it('is read as an agreement’s clauses, nothing open by omission', () => {
    const { from, dataset, terms } = parse({ from: 'VU', dataset: '*', purposes: ['research'] })
    expect([from, dataset]).to.deep.equal(['VU', '*'])
    expect(terms.purposes).to.deep.equal(['research'])
    expect([terms.archetypes, terms.algorithms, terms.tables]).to.deep.equal([[], [], {}])
    expect(terms.consumers).to.deep.equal([{ organisation: 'VU' }])
  })

  it('names what it does not know, and the nearest that it does', () => {
    expect(() => parse({ from: 'VU', dataset: 'a', purpsoes: ['x'] })).to.throw(
      AgreementMalformed,
      /purpsoes.*did you mean "purposes"/s
    )
    expect(() => parse({ dataset: 'a' })).to.throw(AgreementMalformed, /from/)
  })
})
