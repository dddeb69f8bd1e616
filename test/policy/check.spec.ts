import { expect } from 'chai'
import fc from 'fast-check'
import {
  AgreementMalformed,
  checkAgreement,
  type KnownFacts,
  loadRuleReader,
  parseAgreement
} from '../../policy/index.ts'
import { anyAgreement } from './any-terms.ts'

const GOOD = `agreement: wages
provider: VU
dataset: wageGap
consumers: [{organisation: UVA}]
purposes: [research]
archetypes: [computeToData]
algorithms: [average]
tables:
  Personen: {columns: [id, sex]}
  Jobs: {columns: [id, wage]}
`
const TABLES = [
  {
    name: 'Personen',
    columns: [
      { name: 'id', type: 'BIGINT' },
      { name: 'sex', type: 'VARCHAR' },
      { name: 'born', type: 'DATE' }
    ]
  },
  {
    name: 'Jobs',
    columns: [
      { name: 'id', type: 'BIGINT' },
      { name: 'wage', type: 'DOUBLE' }
    ]
  }
]
const NOW = Date.UTC(2026, 5, 1)
const KNOWN: KnownFacts = {
  organisations: ['VU', 'UVA', 'SURF', 'RUG'],
  archetypes: ['computeToData', 'dataThroughTtp'],
  services: ['query', 'anonymize', 'aggregate'],
  algorithms: ['average', 'table'],
  tables: TABLES,
  throughOthers: (archetype) => archetype === 'dataThroughTtp',
  needsNumbers: (algorithm) => algorithm === 'average',
  speaksFor: (organisation, user) => organisation === 'UVA' && user.endsWith('@uva.nl'),
  now: NOW
}

const parse = (text: string) =>
  parseAgreement(text, 'a.yaml', (address) => ({ organisation: 'UVA', name: address }))
const check = (text: string, known: KnownFacts = KNOWN) =>
  checkAgreement(parse(text), known).map(
    ({ level, clause, line, column, message }) => `${line}:${column}: ${level}: ${clause}: ${message}`
  )
/** A line changed, or one added. */
const changed = (clause: string) => {
  const key = /^[a-z]+/i.exec(clause)?.[0] ?? ''
  const kept = GOOD.split('\n').filter((line) => !line.startsWith(`${key}:`))
  const without = key === 'tables' ? kept.filter((line) => !line.startsWith('  ')) : kept
  return `${without.join('\n')}${clause}\n`
}

describe('a checked agreement', () => {
  it('has nothing wrong with it when nothing is', () => {
    expect(check(GOOD)).to.deep.equal([])
    expect(check(GOOD, {})).to.deep.equal([])
  })

  const findings: [what: string, clause: string, expected: RegExp][] = [
    [
      'an archetype through others that nobody else may hold data in',
      'archetypes: [dataThroughTtp]',
      /^\d+:14: warning: archetypes\.0: in dataThroughTtp another than VU holds the data, and nobody else may; name who/
    ],
    [
      'one such among others',
      'archetypes: [computeToData, dataThroughTtp]',
      /^\d+:29: warning: archetypes\.1: in dataThroughTtp/
    ],
    [
      'compute providers that never hold data',
      'computeProviders: [SURF]',
      /^\d+:1: warning: computeProviders: it never binds: in computeToData nobody but VU/
    ],
    [
      'the provider as its own compute provider',
      'computeProviders: [VU]',
      /computeProviders\.0: VU holds its data anyway/
    ],
    [
      'recipients that leave every consumer out',
      'recipients: [RUG]',
      /warning: recipients: results go to RUG alone: UVA may ask and gets nothing; name it here/
    ],
    [
      'a consumer that another covers',
      'consumers: [{organisation: UVA}, {user: a@uva.nl}]',
      /warning: consumers\.1: everybody at UVA is a consumer, a@uva\.nl too/
    ],
    [
      'a consumer named twice',
      'consumers: [{organisation: UVA}, {organisation: UVA}]',
      /consumers\.1: named twice/
    ],
    [
      'a forbidden beginning',
      'services: {forbid: [query]}',
      /error: services\.forbid\.0: every chain begins with query/
    ],
    [
      'a condition that no row fulfils',
      'tables: {Jobs: {columns: [id, wage], where: "wage > 5 and wage < 3"}}',
      /error: tables\.Jobs\.where: no value of wage fulfils it, so that Jobs is empty; change/
    ],
    [
      'columns that differ in case alone',
      'tables: {Jobs: {columns: [wage, id]}, jobs: {columns: [wage]}}',
      /error: tables\.jobs: (the engine does not tell it from "Jobs"|unknown table)/
    ],
    [
      'a unit that is no column',
      'output: {unit: ID2}',
      /error: output\.unit: no table of the agreement has a column "ID2"; did you mean "id"/
    ],
    [
      'an algorithm that has nothing to compute with',
      'anonymize: {suppress: [id, wage]}',
      /warning: algorithms\.0: average needs a column of numbers, and `anonymize` leaves none of id and wage as it is/
    ],
    [
      'everything suppressed',
      'anonymize: {suppress: [id, wage, sex]}',
      /error: anonymize\.suppress: every column is suppressed/
    ],
    [
      'a column that is pseudonymised and suppressed',
      'anonymize: {pseudonymise: [id], suppress: [id]}',
      /error: anonymize\.suppress: column "id" is suppressed and kept in another form/
    ],
    [
      'a service required and forbidden',
      'services: {require: [aggregate], forbid: [aggregate]}',
      /error: services: the service "aggregate" is both required and forbidden/
    ],
    [
      'bounds the wrong way round',
      'valid: {from: 2027-01-01, until: 2026-01-01}',
      /error: valid: expected `from` before/
    ],
    [
      'an end that is over',
      'valid: {until: 2026-01-01}',
      /warning: valid\.until: it ended 2026-01-01; choose a later/
    ],
    [
      'an end within the notice',
      'revocation: {notice: P30D}\nvalid: {until: 2026-06-15}',
      /warning: revocation\.notice: it never binds: the agreement ends 2026-06-15, sooner than P30D/
    ],
    [
      'an end before an approval',
      'approval: {by: [a@vu.nl], when: always, within: P20D}\nvalid: {until: 2026-06-15}',
      /warning: approval\.within: the agreement ends 2026-06-15, before P20D/
    ],
    ['a quota of none', 'limits: {requests: 0, per: P1D}', /warning: limits\.requests: no requests/],
    [
      'a midnight that clocks skip',
      'timezone: Africa/Cairo\nvalid: {from: 2026-04-24}',
      /warning: valid\.from: clocks in Africa\/Cairo are put forward and never show 2026-04-24T00:00; it counts as 2026-04-23T22:00/
    ],
    [
      'a time that clocks show twice',
      'timezone: Europe/Amsterdam\nvalid: {until: "2026-10-25T02:30"}',
      /warning: valid\.until: clocks in Europe\/Amsterdam are put back and show 2026-10-25T02:30 twice; the first counts, 2026-10-25T00:30/
    ],
    [
      'a user whose organisation lost the mail domain',
      'consumers: [{user: {organisation: UVA, name: analyst@student.uva.nl}}]',
      /warning: consumers\.0: UVA speaks for no "analyst@student\.uva\.nl": its membership lists neither/
    ]
  ]
  for (const [what, clause, expected] of findings)
    it(`tells of ${what}, where it stands and what to do`, () => {
      const found = check(changed(clause))
      expect(found.join('\n')).to.match(new RegExp(expected.source, 'm'))
      expect(found.every((one) => /^\d+:\d+: (error|warning): /.test(one))).to.equal(true)
    })

  it('tells of nothing else in those', () => {
    for (const [what, clause] of findings.filter(
      ([one]) => !/case alone|approval|notice|has nothing|a unit/.test(one)
    ))
      expect(check(changed(clause)), what).to.have.length(1)
  })

  it('names the first unknown columns of many, and how many more', () => {
    const many = Array.from({ length: 1500 }, (_, index) => `x${index}`)
    const found = check(changed(`tables: {Jobs: {columns: [${many.join(', ')}]}}`))
    expect(found).to.have.length(21)
    expect(found[0]).to.match(/error: tables\.Jobs\.columns: 1480 more are unknown$/)
    expect(found[1]).to.match(/tables\.Jobs\.columns\.0: unknown column "x0"; expected one of id, wage$/)
  })

  it('leaves open what a dataset file does not describe', () => {
    const known = { ...KNOWN, tables: [{ name: 'Personen', columns: [{ name: 'id' }], partial: true }] }
    const found = check(GOOD, known)
    expect(found).to.have.length(2)
    expect(found[0]).to.match(
      /warning: tables\.Personen\.columns\.1: unknown column \(the dataset describes not all/
    )
    expect(found[1]).to.match(/error: tables\.Jobs: unknown table "Jobs"; expected one of Personen/)
  })

  it('tells of a permit among its rules', async () => {
    const rules = (await loadRuleReader()).agreement
    const found = check(`${GOOD}cedar: |\n  permit (principal, action, resource);\n`, { ...KNOWN, rules })
    expect(found[0]).to.match(/^12:3: error: cedar: /)
  })

  it('may say anything: each finding says something', () => {
    fc.assert(
      fc.property(anyAgreement, anyAgreement, (one, other) => {
        const draft = { ...one, lines: {} }
        for (const finding of checkAgreement(draft, { ...KNOWN, beside: [other] }))
          expect(finding.message).to.not.equal('')
      })
    )
  })
})

describe('two agreements that each permit half', () => {
  const half = (clauses: string, name = 'other') =>
    parse(changed(clauses).replace('agreement: wages', `agreement: ${name}`))
  const beside = (...others: ReturnType<typeof half>[]) => check(GOOD, { ...KNOWN, beside: others })

  it('are told: tables of one request, or a purpose here and an algorithm there', () => {
    expect(beside(half('tables: {Personen: {columns: [id, born]}}'))).to.deep.equal([
      '8:1: warning: tables: only this permits tables Personen.sex, Jobs.id and Jobs.wage, only other permits tables Personen.born: a request that needs both is refused, because clauses of two agreements are never mixed; put both into one if that is meant'
    ])
    expect(beside(half('purposes: [teaching]\nalgorithms: [table]'.split('\n')[0] ?? ''))).to.deep.equal([])
    const both = parse(
      GOOD.replace('agreement: wages', 'agreement: other')
        .replace('[research]', '[teaching]')
        .replace('[average]', '[table]')
    )
    expect(beside(both)[0]).to.match(
      /^5:1: warning: purposes: only this permits purposes research, only other permits algorithms table/
    )
  })

  it('are none where one permits all that the other does, or where they are about other things', () => {
    for (const other of [
      half('tables: "*"'),
      half('tables: {Personen: {columns: [id]}}'),
      half('consumers: [{organisation: RUG}]\n'),
      half('provider: RUG'),
      half('dataset: other'),
      half('tables: {Personen: {columns: [born]}}', 'wages')
    ])
      expect(beside(other)).to.deep.equal([])
  })
})

describe('an agreement with more columns than anybody reads', () => {
  const malformed = (text: string): string => {
    try {
      parse(text)
    } catch (error) {
      if (error instanceof AgreementMalformed) return error.message
    }
    throw new Error('expected a malformed agreement')
  }

  it('is refused at once, with what may be written instead', () => {
    const list = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`).join(', ')
    expect(malformed(changed(`tables: {Jobs: {columns: [${list(3000)}]}}`))).to.match(
      /tables\.Jobs\.columns: expected at most 2000 columns, or "\*" for any/
    )
    expect(malformed(changed(`tables: {Jobs: {columns: [${list(1_000_000)}]}}`))).to.match(
      /expected at most 262144 characters, found \d+/
    )
  })
})
