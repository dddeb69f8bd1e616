import { createHash } from 'node:crypto'
import { expect } from 'chai'
import {
  AgreementMalformed,
  anonymisationInWords,
  checkAgreement,
  describeAgreement,
  filesNamedBy,
  parseAgreement,
  requiredServices,
  resultTermsOf,
  unenforceableClauses
} from '../../policy/index.ts'
import { agreement, encodePlain } from '../../protocol/documents/index.ts'

const HEAD = `agreement: a
provider: VU
dataset: d
consumers: [{organisation: UVA}]
purposes: [research]
archetypes: [computeToData]
algorithms: [table]
tables: {people: {columns: [id, birth, postcode, diagnosis, wage]}}
`
const ICD = 'E10;diabetes;E00-E90\nE11;diabetes;E00-E90\n"O;1";"a ""name""";O\nJ45;asthma;J00-J99\n'

const parse = (clause: string, files: Record<string, string> = {}) =>
  parseAgreement(
    `${HEAD}${clause}`,
    'a.yaml',
    () => undefined,
    (name) => files[name]
  )
const anonymizeOf = (clause: string, files?: Record<string, string>) => parse(clause, files).terms.anonymize
const generalised = (to: string, files?: Record<string, string>) =>
  anonymizeOf(`anonymize: {generalise: {diagnosis: ${to}}}`, files)?.generalise.diagnosis

function problemOf(clause: string, files?: Record<string, string>): string {
  try {
    parse(clause, files)
  } catch (error) {
    if (error instanceof AgreementMalformed)
      return error.findings.map((one) => `${one.clause}:${one.line}: ${one.message}`).join('\n')
    throw error
  }
  throw new Error('expected a malformed agreement')
}

function check(clause: string): string[] {
  return checkAgreement(parse(clause), {}).map(
    ({ level, clause: at, message }) => `${level} ${at}: ${message}`
  )
}

describe('the clause anonymize', () => {
  describe('as a file', () => {
    it('takes prefixes, edges and what each value becomes', () => {
      expect(generalised('{prefix: 2}')).to.deep.equal({ prefix: 2 })
      expect(generalised('{edges: [-1, 0.5, "18"]}')).to.deep.equal({ edges: ['-1', '0.5', '18'] })
      expect(generalised('{values: {E10: diabetes, 7: 8}, otherwise: other}')).to.deep.equal({
        values: { E10: 'diabetes', 7: '8' },
        otherwise: 'other'
      })
    })

    it('signs what a hierarchy file holds, with its digest, and not its name alone', () => {
      const sha256 = createHash('sha256').update(ICD).digest('hex')
      const { terms } = parse('anonymize: {generalise: {diagnosis: {hierarchy: icd.csv, level: 2}}}', {
        'icd.csv': ICD
      })
      expect(terms.anonymize?.generalise.diagnosis).to.deep.equal({
        values: { E10: 'E00-E90', E11: 'E00-E90', 'O;1': 'O', J45: 'J00-J99' },
        hierarchy: { name: 'icd.csv', level: 2, sha256 }
      })
      expect(() => encodePlain(agreement.shape.terms.parse(terms))).not.to.throw()
    })

    it('reads level 1 where none is given, from CSV with quotes, tabs, blank lines, a byte order mark', () => {
      const first = { E10: 'diabetes', E11: 'diabetes', 'O;1': 'a "name"', J45: 'asthma' }
      expect(generalised('{hierarchy: f.csv}', { 'f.csv': ICD })).to.have.deep.property('values', first)
      const other = `\uFEFF${ICD.replaceAll('\n', '\r\n\r\n')}`
      expect(generalised('{hierarchy: f.csv}', { 'f.csv': other })).to.have.deep.property('values', first)
      expect(generalised('{hierarchy: f}', { f: 'a\tb\nc\td' })).to.have.deep.property('values', {
        a: 'b',
        c: 'd'
      })
    })

    it('reads YAML and JSON, where 01 stays 01', () => {
      const values = { '01': 'north', '02': 'south' }
      expect(
        generalised('{hierarchy: f.yaml}', { 'f.yaml': '01: [north, nl]\n02: [south, nl]' })
      ).to.have.deep.property('values', values)
      expect(generalised('{hierarchy: f.json}', { 'f.json': JSON.stringify(values) })).to.have.deep.property(
        'values',
        values
      )
    })

    it('says which files have to come with it', () => {
      expect(
        filesNamedBy(
          `${HEAD}anonymize: {generalise: {a: {hierarchy: x.csv}, b: year, c: {hierarchy: y.csv, level: 2}, d: {hierarchy: x.csv}}}`
        )
      ).to.deep.equal(['x.csv', 'y.csv'])
      for (const text of ['', '- a', '{{', HEAD, 'anonymize: {generalise: [a]}'])
        expect(filesNamedBy(text)).to.deep.equal([])
    })

    const ugly: [string, string, RegExp][] = [
      [
        'a misspelt key',
        '{prefx: 2}',
        /^anonymize\.generalise\.diagnosis\.prefx:9: unknown key "prefx"; did you mean "prefix"/
      ],
      ['a prefix of nothing', '{prefix: 0}', /prefix/],
      ['two ways', '{prefix: 2, edges: [1]}', /expected one of prefix, edges, values, hierarchy, found 2/],
      ['no way', '{}', /expected one of prefix, edges, values, hierarchy, found 0/],
      ['edges in disorder', '{edges: [1, 10, 9]}', /ascending/],
      ['edges twice, written differently', '{edges: [1, 1.0, "1.00"]}', /ascending/],
      ['an edge that is no number', '{edges: [1e30]}', /expected a number/],
      ['a level without a file', '{prefix: 2, level: 1}', /"level" goes with "hierarchy" only/],
      ['otherwise without values', '{prefix: 2, otherwise: x}', /"otherwise" goes with/],
      ['a decade', 'decade', /expected year, quarter, month, a whole number/],
      [
        'a file that is not there',
        '{hierarchy: nowhere.csv}',
        /hierarchy:9: expected the file "nowhere.csv" beside the agreement/
      ],
      [
        'a level that is not there',
        '{hierarchy: f.csv, level: 3}',
        /f\.csv: line 1: expected at least 3 coarser forms of a value, found 2/
      ],
      [
        'a value with two coarser forms',
        '{hierarchy: two.csv}',
        /two\.csv: line 3: a value that stands above already/
      ],
      ['a quote that is not closed', '{hierarchy: open.csv}', /open\.csv: line 2: a quote is not closed/],
      [
        'an empty file',
        '{hierarchy: empty.csv}',
        /empty\.csv: expected values with their coarser forms, found none/
      ],
      ['a list', '{hierarchy: list.yaml}', /list\.yaml: expected a mapping/],
      ['a nested list', '{hierarchy: nested.yaml}', /nested\.yaml: expected a mapping of values to a text/],
      ['a file that is too long', '{hierarchy: long.csv}', /long\.csv: expected at most 262144 characters/],
      ['too many values', '{hierarchy: many.csv}', /many\.csv: expected at most 4096 values, found 5000/]
    ]
    const files = {
      'f.csv': ICD,
      'two.csv': 'a,b\nc,d\na,e\n',
      'open.csv': 'a,b\n"c,d\n',
      'empty.csv': '\n\n',
      'list.yaml': '- a',
      'nested.yaml': 'a: [[b]]',
      'long.csv': 'a,b\n'.repeat(70_000),
      'many.csv': Array.from({ length: 5000 }, (_, index) => `v${index},w`).join('\n')
    }
    for (const [what, to, message] of ugly) {
      it(`refuses ${what}`, () => {
        expect(problemOf(`anonymize: {generalise: {diagnosis: ${to}}}`, files)).to.match(message)
      })
    }
  })

  describe('when it is checked', () => {
    const findings: [string, string, RegExp][] = [
      [
        'forbids what it orders',
        'services: {forbid: [anonymize]}\nanonymize: {generalise: {birth: year}}',
        /^error services\.forbid: .*orders it/
      ],
      [
        'forbids what k orders',
        'services: {forbid: [anonymize]}\nanonymize: {k: 3, quasi: [birth]}',
        /^error services\.forbid: .*orders it/
      ],
      [
        'names a column in two ways, in whatever case',
        'anonymize: {suppress: [BIRTH], generalise: {birth: year}}',
        /^error anonymize\.suppress: .*kept in another form/
      ],
      [
        'names a column twice',
        'anonymize: {pseudonymise: [id, ID]}',
        /^error anonymize\.pseudonymise: column "ID" is named twice/
      ],
      [
        'counts by a pseudonym',
        'anonymize: {pseudonymise: [id], k: 3, quasi: [id]}',
        /^error anonymize\.quasi: .*every row would be left out/
      ],
      [
        'counts by what is removed',
        'anonymize: {suppress: [id], k: 3, quasi: [id]}',
        /^error anonymize\.quasi: .*suppressed/
      ],
      [
        'counts by a column that is not shown',
        'anonymize: {k: 3, quasi: [bsn]}',
        /^error anonymize\.quasi: no table .* "bsn"/
      ],
      [
        'counts by nothing',
        'anonymize: {suppress: [id], k: 3}',
        /^error anonymize\.k: clause-not-enforceable: nothing to count by/
      ],
      [
        'counts to nothing',
        'anonymize: {suppress: [id], quasi: [birth]}',
        /^error anonymize\.quasi: clause-not-enforceable: expected `k`/
      ]
    ]
    for (const [what, clause, message] of findings) {
      it(`finds that it ${what}`, () => {
        const found = check(clause)
        expect(found, found.join('\n')).to.have.length(1)
        expect(found[0]).to.match(message)
      })
    }

    it('takes names of columns in any case', () => {
      expect(
        check('anonymize: {suppress: [ID], generalise: {Birth: year}, k: 2, quasi: [BIRTH]}')
      ).to.deep.equal([])
    })

    it('does not take the Kelvin sign for a k, as the engine does not', () => {
      expect(check('anonymize: {suppress: ["\u212A"]}')).to.have.length(1)
    })

    it('warns of a table that has no column k counts by', () => {
      const draft = parseAgreement(
        `${HEAD.replace('wage]}', 'wage]}, jobs: {columns: [id, wage]}')}anonymize: {generalise: {birth: year}, k: 3}`,
        'a.yaml',
        () => undefined
      )
      expect(checkAgreement(draft, {}).map(({ level, clause }) => `${level} ${clause}`)).to.deep.equal([
        'warning anonymize.k'
      ])
    })
  })

  it('orders the service, in the chain and in the terms of results', () => {
    for (const clause of ['{suppress: [id]}', '{generalise: {birth: year}}', '{k: 2, quasi: [birth]}']) {
      const { terms } = parse(`anonymize: ${clause}`)
      expect(requiredServices(terms)).to.deep.equal(['anonymize'])
      expect(resultTermsOf(terms, 'UVA').services).to.deep.equal(['anonymize'])
      expect(unenforceableClauses(terms)).to.deep.equal([])
    }
    expect(requiredServices(parse('anonymize: {k: 1}').terms)).to.deep.equal([])
  })

  it('is told in plain words', () => {
    const draft = parse(
      `anonymize:
  pseudonymise: [id]
  generalise: {birth: year, postcode: {prefix: 2}, wage: {edges: [0, 1000]}, diagnosis: {hierarchy: icd.csv}}
  k: 5
`,
      { 'icd.csv': ICD }
    )
    const sha256 = createHash('sha256').update(ICD).digest('hex').slice(0, 12)
    expect(anonymisationInWords(draft.terms)).to.deep.equal([
      'replaces id by pseudonyms',
      'reduces birth to the year',
      'keeps the first 2 characters of postcode',
      'rounds wage down to the nearest of 0 and 1000, and empties what is below',
      `turns 4 values of diagnosis into 3 by level 1 of icd.csv (sha2-256 ${sha256}…) and empties every other value`,
      'leaves out the rows of each table whose combination of birth, postcode, wage and diagnosis fewer than 5 subjects share'
    ])
    expect(describeAgreement(draft).join('\n')).to.include('Before anything leaves, anonymize replaces id')
  })
})
