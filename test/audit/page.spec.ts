import { expect } from 'chai'
import fc from 'fast-check'
import { pageOf } from '../../agent/audit/page/index.ts'
import { aReport } from './a-report.ts'

/** What a browser would take for a tag. */
const tagsIn = (page: string) => [...page.matchAll(/<\/?([a-zA-Z!][^\s>/]*)/g)].map(([, name]) => name)
const OWN = new Set(
  `!doctype html head meta title style body main section h1 h2 p dl dt dd code figure figcaption svg defs marker path g rect text
   div table thead tbody tr th td span ul li strong em`.split(/\s+/)
)

/** A report in which each text is this one. */
function named(text: string) {
  const report = aReport()
  return aReport({
    verdict: 'broken',
    finding: {
      code: 'bad-signature',
      organisation: text,
      record: 3,
      sequence: 4,
      signer: text,
      reason: text
    },
    marketplace: text,
    request: text,
    asked: { organisation: text, user: text, purpose: text, datasets: [text], at: 0 },
    parties: [{ peer: text, organisation: text, roles: [text], exported: false }],
    steps: report.steps.map((step) => ({ ...step, contract: text, service: text, organisation: text })),
    flows: report.flows.map((flow) => ({ ...flow, contract: text, from: text, to: text })),
    decisions: report.decisions.map((one) => ({
      ...one,
      organisation: text,
      question: text,
      clauses: [text]
    })),
    outcomes: [{ organisation: text, result: text, code: text, at: 0 }],
    missing: [text]
  })
}

describe('The page of an audit', () => {
  it('says in words that an exchange was confirmed', () => {
    expect(pageOf(aReport())).to.include('<h1>Confirmed</h1>')
  })

  it('says beside a confirmation how much it covers', () => {
    expect(pageOf(aReport())).to.include('the exports of 3 of 4 parties. 2 of 4 decisions were evaluated')
    expect(pageOf(named('x'))).not.to.include('evaluated again here; the others')
  })

  it('says of a decision that is attested alone why', () => {
    expect(pageOf(aReport())).to.include(
      'attested<div class="quiet why">what it rested on is not in the file'
    )
    const decisions = aReport().decisions.filter(({ standing }) => standing === 'replayed')
    const page = pageOf(aReport({ decisions }))
    expect(page).not.to.include('class="quiet why"')
    expect(page).to.include('All 2 decisions were evaluated again here')
  })

  it('says what broke, where, and whose signature stands under it', () => {
    const page = pageOf(
      aReport({
        verdict: 'broken',
        finding: {
          code: 'chain-broken',
          organisation: 'VU',
          record: 12,
          sequence: 13,
          signer: '12D3KooWVU',
          reason: 'a start without the acceptance of SURF'
        }
      })
    )
    expect(page).to.include('<h1>Broken</h1>')
    expect(page).to.include('a start without the acceptance of SURF (<code>chain-broken</code>)')
    expect(page).to.include('record 12, in the export of VU, entry 13 of its log')
    expect(page).to.include('VU, <code>12D3KooWVU</code>')
  })

  it('stands for an unreadable file too', () => {
    const empty = { parties: [], steps: [], flows: [], decisions: [], outcomes: [], missing: [], asked: null }
    expect(pageOf(aReport({ ...empty, verdict: 'unreadable', marketplace: null, request: null }))).to.include(
      '<h1>Unreadable</h1>'
    )
  })

  it('draws parties whose export is missing dashed, and none of the others', () => {
    const page = pageOf(aReport())
    const missing = [...page.matchAll(/<g class="party missing"><title>(\w+)/g)].map(([, name]) => name)
    expect(missing).to.deep.equal(['SURF'])
    expect(page.match(/<g class="party">/g)).to.have.length(3)
    expect(page).to.match(/\.party\.missing rect\{[^}]*stroke-dasharray/)
  })

  it('draws each flow with its parts and times, dashed when neither end tells of it', () => {
    const [first, ...others] = aReport().flows
    if (first === undefined) throw new Error('expected a flow')
    const page = pageOf(aReport({ flows: [{ ...first, parts: null, sent: null }, ...others] }))
    expect(page.match(/<path class="flow missing"/g)).to.have.length(1)
    expect(page.match(/<path class="flow"/g)).to.have.length(2)
    expect(page).to.include('flow 3 · 3 parts').and.to.include('received 14:07:20')
  })

  it('holds nothing from elsewhere and no script', () => {
    const page = pageOf(aReport())
    expect(page).not.to.match(/https?:|\/\/|src=|href=|@import|url\((?!#)|<script|\son\w+=/i)
    expect(page).to.include("default-src 'none'")
  })

  for (const text of [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    '</style></svg><b>',
    '&lt;script&gt;'
  ])
    it(`shows a name as text: ${text}`, () => {
      const page = pageOf(named(text))
      expect(tagsIn(page).filter((name) => !OWN.has(name ?? ''))).to.deep.equal([])
      expect(page).not.to.match(/<[^>]*\son\w+=/)
    })

  it('shows whatever texts others wrote as text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        expect(tagsIn(pageOf(named(text))).filter((name) => !OWN.has(name ?? ''))).to.deep.equal([])
      }),
      { numRuns: 60 }
    )
  })

  it('leaves out letters that turn the direction of others or cannot be seen', () => {
    const page = pageOf(named('good\u202elive\u200b\u0000\u2066'))
    expect(page).not.to.match(/[\u202e\u200b\0\u2066]/)
  })

  it('shortens long names, and draws and lists a bounded number of what may be endless', () => {
    const report = aReport()
    const many = <T>(list: readonly T[]) => Array.from({ length: 5000 }, () => list).flat()
    const page = pageOf(
      aReport({
        parties: many(report.parties),
        flows: many(report.flows),
        decisions: many(report.decisions),
        missing: many(['x'.repeat(10_000)])
      })
    )
    expect(page.length).to.be.lessThan(6_000_000)
    expect(page).to.include('more are not drawn')
    expect(pageOf(named('x'.repeat(10_000)))).not.to.include('x'.repeat(301))
  })
})
