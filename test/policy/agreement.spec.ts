import { expect } from 'chai'
import fc from 'fast-check'
import {
  type AgreementDraft,
  AgreementMalformed,
  agreementParties,
  checkAgreement,
  describeAgreement,
  type Finding,
  hourAt,
  type KnownFacts,
  namesToPin,
  parseAgreement,
  REQUESTER,
  unenforceableClauses
} from '../../policy/agreement/index.ts'
import { loadRuleReader } from '../../policy/index.ts'
import { agreement } from '../../protocol/documents/index.ts'

const EXAMPLE = `
agreement: wage-gap-2026
provider: VU
dataset: wageGap
consumers: [{user: analyst@uva.nl}, {organisation: UVA}]
purposes: [research]
archetypes: [computeToData, dataThroughTtp]
computeProviders: [SURF]              # who may hold the data besides the provider
recipients: [UVA]                     # who may receive results
tables:
  Personen: {columns: [Unieknr, Geslacht, Gebdat, Peildat], where: "Peildat >= 20170101"}
  Aanstellingen: {columns: [Unieknr, Salschal, Functcat, Peildat]}
services: {require: [anonymize], forbid: []}
algorithms: [average, histogram]
output: {unit: Unieknr, minGroupSize: 10, maxRows: 10000, aggregatesOnly: true}
anonymize: {pseudonymise: [Unieknr], generalise: {Gebdat: year}, suppress: [], k: 5}
limits: {requests: 100, per: P1D}
approval: {by: [steward@vu.nl], when: firstTime, within: P3D}
privacy: {epsilon: 1.0, budget: 10.0, per: P30D}
cache: {extract: P7D, results: none}
valid: {from: 2026-01-01, until: 2027-01-01}
sandbox: required
onward: none
revocation: {effect: stop, notice: PT0S}
timezone: UTC
about: {legalBasis: consent, reference: "2026/17", text: contract.pdf}
cedar: |
  forbid (principal, action, resource) when { context.archetype == "dataThroughTtp" && context.hour < 6 };
`
const LEAST = 'agreement: a\nprovider: VU\ndataset: d\nconsumers: [{organisation: UVA}]\n'

const resolve = (address: string) =>
  address.endsWith('@uva.nl') ? { organisation: 'UVA', name: address.slice(0, -7) } : undefined
const parse = (text: string) => parseAgreement(text, 'a.yaml', resolve)

function malformed(text: string): readonly Finding[] {
  try {
    parse(text)
  } catch (error) {
    expect(error).to.be.instanceOf(AgreementMalformed).with.property('code', 'agreement-malformed')
    if (error instanceof AgreementMalformed) return error.findings
  }
  throw new Error('expected a malformed agreement')
}

function check(text: string, known: Parameters<typeof checkAgreement>[1] = {}) {
  return checkAgreement(parse(text), known).map(
    ({ level, clause, line, message }) => `${level} ${clause}:${line}: ${message}`
  )
}

describe('agreement', () => {
  describe('as a file', () => {
    it('reads the published example, whole', () => {
      const draft = parse(EXAMPLE)
      expect(draft).to.include({ name: 'wage-gap-2026', provider: 'VU', dataset: 'wageGap' })
      expect(draft.terms).to.deep.equal({
        consumers: [{ user: { organisation: 'UVA', name: 'analyst' } }, { organisation: 'UVA' }],
        purposes: ['research'],
        archetypes: ['computeToData', 'dataThroughTtp'],
        computeProviders: ['SURF'],
        recipients: ['UVA'],
        tables: {
          Personen: {
            columns: ['Unieknr', 'Geslacht', 'Gebdat', 'Peildat'],
            where: 'Peildat >= 20170101'
          },
          Aanstellingen: { columns: ['Unieknr', 'Salschal', 'Functcat', 'Peildat'] }
        },
        services: { require: ['anonymize'], forbid: [] },
        algorithms: ['average', 'histogram'],
        output: { unit: 'Unieknr', minGroupSize: 10, maxRows: 10000, aggregatesOnly: true },
        anonymize: { pseudonymise: ['Unieknr'], generalise: { Gebdat: 'year' }, suppress: [], k: 5 },
        limits: { requests: 100, per: 86_400_000 },
        approval: { by: ['steward@vu.nl'], when: 'firstTime', within: 259_200_000 },
        privacy: { epsilonMicros: 1_000_000, budgetMicros: 10_000_000, per: 2_592_000_000 },
        cache: { extract: 'P7D', results: 'none' },
        valid: { from: Date.UTC(2026, 0, 1), until: Date.UTC(2027, 0, 1) },
        sandbox: 'required',
        onward: 'none',
        revocation: { effect: 'stop', notice: 0 },
        timezone: 'UTC',
        about: { legalBasis: 'consent', reference: '2026/17', text: 'contract.pdf' },
        cedar:
          'forbid (principal, action, resource) when { context.archetype == "dataThroughTtp" && context.hour < 6 };\n'
      })
      expect(draft.lines).to.include({ purposes: 6, 'tables.Personen.where': 11, 'consumers.1': 5 })
      expect(() => agreement.shape.terms.parse(draft.terms)).not.to.throw()
    })

    it('leaves nothing open by omission', () => {
      expect(parse(LEAST).terms).to.deep.equal({
        consumers: [{ organisation: 'UVA' }],
        purposes: [],
        archetypes: [],
        computeProviders: [],
        recipients: [REQUESTER],
        tables: {},
        algorithms: [],
        services: { require: [], forbid: [] },
        output: {},
        valid: {},
        timezone: 'UTC',
        about: {}
      })
    })

    it('takes JSON, indented with tabs, and a byte order mark', () => {
      const json = JSON.stringify(
        { agreement: 'a', provider: 'VU', dataset: 'd', consumers: [], tables: '*' },
        null,
        '\t'
      )
      expect(parse(`\uFEFF${json}`).terms.tables).to.equal('*')
      expect(parse(`\uFEFF${LEAST.replaceAll('\n', '\r\n')}`).name).to.equal('a')
    })

    it('takes users as their organisation and name', () => {
      const text = LEAST.replace('{organisation: UVA}', '{user: {organisation: UVA, name: analyst}}')
      expect(parse(text).terms.consumers).to.deep.equal([{ user: { organisation: 'UVA', name: 'analyst' } }])
    })

    const dates: [string, string, number][] = [
      ['2026-07-01', 'Europe/Amsterdam', Date.UTC(2026, 5, 30, 22)],
      ['2026-01-01', 'Europe/Amsterdam', Date.UTC(2025, 11, 31, 23)],
      ['2026-01-01', 'America/New_York', Date.UTC(2026, 0, 1, 5)],
      ['2026-03-29T02:30', 'Europe/Amsterdam', Date.UTC(2026, 2, 29, 1, 30)],
      ['2026-10-25T02:30', 'Europe/Amsterdam', Date.UTC(2026, 9, 25, 0, 30)],
      // Midnight that clocks never show, and midnight that they show twice.
      ['2026-04-24', 'Africa/Cairo', Date.UTC(2026, 3, 23, 22)],
      ['2026-11-01', 'America/Havana', Date.UTC(2026, 10, 1, 4)],
      ['2026-01-01T12:00:00+02:00', 'UTC', Date.UTC(2026, 0, 1, 10)]
    ]
    for (const [text, zone, instant] of dates) {
      it(`takes ${text} in ${zone} for ${new Date(instant).toISOString()}`, () => {
        expect(parse(`${LEAST}timezone: ${zone}\nvalid: {from: "${text}"}`).terms.valid.from).to.equal(
          instant
        )
      })
    }

    it('tells the hour on a clock in the zone of the agreement', () => {
      expect(hourAt(Date.UTC(2026, 6, 1, 22, 30), 'Europe/Amsterdam')).to.equal(0)
      expect(hourAt(Date.UTC(2026, 6, 1, 22, 30), 'UTC')).to.equal(22)
    })
  })

  describe('that is ugly', () => {
    const namesOf = (count: number) => Array.from({ length: count }, (_, at) => `c${at}`).join(',')
    const ugly: [string, string, Partial<Finding>, RegExp][] = [
      [
        'a misspelt key',
        `${LEAST}purpuses: [research]`,
        { clause: 'purpuses', line: 5 },
        /unknown key "purpuses"; did you mean "purposes"\?/
      ],
      [
        'a misspelt key further in',
        `${LEAST}tables:\n  P:\n    columns: [a]\n    were: x`,
        { clause: 'tables.P.were', line: 8 },
        /did you mean "where"/
      ],
      [
        'a misspelt key of a consumer',
        LEAST.replace('organisation', 'organization'),
        { clause: 'consumers.0.organization', line: 4 },
        /did you mean "organisation"/
      ],
      ['a key from elsewhere', `${LEAST}xyzzy: 1`, { clause: 'xyzzy' }, /expected agreement, provider/],
      [
        'a missing key',
        'agreement: a\nprovider: VU\nconsumers: []',
        { clause: 'dataset' },
        /expected a name .*, found nothing/
      ],
      ['a tab', `${LEAST}tables:\n\tP: {columns: [a]}`, { line: 6 }, /found a tab/],
      ['a duplicate key', `${LEAST}provider: RUG`, { line: 5 }, /unique/],
      ['a duplicate key in JSON', '{"agreement": "a",\n "agreement": "b"}', { line: 2 }, /unique/],
      [
        'a text instead of a list',
        `${LEAST}purposes: research`,
        { clause: 'purposes', line: 5 },
        /expected a list of purposes, .* or "\*" for any, found "research"/
      ],
      [
        'a number instead of a name',
        `${LEAST}purposes: [ok, 17]`,
        { clause: 'purposes.1', line: 5 },
        /quote it.*found the number 17/
      ],
      ['a name twice', `${LEAST}purposes: [ok, ok]`, { clause: 'purposes.1' }, /each name once/],
      ['a star in a list', `${LEAST}purposes: ["*"]`, { clause: 'purposes.0' }, /expected a name/],
      [
        'a fraction',
        `${LEAST}output: {maxRows: 1.5}`,
        { clause: 'output.maxRows' },
        /whole number.*found the number 1.5/
      ],
      [
        'a text as number',
        `${LEAST}limits: {requests: ten, per: P1D}`,
        { clause: 'limits.requests' },
        /whole number.*found "ten"/
      ],
      ['months', `${LEAST}limits: {requests: 1, per: P1M}`, { clause: 'limits.per' }, /ISO 8601 duration/],
      [
        'a date that is none',
        `${LEAST}valid: {from: 2026-02-30}`,
        { clause: 'valid.from', line: 5 },
        /expected a date.*2026-02-30/
      ],
      ['a year', `${LEAST}valid: {from: 2026}`, { clause: 'valid.from' }, /expected a text/],
      [
        'a time zone that is none',
        `${LEAST}timezone: Mars/Olympus`,
        { clause: 'timezone' },
        /expected a time zone/
      ],
      [
        'a predicate with a function',
        `${LEAST}tables:\n  P:\n    columns: [a]\n    where: "length(a) > 1"`,
        { clause: 'tables.P.where', line: 8 },
        /no function/
      ],
      [
        'a column that is no text',
        `${LEAST}tables: {P: {columns: [a, [b]]}}`,
        { clause: 'tables.P.columns.1' },
        /expected a name of a table or column/
      ],
      [
        'a consumer of both kinds',
        LEAST.replace('{organisation: UVA}', '{organisation: UVA, user: a@uva.nl}'),
        { clause: 'consumers.0' },
        /expected one of/
      ],
      [
        'a user nobody speaks for',
        LEAST.replace('organisation: UVA', 'user: a@elsewhere.nl'),
        { clause: 'consumers.0.user', line: 4 },
        /a@elsewhere.nl/
      ],
      ['an empty clause', `${LEAST}purposes:`, { clause: 'purposes', line: 5 }, /found an empty value/],
      ['a list', '- a\n- b', { clause: '' }, /expected an agreement: a mapping of clauses, found a list/],
      ['nothing', '', { clause: '' }, /expected an agreement/],
      ['two documents', `${LEAST}---\n${LEAST}`, { line: 5 }, /multiple documents/],
      ['a tag', `${LEAST}purposes: !!binary aGk=`, { clause: 'purposes' }, /expected/],
      ['an unknown tag', `${LEAST}purposes: !js x`, { line: 5 }, /tag/i],
      [
        'a bomb of aliases',
        `a: &a [x,x,x,x,x,x,x,x]\n${'bcdefgh'
          .split('')
          .map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`)
          .join('\n')}`,
        {},
        /uses of aliases/
      ],
      ['an alias of itself', `${LEAST}purposes: &p [*p]`, { clause: 'purposes.0' }, /expected a name/],
      ['brackets without end', '['.repeat(200_000), { line: 1 }, /levels of nesting/],
      ['a million dashes', '- '.repeat(100_000), { line: 1 }, /levels of nesting/],
      ['question marks', '? '.repeat(100_000), { line: 1 }, /levels of nesting/],
      [
        'stairs',
        Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
        {},
        /levels of nesting/
      ],
      [
        'more columns than a table may have',
        `${LEAST}tables: {P: {columns: [${namesOf(2001)}]}}`,
        { clause: 'tables.P.columns', line: 5 },
        /at most 2000 columns/
      ],
      [
        'a million columns',
        `${LEAST}tables: {P: {columns: [${namesOf(1_000_000)}]}}`,
        {},
        /at most 262144 characters/
      ],
      ['a megabyte', `${LEAST}# ${'x'.repeat(1 << 20)}`, {}, /at most 262144 characters/],
      [
        'a key that would vanish',
        `${LEAST}anonymize: {generalise: {__proto__: year}}`,
        { line: 5 },
        /another name/
      ],
      ['a NUL', `${LEAST}purposes: ["a\0b"]`, {}, /NUL/]
    ]
    for (const [what, text, place, message] of ugly) {
      it(`is refused for ${what}`, () => {
        const [finding] = malformed(text)
        expect(finding).to.include({ level: 'error', ...place })
        expect(finding?.message).to.match(message)
      })
    }

    it('is told every problem at once, with file and line', () => {
      expect(() => parse(`${LEAST}purpuses: [a]\noutput: {maxRows: x}`)).to.throw(
        AgreementMalformed,
        /^a\.yaml:5: purpuses: .*\na\.yaml:6: output\.maxRows: /
      )
    })

    it('is told in short what cannot be read, however long it is', () => {
      const [finding] = malformed(
        `${LEAST}about: !{legalBasis: ${'x'.repeat(60_000)}}\nvalid: |x ${'y'.repeat(60_000)}\n`
      )
      expect(finding?.message).to.match(/^expected YAML or JSON: /)
      for (const one of malformed(`${LEAST}cedar: |${'y'.repeat(60_000)}\n`))
        expect(one.message.length).to.be.below(300)
    })

    it('ends in nothing but the one error, whatever the text', () => {
      const pieces = fc.constantFrom(
        LEAST,
        'purposes: ',
        'tables: ',
        '[',
        ']',
        '{',
        '}',
        '*',
        '&a ',
        '*a',
        '!!',
        '"',
        "'",
        ': ',
        '- ',
        '\n',
        '\n  ',
        '\t',
        '#',
        '|',
        '>',
        '?',
        '__proto__: ',
        'constructor: ',
        '<<: ',
        'valid: {from: 2026-01-01}',
        '\u0085',
        '%YAML 1.1\n',
        '---',
        '...',
        'é',
        '1e999',
        '.nan',
        '~'
      )
      fc.assert(
        fc.property(
          fc.oneof(
            fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join('')),
            fc.string({ unit: 'binary' })
          ),
          (text) => {
            try {
              const draft = parse(text)
              agreement.shape.terms.parse(draft.terms)
            } catch (error) {
              expect(error).to.be.instanceOf(AgreementMalformed)
            }
          }
        ),
        { numRuns: 1500 }
      )
    })
  })

  describe('checked', () => {
    const tables = [
      { name: 'Personen', columns: [{ name: 'Unieknr' }, { name: 'Gebdat' }, { name: 'Peildat' }] },
      { name: 'Aanstellingen', columns: [{ name: 'Salschal' }] }
    ]
    const GOOD = `${LEAST}purposes: [research]\narchetypes: [computeToData]\nalgorithms: [average]\ntables: {Personen: {columns: [Unieknr, Gebdat]}}\n`

    it('is found good when it is', () => {
      expect(
        check(GOOD, {
          organisations: ['VU', 'UVA'],
          archetypes: ['computeToData'],
          algorithms: ['average'],
          services: ['anonymize'],
          tables,
          now: 0
        })
      ).to.deep.equal([])
    })

    it('warns of lists that permit nothing', () => {
      expect(check(LEAST)).to.deep.equal([
        'warning purposes:undefined: no purposes: nothing is permitted',
        'warning archetypes:undefined: no archetypes: nothing is permitted',
        'warning algorithms:undefined: no algorithms: nothing is permitted',
        'warning tables:undefined: no tables: nothing is permitted'
      ])
    })

    const findings: [string, string, Parameters<typeof checkAgreement>[1], RegExp][] = [
      [
        'an archetype',
        GOOD.replace('computeToData', 'computeTodata'),
        { archetypes: ['computeToData'] },
        /^error archetypes\.0:6: unknown archetype .* did you mean "computeToData"/
      ],
      [
        'an algorithm',
        GOOD.replace('average', 'avarage'),
        { algorithms: ['average'] },
        /^error algorithms\.0:7: .*"average"/
      ],
      [
        'a service',
        `${GOOD}services: {require: [anonimize]}`,
        { services: ['anonymize'] },
        /^error services\.require\.0:9: .*"anonymize"/
      ],
      [
        'a table',
        GOOD.replace('Personen', 'Personnen'),
        { tables },
        /^error tables\.Personnen:8: unknown table .*"Personen"/
      ],
      [
        'a column',
        GOOD.replace('Gebdat', 'Gebdatum'),
        { tables },
        /^error tables\.Personen\.columns\.1:8: unknown column .*"Gebdat"/
      ],
      [
        'a column of a predicate',
        GOOD.replace('Gebdat]', 'Gebdat], where: "Peildatum > 3"'),
        { tables },
        /^error tables\.Personen\.where:8: unknown column .*"Peildat"/
      ],
      ['a provider', GOOD, { organisations: ['VUA', 'UVA'] }, /^error provider:2: unknown organisation "VU"/],
      [
        'a consumer',
        GOOD,
        { organisations: ['VU', 'UvA'] },
        /^error consumers\.0:4: unknown organisation "UVA"; did you mean "UvA"/
      ],
      [
        'a compute provider',
        `${GOOD}computeProviders: [SRF]`,
        { organisations: ['VU', 'UVA', 'SURF'] },
        /^warning computeProviders\.0:9: .*"SURF"/
      ],
      [
        'a recipient',
        `${GOOD}recipients: [UVA, UVB]`,
        { organisations: ['VU', 'UVA'] },
        /^warning recipients\.1:9: .*"UVA"/
      ],
      ['a dataset', GOOD, { tables: null }, /^error dataset:3: the provider has no dataset "d"/],
      [
        'a column to anonymise',
        `${GOOD}anonymize: {suppress: [Geb]}`,
        { tables },
        /^error anonymize\.suppress:9: no table .* "Geb"/
      ]
    ]
    for (const [what, text, known, message] of findings) {
      it(`names ${what} that nobody knows`, () => {
        expect(check(text, known)).to.have.length(1)
        expect(check(text, known)[0]).to.match(message)
      })
    }

    const contradictions: [string, string, RegExp][] = [
      [
        'a service required and forbidden',
        'services: {require: [anonymize], forbid: [anonymize]}\nanonymize: {suppress: []}',
        /error services:9: .*both required and forbidden/
      ],
      [
        'an order to anonymise and its prohibition',
        'services: {forbid: [anonymize]}\nanonymize: {suppress: [Gebdat]}',
        /error services\.forbid:9: .*orders it/
      ],
      [
        'an end before its beginning',
        'valid: {from: 2026-01-02, until: 2026-01-02}',
        /error valid:9: .*never in force/
      ],
      [
        'a column both suppressed and kept',
        'anonymize: {suppress: [Gebdat], generalise: {Gebdat: year}}',
        /error anonymize\.suppress:9/
      ],
      ['anonymize without columns', 'services: {require: [anonymize]}', /warning services\.require:9/],
      ['no requests', 'limits: {requests: 0, per: P1D}', /warning limits\.requests:9/]
    ]
    for (const [what, clause, message] of contradictions) {
      it(`finds ${what}`, () => {
        const found = check(`${GOOD}${clause}`)
        expect(found).to.have.length(1)
        expect(found[0]).to.match(message)
      })
    }

    it('warns when it has ended', () => {
      expect(check(`${GOOD}valid: {until: 2026-01-01}`, { now: Date.UTC(2026, 0, 1) })).to.deep.equal([
        'warning valid.until:9: it ended 2026-01-01; choose a later day to have it in force'
      ])
    })
  })

  describe('with clauses that do not bind yet', () => {
    const clauses: [string, string][] = [
      ['output.minGroupSize', 'output: {minGroupSize: 1000001}'],
      ['anonymize.k', 'anonymize: {k: 5}'],
      ['approval', 'approval: {by: [], when: firstTime, within: P1D}'],
      ['approval', 'approval: {by: [a], when: sometimes, within: P1D}'],
      ['approval', 'approval: {by: [a], when: always, within: PT0S}'],
      ['approval', 'approval: {by: [a], when: always, within: P31D}'],
      ['privacy', 'privacy: {epsilon: 1, budget: 10, per: P1D}'],
      ['cache', 'cache: {extract: for a week}'],
      ['onward', 'onward: anybody']
    ]
    for (const [clause, text] of clauses) {
      it(`names ${text}`, () => {
        const draft = parse(`${LEAST}${text}`)
        expect(unenforceableClauses(draft.terms).map((one) => one.clause)).to.deep.equal([clause])
        expect(check(`${LEAST}${text}`).filter((line) => line.startsWith('error'))).to.have.length(1)
      })
    }

    it('accepts those that say what happens anyway, and limits that nothing comes near', () => {
      const { terms } = parse(
        `${LEAST}onward: none\ncache: {extract: P7D, results: none}\nrevocation: {effect: stop, notice: PT0S}\noutput: {aggregatesOnly: false, maxRows: 3}\nsandbox: required\nanonymize: {suppress: [a]}`
      )
      expect(unenforceableClauses(terms)).to.deep.equal([])
    })

    it('names what another agent signed and this one cannot read', () => {
      const { terms } = parse(LEAST)
      const foreign = { ...terms, timezone: 'Mars/Olympus', tables: { P: { columns: ['a'], where: 'f(a)' } } }
      expect(unenforceableClauses(foreign).map((one) => one.clause)).to.deep.equal([
        'timezone',
        'tables.P.where'
      ])
    })
  })

  it('warns of people for whom the provider does not speak, who are to approve requests', () => {
    const text = `${LEAST}approval: {by: [steward@vu.nl, boss@uva.nl], when: always, within: P3D}`
    const found = check(text, { approves: (user) => user.endsWith('@vu.nl') })
    expect(found.filter((line) => line.includes('approval'))).to.have.length(1)
    expect(found.join()).to.match(/warning approval\.by\.1.*"boss@uva\.nl" is no user of VU/)
    expect(describeAgreement(parse(text))).to.include(
      'Every single request waits until one of steward@vu.nl and boss@uva.nl approves it, at most P3D.'
    )
  })

  it('is signed by the provider and each consumer organisation, once', () => {
    const text = LEAST.replace(
      '[{organisation: UVA}]',
      '[{organisation: UVA}, {user: x@uva.nl}, {organisation: RUG}, {organisation: VU}]'
    )
    expect(agreementParties(parse(text))).to.deep.equal(['VU', 'RUG', 'UVA'])
  })

  it('pins the manifests that it names', () => {
    expect(namesToPin(parse(EXAMPLE).terms).map((pin) => pin.key)).to.deep.equal([
      'archetype/computeToData',
      'archetype/dataThroughTtp',
      'service/anonymize',
      'algorithm/average',
      'algorithm/histogram'
    ])
    expect(namesToPin(parse(`${LEAST}algorithms: "*"`).terms)).to.deep.equal([])
  })

  describe('in plain words', () => {
    it('says what may be kept, and nothing where nothing may', () => {
      expect(describeAgreement(parse(`${LEAST}cache: {extract: P7D, results: none}`))).to.include(
        'The provider may keep extracts for at most P7D to answer again.'
      )
      expect(describeAgreement(parse(LEAST)).join()).not.to.include('keep')
    })

    it('says what is decided, clause by clause', () => {
      const text = EXAMPLE.replace(/output.*\n/, 'output: {maxRows: 500}\n')
        .replace(', k: 5', '')
        .replace(/(approval|privacy|cache).*\n/g, '')
        .replace(/cedar[\s\S]*/, '')
      expect(describeAgreement(parse(text))).to.deep.equal([
        'wage-gap-2026: VU lets analyst of UVA and everybody at UVA ask about the dataset wageGap.',
        'Purposes: research.',
        'They may see of Personen: Unieknr, Geslacht, Gebdat and Peildat; only rows where Peildat >= 20170101.',
        'They may see of Aanstellingen: Unieknr, Salschal, Functcat and Peildat.',
        'Ways to work together: computeToData and dataThroughTtp.',
        'Algorithms: average and histogram.',
        'Besides VU, SURF may hold the data.',
        'Results go to: UVA. They may not be passed on.',
        'Every chain contains anonymize.',
        'Before anything leaves, anonymize replaces Unieknr by pseudonyms and reduces Gebdat to the year.',
        'A result has at most 500 rows.',
        'At most 100 requests in P1D.',
        'In force from 2026-01-01.',
        'In force until 2027-01-01, which is not included.',
        'Each party may revoke it: it ends at once, and what runs then is stopped.',
        'Wherever the data goes, jobs run in sandboxes.',
        'legalBasis: consent (for the record, not enforced)',
        'reference: 2026/17 (for the record, not enforced)',
        'text: contract.pdf (for the record, not enforced)'
      ])
    })

    it('says what an empty agreement means', () => {
      const lines = describeAgreement(parse(LEAST))
      expect(lines).to.include('Purposes: none, so nothing is permitted.')
      expect(lines).to.include('Only VU itself may hold the data.')
      expect(lines).to.include('Results go to: the organisation that asks. They may not be passed on.')
    })

    it('says when everything is refused, and why', () => {
      const draft: AgreementDraft = parse(`${LEAST}privacy: {epsilon: 1, budget: 10, per: P1D}`)
      expect(describeAgreement(draft).join('\n')).to.match(/everything is refused: privacy/)
    })

    it('says that only groups of enough people leave', () => {
      const draft = parse(`${LEAST}output: {minGroupSize: 10, unit: Unieknr}`)
      expect(describeAgreement(draft).join('\n')).to.match(/at least 10 different values of Unieknr/)
      expect(unenforceableClauses(draft.terms)).to.deep.equal([])
    })

    it('warns of groups that nobody counts, and of a unit that nothing protects', () => {
      expect(check(`${LEAST}output: {aggregatesOnly: true}`).join('\n')).to.match(/a group of one person/)
      expect(check(`${LEAST}output: {unit: a}`).join('\n')).to.match(/output\.unit.*nothing protects it/)
    })
  })
})

describe('rules that stand in an agreement', () => {
  const LEAST_YAML = 'agreement: a\nprovider: VU\ndataset: d\nconsumers: [{organisation: UVA}]\n'
  let read: NonNullable<KnownFacts['rules']>
  before(async () => {
    read = (await loadRuleReader()).agreement
  })
  const found = (text: string) =>
    checkAgreement(
      parseAgreement(`${LEAST_YAML}${text}`, 'a.yaml', () => undefined),
      { rules: read }
    ).filter((finding) => finding.clause === 'cedar')

  it('are no reason to refuse everything', () => {
    const { terms } = parseAgreement(
      `${LEAST_YAML}cedar: forbid (principal, action, resource) when {context.hour < 6};`,
      'a.yaml',
      () => undefined
    )
    expect(unenforceableClauses(terms)).to.deep.equal([])
    expect(describeAgreement({ name: 'a', provider: 'VU', dataset: 'd', terms }).join('\n')).to.include(
      'VU forbids what these rules (Cedar) forbid: forbid (principal, action, resource) when {context.hour < 6};'
    )
  })

  it('are checked where they stand in the file', () => {
    const [finding, ...others] = found(
      'cedar: |\n  // at night\n  forbid (principal, action, resource)\n    when { context.hours < 6 };\n'
    )
    expect(others).to.deep.equal([])
    expect(finding).to.deep.equal({
      level: 'error',
      clause: 'cedar',
      line: 8,
      column: 12,
      message: 'attribute `hours` in context not found; did you mean `hour`?',
      source: '  when { context.hours < 6 };'
    })
    expect(found('cedar: forbid (principal, action, resource) when {context.hours < 6};')[0]).to.include({
      line: 5,
      column: 51
    })
  })

  it('are placed in their own text where lines of the file are not theirs', () => {
    const [finding] = found('cedar: "forbid (principal, action, resource)\\nwhen {context.hours < 6};"')
    expect(finding).to.include({ line: 5 })
    expect(finding?.message).to.match(/^line 2, column 7: attribute `hours`/)
  })

  it('may not permit, and are warned of when they can never fire', () => {
    expect(found('cedar: permit (principal, action, resource);')[0]).to.deep.include({
      level: 'error',
      line: 5,
      column: 8
    })
    expect(found('cedar: forbid (principal, action, resource is Hosting);')[0]).to.include({
      level: 'warning'
    })
  })
})
