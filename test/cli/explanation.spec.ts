import { expect } from 'chai'
import type { AnswerView, CandidateView } from '../../agent/api/index.ts'
import { noStyle, renderRequest, widthOf } from '../../agent/cli/render/index.ts'
import { aRequest } from '../api/fake-operations.ts'

const PROVIDERS = ['VU', 'TUD', 'RUG']
const PURPOSES = {
  code: 'purpose-not-permitted',
  clause: 'wages-rug#purposes',
  reason:
    'agreement wages-rug: purpose "marketing" is not among those agreed: research; did you mean "market-research"?',
  acceptable: { purposes: ['research', 'market-research'] }
}

const permits = (hop: string, question = 'offer'): AnswerView => ({
  hop,
  question,
  verdict: 'permit',
  clauses: ['wages#purposes']
})
const denies = (hop: string, more: Partial<AnswerView> = PURPOSES, question = 'offer'): AnswerView => ({
  hop,
  question,
  verdict: 'deny',
  ...more
})

function aCandidate(changes: Partial<CandidateView> = {}): CandidateView {
  return {
    archetype: 'dataThroughTtp',
    at: { infrastructure: 'SURF' },
    scores: {},
    total: null,
    chosen: false,
    why: 'for a test',
    answers: [...PROVIDERS.map((hop) => permits(hop)), permits('SURF', 'host')],
    ...changes
  }
}

const scores = { energy: 0.123456, carbon: 0.5, time: 1, cost: 0, load: 0.25 }

function explained(candidates: CandidateView[], changes: Parameters<typeof aRequest>[0] = {}): string {
  const view = aRequest({ candidates, results: [], ...changes })
  return renderRequest(view, { style: noStyle, details: true, columns: 80, sql: 'SELECT a FROM b' })
}

const SMALL = [
  aCandidate({
    archetype: 'computeToData',
    at: { infrastructure: 'data' },
    answers: [permits('VU'), permits('TUD'), denies('RUG')],
    scores,
    total: 0.2134567,
    chosen: true,
    why: 'the only candidate that every hop permits'
  }),
  aCandidate({
    answers: [
      permits('VU'),
      denies('TUD', { code: 'compute-provider-not-permitted', reason: 'SURF may not hold the data' }),
      denies('RUG'),
      {
        hop: 'SURF',
        question: 'discover',
        verdict: 'none',
        code: 'peer-silent',
        reason: 'SURF did not answer'
      }
    ]
  })
]

describe('an explanation on the terminal', () => {
  it('shows what each hop says of each candidate, and tells each refusal once', () => {
    const text = explained(SMALL, { status: 'refused' })
    expect(text).to.include(
      [
        '   archetype       at    VU  TUD  RUG  host   total',
        '─  ──────────────  ────  ──  ───  ───  ────  ──────',
        '→  computeToData   data  ✓   ✓    ✗1         0.2135',
        '   dataThroughTtp  SURF  ✓   ✗2   ✗1   ?3         –',
        '→ computeToData at data: the only candidate that every hop permits'
      ].join('\n')
    )
    expect(text.match(/^✗1 RUG refused at offer: purpose-not-permitted$/gm)).to.have.length(1)
    expect(text).to.include('clause wages-rug#purposes: what the data may be used for')
    expect(text).to.include('acceptable purposes: research, market-research')
    expect(text.replaceAll(/\n +/g, ' ')).to.include('did you mean "market-research"?')
    expect(text).to.include('see docs/errors/peer-silent.md').and.to.include('dynamos explain CODE')
  })

  it('tells once what a clause forbids of several compute providers', () => {
    const forbids = (host: string) =>
      aCandidate({
        at: { infrastructure: host },
        answers: [
          denies('VU', {
            code: 'compute-provider-not-permitted',
            clause: 'wages#computeProviders',
            reason: `${host} may not hold the data`,
            acceptable: { computeProviders: ['VU'] }
          })
        ]
      })
    const text = explained([forbids('SURF'), forbids('SARA'), forbids('TUE')], { status: 'refused' })
    expect(text.match(/^✗\d+ /gm)).to.have.length(1)
    expect(text).to.include('SURF may not hold the data (and 2 more like it)')
  })

  it('says why a candidate that every hop permits may not be, once for all of that reason', () => {
    const late = (host: string) =>
      aCandidate({
        at: { infrastructure: host },
        answers: [...PROVIDERS.map((hop) => permits(hop)), permits(host, 'host')],
        why: 'time-limit: about 900 ms, limit 300 ms'
      })
    const text = explained([late('SURF'), late('SARA')], { status: 'refused' })
    expect(text).to.include('· dataThroughTtp at SURF and 1 more: time-limit: about 900 ms, limit 300 ms')
  })

  it('compares the scores of those that are permitted, the chosen first', () => {
    const text = explained([
      aCandidate({ scores, total: 0.5 }),
      aCandidate({ at: { infrastructure: 'SARA' }, scores, total: 0.4, chosen: true })
    ])
    const [, table = ''] = text.split('Scores\n')
    expect(
      table
        .split('\n')
        .slice(2, 4)
        .map((line) => line.slice(0, 25).trim())
    ).to.deep.equal(['→  dataThroughTtp  SARA', 'dataThroughTtp  SURF'])
  })

  it('is readable at 80 columns for 8 archetypes at 8 compute providers, three data providers and a recipient', () => {
    const candidates = Array.from({ length: 64 }, (_, index) => {
      const host = `compute-provider-${index % 8}`
      return aCandidate({
        archetype: `archetypeWithALongName${Math.floor(index / 8)}`,
        at: { infrastructure: host },
        scores,
        total: index === 9 ? 0.1 : null,
        chosen: index === 9,
        why: 'lowest total of 1 permitted candidates (energy×1, carbon×1, time×1, cost×1, load×1), 3 provider(s)',
        answers: [
          ...PROVIDERS.map((hop) =>
            index % 2 === 0
              ? denies(hop, {
                  ...PURPOSES,
                  reason: `at ${hop}: ${PURPOSES.reason} ${'and so on '.repeat(20)}`,
                  acceptable: {
                    columns: Array.from({ length: 60 }, (_unused, column) => `table.column${column}`)
                  }
                })
              : permits(hop)
          ),
          permits(host, 'host'),
          permits('recipient-organisation', 'accept')
        ]
      })
    })
    const text = explained(candidates, { request: 'b'.repeat(59), status: 'refused' })
    for (const line of text.split('\n')) expect(widthOf(line), line).to.be.at.most(80)
    expect(text.split('\n').filter((line) => line.includes('✗1')).length).to.be.at.least(32)
    expect(text).to.include('table.column59')
    expect(text.match(/^✗\d+ /gm)).to.have.length(3)
  })

  it('stands under letters where names of hops are long, with a legend', () => {
    const hop = 'university-of-somewhere'
    const text = explained([aCandidate({ answers: [permits(hop), permits('SURF', 'host')] })])
    expect(text).to.include(`A: ${hop}`)
  })

  it('is told for requests of before, which say nothing of their hops', () => {
    const { answers: _, ...before } = aCandidate()
    expect(explained([{ ...before, total: 0.5, chosen: true }])).to.match(/^→ +dataThroughTtp +SURF +0\.5$/m)
  })
})
