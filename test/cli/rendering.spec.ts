import { expect } from 'chai'
import fc from 'fast-check'
import {
  caret,
  createProgress,
  cut,
  noStyle,
  plain,
  renderChain,
  renderRefusal,
  renderRequest,
  renderResult,
  styleFor,
  table,
  widthOf
} from '../../agent/cli/render/index.ts'
import { anEvent, aRequest } from '../api/fake-operations.ts'

describe('a table on the terminal', () => {
  it('aligns texts left and numbers right', () => {
    const text = table(
      [{ title: 'name' }, { title: 'n', align: 'right' }],
      [
        ['a', '1'],
        ['long', '100']
      ]
    )
    expect(text).to.equal('name    n\n────  ───\na       1\nlong  100')
  })

  it('counts cells, not characters', () => {
    expect(widthOf('日本')).to.equal(4)
    expect(widthOf('e\u0301')).to.equal(1)
    expect(widthOf('👩‍🔬')).to.equal(2)
    const text = table(
      [{ title: 'x' }, { title: 'y' }],
      [
        ['日本', 'b'],
        ['abcd', 'b']
      ]
    )
    const [, , first, second] = text.split('\n')
    expect(widthOf(first ?? '')).to.equal(widthOf(second ?? ''))
  })

  it('cuts the widest column to fit the terminal', () => {
    const text = table([{ title: 'a' }, { title: 'b' }], [['x'.repeat(100), 'short']], { columns: 40 })
    for (const line of text.split('\n')) expect(widthOf(line)).to.be.at.most(40)
    expect(text).to.include('…').and.to.include('short')
  })

  it('never lets data steer the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(plain(text)).not.to.match(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
      })
    )
    expect(table([{ title: 'x' }], [['\u001b[2Jgone\r']])).not.to.include('\u001b')
  })

  it('never cuts to more cells than asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, cells) => {
        expect(widthOf(cut(plain(text), cells))).to.be.at.most(cells)
      })
    )
  })
})

describe('a result on the terminal', () => {
  const result = (rows: unknown[][], types = ['VARCHAR', 'DOUBLE']) => ({
    from: ['VU', 'UVA'],
    columns: ['name', 'average'],
    types,
    rows,
    rowCount: rows.length,
    truncated: false,
    suppressed: []
  })

  it('lines up decimals and right-aligns numbers', () => {
    const text = renderResult(
      result([
        ['M', 11.28712345],
        ['F', 9]
      ]),
      { style: noStyle }
    )
    expect(text.split('\n').slice(2, 4)).to.deep.equal(['M     11.2871', 'F      9.0000'])
  })

  it('tells NULL from the text "NULL" and from an empty text', () => {
    const text = renderResult(
      result([
        [null, null],
        ['NULL', 1],
        ['', 2]
      ]),
      { style: noStyle }
    )
    expect(text).to.match(/^NULL +NULL$/m)
    expect(text).to.include('"NULL"').and.to.include('""')
    expect(renderResult(result([[null, 1]]), { style: styleFor(true) })).to.include('\u001b[2mNULL')
  })

  it('shows decimals and large integers as they came', () => {
    const text = renderResult(result([['123456789012345678901', 1e20]], ['HUGEINT', 'DOUBLE']), {
      style: noStyle
    })
    expect(text).to.include('123456789012345678901').and.to.include('1.00000e+20')
  })

  it('says what was withheld and cut', () => {
    const text = renderResult(
      { ...result([['M', 1]]), rowCount: 5000, truncated: true, suppressed: [{ provider: 'VU', groups: 2 }] },
      { style: noStyle }
    )
    expect(text).to.include('5000 rows, the first 1 shown from VU, UVA')
    expect(text).to.include('VU withheld 2 small groups')
  })
})

describe('the chain on the terminal', () => {
  const step = (service: string, at: string) => ({ service, at })

  it('draws several providers into one compute provider', () => {
    const chain = [
      step('query', 'VU'),
      step('anonymize', 'VU'),
      step('query', 'UVA'),
      step('anonymize', 'UVA'),
      step('query', 'RUG'),
      step('anonymize', 'RUG'),
      step('aggregate', 'SURF'),
      step('algorithm', 'SURF')
    ]
    expect(renderChain(chain)).to.equal(
      [
        'VU:  query → anonymize ─┐',
        'UVA: query → anonymize ─┤',
        'RUG: query → anonymize ─┴→ SURF: aggregate → algorithm'
      ].join('\n')
    )
  })

  it('draws a recipient that is also a provider', () => {
    const chain = [
      step('query', 'VU'),
      step('algorithm', 'VU'),
      step('query', 'UVA'),
      step('algorithm', 'UVA'),
      step('aggregate', 'UVA')
    ]
    expect(renderChain(chain)).to.equal(
      ['VU:  query → algorithm ─┐', 'UVA: query → algorithm ─┴→ UVA: aggregate'].join('\n')
    )
  })

  it('draws one provider as a line', () => {
    expect(renderChain([step('query', 'VU'), step('aggregate', 'SURF'), step('algorithm', 'SURF')])).to.equal(
      'VU: query ─→ SURF: aggregate → algorithm'
    )
  })

  it('draws what ends at each provider towards the result', () => {
    expect(renderChain([step('query', 'VU'), step('query', 'UVA')])).to.equal(
      ['VU:  query ─┐', 'UVA: query ─┴→ result'].join('\n')
    )
  })

  it('draws what is run again under what is run', () => {
    const again = (service: string) => ({ ...step(service, 'SURF2'), again: true as const })
    const chain = [
      ...[step('query', 'VU'), step('query', 'UVA'), step('aggregate', 'SURF'), step('algorithm', 'SURF')],
      ...[again('aggregate'), again('algorithm'), step('graph', 'UVA')]
    ]
    expect(renderChain(chain)).to.equal(
      [
        'VU:  query ─┐',
        'UVA: query ─┴→ SURF: aggregate → algorithm ─→ UVA: graph',
        'run again at SURF2: aggregate → algorithm'
      ].join('\n')
    )
  })

  it('draws nothing for no chain', () => {
    expect(renderChain([])).to.equal('')
  })
})

describe('a refusal on the terminal', () => {
  const refusal = {
    hop: 'VU',
    question: 'offer',
    code: 'purpose-not-permitted',
    clause: 'wage-gap-2026#purposes',
    reason: 'the purpose marketing is not permitted',
    acceptable: { purposes: ['research'] }
  }

  it('says who, why, under which clause and what would do', () => {
    expect(renderRefusal(refusal, { style: noStyle })).to.equal(
      [
        '✗ VU refused at offer: purpose-not-permitted',
        '  the purpose marketing is not permitted',
        '  clause wage-gap-2026#purposes: what the data may be used for',
        '  acceptable purposes: research',
        '  see docs/errors/purpose-not-permitted.md'
      ].join('\n')
    )
  })

  it('points at the place in the analyst’s text', () => {
    const sql = 'SELECT a\n  FROM x, y'
    expect(caret(sql, sql.indexOf('y'))).to.equal('2 │   FROM x, y\n              ^')
    const text = renderRefusal({ ...refusal, position: 7 }, { style: noStyle, sql })
    expect(text).to.include('1 │ SELECT a\n             ^')
  })

  it('points at the end for a position beyond it', () => {
    expect(caret('SELECT', 99)).to.equal('1 │ SELECT\n          ^')
  })
})

describe('a request on the terminal', () => {
  it('shows how it ended, the chain, the rows and each hop’s decisions', () => {
    const decision = (hop: string, question: string, verdict: 'permit' | 'deny') => ({
      hop,
      question,
      verdict,
      clauses: hop === 'VU' ? ['wages#purposes', 'wages#tables'] : [],
      policy: 'bafy'
    })
    const view = aRequest({
      decisions: [
        decision('VU', 'offer', 'permit'),
        decision('VU', 'accept', 'permit'),
        decision('RUG', 'offer', 'deny')
      ],
      missing: ['RUG']
    })
    const text = renderRequest(view, { style: noStyle, details: true })
    expect(text).to.match(/^completed in 113 ms by computeToData {2}bafyrequest/)
    expect(text).to.include('VU   ✓ offer  ✓ accept\n     by wages: purposes, tables\nRUG  ✗ offer')
    expect(text).to.include('11.287')
    expect(text).to.include('Not taking part: RUG')
  })

  it('points at the place of a failure', () => {
    const view = aRequest({
      status: 'failed',
      results: [],
      error: { code: 'sql-runtime', hop: 'VU', step: 'query', position: 7, message: 'a value does not fit' }
    })
    const text = renderRequest(view, { style: noStyle, details: false, sql: 'SELECT x' })
    expect(text).to.include('✗ sql-runtime at VU, query: a value does not fit\n\n1 │ SELECT x\n           ^')
  })

  it('says who gave which of two results that differ, and who gave the same', () => {
    const verification = { of: 'SURF', at: 'SURF2', results: [{ first: 'aa', again: 'bb' }] }
    const place = { hop: null, step: null, position: null }
    const failed = aRequest({
      status: 'failed',
      error: { code: 'verification-differs', ...place, message: 'they differ', verification }
    })
    expect(renderRequest(failed, { style: noStyle, details: false })).to.include(
      '✗ verification-differs: they differ\n  SURF: aa\n  SURF2: bb'
    )
    const result = {
      ...{ from: ['VU'], columns: ['n'], types: ['BIGINT'], rows: [[1]], rowCount: 1, truncated: false },
      suppressed: [],
      verified: { of: 'SURF', at: 'SURF2', digest: 'aa', again: 'aa', salt: '00' }
    }
    expect(renderResult(result, { style: noStyle })).to.include(
      'verified: SURF2 ran again what SURF ran, and gave the same (digest aa)'
    )
  })
})

describe('progress', () => {
  const record = (interactive: boolean) => {
    const written: string[] = []
    return { written, progress: createProgress((text) => written.push(text), { interactive, columns: 30 }) }
  }

  it('is one line per step where there is no terminal', () => {
    const { written, progress } = record(false)
    progress.show(anEvent(1, { hop: 'VU', message: 'receives', bytes: 1 }))
    progress.show(anEvent(2, { hop: 'VU', message: 'receives', bytes: 2 }))
    progress.show(anEvent(3, { hop: 'UVA', message: 'receives', bytes: 2_000_000, of: 4e6 }))
    progress.end()
    expect(written).to.deep.equal([
      'execute · VU · receives · 1 B\n',
      'execute · UVA · receives · 2.0 MB of 4.0 MB\n'
    ])
  })

  it('tells each of several flows once, however they take turns, and rows and what is left', () => {
    const { written, progress } = record(false)
    for (let step = 0; step < 100; step++)
      for (const hop of ['VU', 'UVA'])
        progress.show(
          anEvent(step, { hop, message: 'sends', bytes: 1000 * step, of: 2e6, etaMilliseconds: 1500 })
        )
    progress.show(anEvent(200, { hop: 'VU', message: 'has done query', rows: 35559 }))
    progress.show(anEvent(201, { hop: 'UVA', message: 'has done query', rows: 1 }))
    expect(written).to.deep.equal([
      'execute · VU · sends · 0 B of 2.0 MB · about 1.5 s left\n',
      'execute · UVA · sends · 0 B of 2.0 MB · about 1.5 s left\n',
      'execute · VU · has done query · 35559 rows\n',
      'execute · UVA · has done query · 1 row\n'
    ])
  })

  it('is one live line on a terminal, gone at the end', () => {
    const { written, progress } = record(true)
    progress.show(anEvent(1, { message: 'x'.repeat(100) }))
    progress.end()
    const [line = ''] = written
    expect(widthOf(line.replace('\r\u001b[2K', ''))).to.be.at.most(29)
    expect(written.at(-1)).to.equal('\r\u001b[2K')
  })
})
