import { expect } from 'chai'
import { parse, stringify } from 'yaml'
import { parseSubmission, submissionFileOf } from '../../agent/config/index.ts'

describe('a request, written as a file again', () => {
  for (const [what, more] of Object.entries({
    'as little as there may be': {},
    everything: {
      user: 'analyst@uva.nl',
      providers: ['VU', 'UVA'],
      require: 1,
      algorithm: { name: 'average', parameters: { value: 'a', by: ['b', 'c'] } },
      options: { aggregate: false, anonymize: true, graph: true },
      archetype: ['computeToData', 'dataThroughTtp'],
      recipients: ['UVA'],
      agreements: { VU: 'wages' },
      optimise: { energy: 0.5, carbon: 2 },
      within: { time: 'PT1.5S', cost: 0.000001 },
      verify: { at: 'SURF2' },
      deadline: 'PT1H'
    },
    'a fraction as a parameter': {
      algorithm: { name: 'histogram', parameters: { width: 0.1, edges: [1, 2] } }
    }
  }))
    it(`is the same request: ${what}`, () => {
      const query = 'SELECT a, b -- "x": y\nFROM c'
      const submission = parseSubmission({ purpose: 'research', datasets: ['wages'], query, ...more })
      expect(parseSubmission(submissionFileOf(submission))).to.deep.equal(submission)
      expect(parseSubmission(parse(stringify(submissionFileOf(submission))))).to.deep.equal(submission)
    })
})
