import type { AuditReport } from '../../agent/audit/check/index.ts'

const AT = Date.UTC(2026, 10, 24, 14, 6, 59)
const peerOf = (organisation: string) => `12D3KooW${organisation}`
const CONTRACT = `bafyrei${'c'.repeat(52)}`

/** An exchange of two data providers through a compute provider, whose export is missing. */
export function aReport(changes: Partial<AuditReport> = {}): AuditReport {
  const decided = (organisation: string, sequence: number, question: string, clauses: string[]) => ({
    organisation,
    sequence,
    at: AT + sequence * 1000,
    contract: CONTRACT,
    question,
    verdict: 'permit' as const,
    clauses,
    standing: organisation === 'VU' ? ('replayed' as const) : ('attested' as const),
    why: organisation === 'VU' ? null : 'what it rested on is not in the file'
  })
  const agreed = ['valid.from', 'valid.until', 'consumers', 'dataset', 'purposes', 'archetypes', 'tables']
  const flow = (number: number, from: string, to: string, sent: number | null, received: number | null) => ({
    contract: CONTRACT,
    flow: number,
    from,
    to,
    parts: sent === null && received === null ? null : number,
    sent,
    received
  })
  const step = (number: number, service: string, organisation: string, rows: number | null) => ({
    contract: CONTRACT,
    step: number,
    service,
    organisation,
    rows,
    bytes: rows === null ? null : rows * 100,
    milliseconds: rows === null ? null : 118
  })
  return {
    verdict: 'confirmed',
    finding: null,
    marketplace: `bafyrei${'m'.repeat(52)}`,
    request: `bafyrei${'r'.repeat(52)}`,
    asked: {
      organisation: 'UVA',
      user: 'analyst@uva.nl',
      purpose: 'research',
      datasets: ['VU/wages', 'RUG/wages'],
      at: AT
    },
    parties: [
      { peer: peerOf('VU'), organisation: 'VU', roles: ['data'], exported: true },
      { peer: peerOf('RUG'), organisation: 'RUG', roles: ['data'], exported: true },
      { peer: peerOf('SURF'), organisation: 'SURF', roles: ['infrastructure'], exported: false },
      { peer: peerOf('UVA'), organisation: 'UVA', roles: ['recipient'], exported: true }
    ],
    steps: [
      step(1, 'query', 'VU', 12),
      step(1, 'query', 'RUG', 12),
      step(2, 'aggregate', 'SURF', null),
      step(3, 'algorithm', 'SURF', null),
      step(4, 'convert', 'UVA', 2)
    ],
    flows: [
      flow(1, 'VU', 'SURF', AT + 17_000, null),
      flow(2, 'RUG', 'SURF', AT + 18_000, null),
      flow(3, 'SURF', 'UVA', null, AT + 21_000)
    ],
    decisions: [
      decided(
        'VU',
        10,
        'accept',
        agreed.map((clause) => `wages-vu#${clause}`)
      ),
      decided('VU', 15, 'send', ['contract#expires', 'contract#flows']),
      decided(
        'RUG',
        9,
        'accept',
        agreed.map((clause) => `wages-rug#${clause}`)
      ),
      decided('UVA', 22, 'receive', ['delivery#recipients', 'delivery#asked'])
    ],
    outcomes: [{ organisation: 'UVA', result: 'completed', code: null, at: AT + 22_000 }],
    missing: ['the export of SURF', 'what decision 9 of RUG rested on: it was not opened'],
    ...changes
  }
}
