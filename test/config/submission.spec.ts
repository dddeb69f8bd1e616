import { expect } from 'chai'
import fc from 'fast-check'
import {
  ConfigInvalid,
  GraphSpecificationInvalid,
  parseSubmission,
  RequestTypeNotSupported,
  type Submission,
  submission
} from '../../agent/config/index.ts'
import { encodePlain } from '../../protocol/documents/index.ts'

const MINIMAL = { purpose: 'research', datasets: ['wageGap'], query: 'SELECT 1' }

function problemsOf(input: unknown): string[] {
  try {
    parseSubmission(input, 'ask.yaml')
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.message.split('\n')
    throw error
  }
  return []
}

describe('a request file', () => {
  it('gets the defaults that its author left out', () => {
    const expected: Submission = {
      type: 'sqlDataRequest',
      purpose: 'research',
      datasets: ['wageGap'],
      require: 'available',
      query: 'SELECT 1',
      algorithm: { name: 'table', parameters: {} },
      options: { anonymize: false, graph: false },
      archetypes: [],
      agreements: {},
      optimise: { energy: 1, carbon: 0, time: 1, cost: 0, load: 0 },
      within: {},
      deadline: 300_000
    }
    expect(parseSubmission(MINIMAL)).to.deep.equal(expected)
    expect(submission.parse(JSON.parse(JSON.stringify(expected)))).to.deep.equal(expected)
  })

  it('requires all of the providers it names, unless it says otherwise', () => {
    expect(parseSubmission({ ...MINIMAL, providers: ['VU', 'UVA'] }).require).to.equal('all')
    expect(parseSubmission({ ...MINIMAL, providers: ['VU', 'UVA'], require: 1 }).require).to.equal(1)
    expect(problemsOf({ ...MINIMAL, providers: ['VU'], require: 2 })).to.deep.equal([
      'ask.yaml: require: expected at most the 1 providers that are named, found 2'
    ])
  })

  it('reads the example of the published contract', () => {
    const read = parseSubmission(`
type: sqlDataRequest
user: analyst@uva.nl
purpose: research
datasets: [wageGap]
providers: [VU, UVA]
query: SELECT p.Geslacht, a.Salschal FROM Personen p JOIN Aanstellingen a USING (Unieknr, Peildat)
algorithm: {name: average, parameters: {value: Salschal, by: [Geslacht]}}
options: {aggregate: true, anonymize: false, graph: false}
archetype: dataThroughTtp
recipients: [UVA]
optimise: {energy: 1, carbon: 0, time: 1, cost: 0, load: 0}
within: {time: PT5S, cost: 2}
deadline: PT5M
`)
    expect(read.archetypes).to.deep.equal(['dataThroughTtp'])
    expect(read.within).to.deep.equal({ time: 5000, cost: 2_000_000 })
    expect(read.options.aggregate).to.equal(true)
  })

  it('names line and column of a key that was misspelt, and the key that was meant', () => {
    expect(
      problemsOf('purpose: research\ndatasets: [a]\nquery: SELECT 1\nalgoritm: average\n')
    ).to.deep.equal(['ask.yaml:4:1: algoritm: unknown key; did you mean "algorithm"?'])
    expect(
      problemsOf(
        'purpose: research\ndatasets: [a]\nquery: SELECT 1\nalgorithm: {name: average, paramters: {}}\n'
      )
    ).to.deep.equal(['ask.yaml:4:28: algorithm.paramters: unknown key; did you mean "parameters"?'])
  })

  it('names every problem at once', () => {
    expect(problemsOf('purpose: research\ndatasets: wageGap\nrequire: al\n')).to.deep.equal([
      'ask.yaml:2:11: datasets: expected a list, found "wageGap"',
      'ask.yaml:3:10: require: expected one of "all", "available", found "al"; did you mean "all"?',
      'ask.yaml:1:1: query: expected a text; it is required'
    ])
  })

  it('keeps the analyst’s text as it was written, so that positions in it are true', () => {
    expect(parseSubmission({ ...MINIMAL, query: '  SELECT 1' }).query).to.equal('  SELECT 1')
    expect(problemsOf({ ...MINIMAL, query: ' \n' })).to.have.length(1)
  })

  it('refuses duplicate keys and names that are listed twice', () => {
    expect(problemsOf('purpose: a\npurpose: b\n')[0]).to.match(/^ask\.yaml:2:1: .*unique/)
    expect(problemsOf({ ...MINIMAL, datasets: ['a', 'a'] })).to.deep.equal([
      'ask.yaml: datasets[1]: a is listed twice'
    ])
  })

  it('refuses a bomb of aliases without building it', () => {
    const level = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(`*${of}`).join(', ')}]`
    const bomb = ['a: &a [x, x]', level('b', 'a'), level('c', 'b'), level('d', 'c'), level('e', 'd')].join(
      '\n'
    )
    expect(problemsOf(bomb)).to.deep.equal(['ask.yaml: aliases stand for too much; write the values out'])
  })

  it('refuses a deadline that no agent would wait for', () => {
    expect(parseSubmission({ ...MINIMAL, deadline: 'P1D' }).deadline).to.equal(86_400_000)
    expect(problemsOf({ ...MINIMAL, deadline: 'PT24H1S' })[0]).to.match(/at most a day/)
  })

  it('names one party that runs it again, and stays as it was where nobody is named', () => {
    expect(parseSubmission({ ...MINIMAL, verify: { at: 'SURF2' } }).verify).to.equal('SURF2')
    expect(parseSubmission(MINIMAL)).to.not.have.property('verify')
    for (const verify of [{}, { at: ['SURF'] }, { at: '' }, 'SURF2', { at: 'SURF', by: 'VU' }])
      expect(problemsOf({ ...MINIMAL, verify })[0], JSON.stringify(verify)).to.match(/verify/)
  })

  it('says of forms that are reserved that they are not run yet', () => {
    expect(() => parseSubmission('type: trainRequest\nmodel: x')).to.throw(
      RequestTypeNotSupported,
      /trainRequest/
    )
    expect(problemsOf({ ...MINIMAL, type: 'sqlDataReqest' })[0]).to.match(/did you mean "sqlDataRequest"/)
  })

  it('turns fractions in parameters into decimal texts that stand for the same number', () => {
    const { algorithm } = parseSubmission({
      ...MINIMAL,
      algorithm: {
        name: 'average',
        parameters: { by: ['a'], bins: 10, width: 0.1, tiny: 1e-9, list: [-2.5e-8] }
      }
    })
    expect(algorithm.parameters).to.deep.equal({
      by: ['a'],
      bins: 10,
      width: '0.1',
      tiny: '0.000000001',
      list: ['-0.000000025']
    })
  })

  it('leaves parameters that can be signed, whatever numbers they held', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        fc.pre(Number.isSafeInteger(value) || !Number.isInteger(value))
        const { algorithm } = parseSubmission({ ...MINIMAL, algorithm: { name: 'x', parameters: { value } } })
        encodePlain(algorithm.parameters)
        expect(Number(algorithm.parameters.value)).to.equal(value === 0 ? 0 : value)
        expect(String(algorithm.parameters.value)).not.to.include('e')
      })
    )
  })

  it('refuses numbers that have no exact form', () => {
    const at = (value: unknown) =>
      problemsOf({ ...MINIMAL, algorithm: { name: 'x', parameters: { value } } })[0]
    expect(at(Number.NaN)).to.match(/finite/)
    expect(at(2 ** 60)).to.match(/write it in quotes/)
  })

  it('never throws anything but its own errors, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.anything()), (input) => {
        try {
          parseSubmission(input)
        } catch (error) {
          if (!(error instanceof ConfigInvalid || error instanceof RequestTypeNotSupported)) throw error
        }
      }),
      { numRuns: 500 }
    )
  })
})

describe('a picture in a request', () => {
  const text = (graph: string) =>
    `purpose: research\ndatasets: [d]\nquery: SELECT 1\noptions:\n  graph: ${graph}\n`

  it('may be asked for, or specified', () => {
    expect(parseSubmission(text('true'))).to.have.nested.property('options.graph', true)
    expect(parseSubmission(text('true'))).not.to.have.property('specification')
    const { options, specification } = parseSubmission(text('{mark: bar, width: 300.5}'))
    expect(options.graph).to.equal(true)
    expect(JSON.parse(specification ?? '')).to.deep.equal({ mark: 'bar', width: 300.5 })
  })

  it('that loads something is named with its line, under a code of its own', () => {
    try {
      parseSubmission(text('\n    mark: bar\n    data: {url: "http://x"}'), 'r.yaml')
      expect.fail('it was taken')
    } catch (error) {
      expect(error).to.be.instanceOf(GraphSpecificationInvalid)
      expect(error).to.include({ code: 'graph-specification', exitCode: 2 })
      expect(error)
        .to.have.property('message')
        .that.matches(/^r\.yaml:7:\d+: options\.graph\.data\.url: "url" is not allowed/)
    }
  })
})
