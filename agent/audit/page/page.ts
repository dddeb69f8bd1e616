import type { AuditReport, CheckedDecision, CheckedFlow, Finding } from '../check/index.ts'
import { drawingOf, roleInWords } from './drawing.ts'
import { counted, html, Markup, NOTHING, shown, timeOf } from './markup.ts'
import { STYLE } from './style.ts'

/** Rows of a table, and points of a list: a browser is no place for a million. */
const MAX_ROWS = 2000
const MAX_CLAUSES = 6
/** Of the contracts of a request; an honest one has three at most. */
const MAX_DRAWINGS = 4

/** The page of an audit. @returns a whole HTML document */
export function pageOf(report: AuditReport): string {
  const { asked } = report
  const title = asked === null ? 'Audit of an exchange' : `Audit: ${shown(asked.purpose, 80)}`
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title><style>${new Markup(STYLE)}</style></head>
<body><main>
${verdictOf(report)}
${askedOf(report)}
${drawingsOf(report)}
${partiesOf(report)}
${flowsOf(report)}
${decisionsOf(report.decisions)}
${receiptsOf(report)}
${outcomesOf(report)}
${verificationsOf(report)}
${missingOf(report)}
${MEANING}
</main></body></html>
`.text
}

const VERDICTS = {
  confirmed: [
    'Confirmed',
    'Everything in this file is signed, follows from what came before it, and kept the rules that were agreed.'
  ],
  broken: ['Broken', 'This file shows that a rule was broken, or that something in it was changed.'],
  unreadable: ['Unreadable', 'This is no audit export, or nothing in it can be read.']
} as const

function verdictOf(report: AuditReport): Markup {
  const { verdict, finding } = report
  const [word, sentence] = VERDICTS[verdict]
  return html`<section class="verdict ${verdict}"><h1>${word}</h1><p>${sentence}</p>${verdict === 'confirmed' ? extentOf(report) : NOTHING}${finding === null ? NOTHING : findingOf(finding, report)}</section>`
}

/** What a confirmation covers, beside it: the less a file holds, the less there is to confirm. */
function extentOf({ parties, decisions }: AuditReport): Markup {
  const exported = parties.filter((party) => party.exported).length
  const replayed = decisions.filter(({ standing }) => standing === 'replayed').length
  const said =
    replayed === decisions.length && replayed > 0
      ? html`All ${counted(replayed, 'decision')} were evaluated again here.`
      : html`${replayed} of ${counted(decisions.length, 'decision')} were evaluated again here; the others rest on their organisation’s signature.`
  return html`<p>The file holds the exports of ${exported} of ${counted(parties.length, 'party', 'parties')}. ${said}</p>`
}

function findingOf(finding: Finding, { parties }: AuditReport): Markup {
  const { code, organisation, record, sequence, signer, reason } = finding
  const who = parties.find(({ peer }) => peer === signer)?.organisation
  const entry = sequence === null ? '' : `, entry ${sequence} of its log`
  const where =
    organisation === null
      ? `record ${record}`
      : `record ${record}, in the export of ${shown(organisation)}${entry}`
  const under =
    signer === null
      ? html`nobody’s that can be told`
      : html`${who === undefined ? '' : `${shown(who)}, `}<code>${signer}</code>`
  return html`<dl><dt>What</dt><dd>${reason} (<code>${code}</code>)</dd><dt>Where</dt><dd>${where}</dd><dt>Whose signature</dt><dd>${under}</dd></dl>
<p class="quiet">A check stops at the first finding: of what comes after it nothing is said.</p>`
}

function askedOf({ asked, marketplace, request }: AuditReport): Markup {
  const id = (name: string, value: string | null) =>
    value === null ? NOTHING : html`<dt>${name}</dt><dd><code>${value}</code></dd>`
  const what =
    asked === null
      ? NOTHING
      : html`<dt>Asked by</dt><dd>${asked.user} of ${asked.organisation}</dd><dt>For</dt><dd>${asked.purpose}</dd><dt>Datasets</dt><dd>${asked.datasets
          .slice(0, 64)
          .map((one) => shown(one))
          .join(', ')
          .slice(0, 4000)}</dd><dt>On</dt><dd>${timeOf(asked.at)}</dd>`
  if (asked === null && marketplace === null && request === null) return NOTHING
  return html`<section><h2>What was asked</h2><dl>${what}${id('Request', request)}${id('Marketplace', marketplace)}</dl></section>`
}

function drawingsOf(report: AuditReport): Markup {
  if (report.parties.length === 0) return NOTHING
  const contracts = [...new Set([...report.flows, ...report.steps].map(({ contract }) => contract))]
  const shownOnes: readonly (string | null)[] =
    contracts.length === 0 ? [null] : contracts.slice(0, MAX_DRAWINGS)
  const drawings = shownOnes.map((contract) => {
    const named =
      contract === null ? NOTHING : html`<p class="quiet">Under the contract <code>${contract}</code></p>`
    return html`${named}${drawingOf(report, contract)}`
  })
  return html`<section><h2>The exchange</h2>${drawings}</section>`
}

function onOneLine(at: number): Markup {
  return html`<span class="time">${timeOf(at)}</span>`
}

interface Column {
  title: string
  number?: true
}

function tableOf(
  title: string,
  columns: readonly Column[],
  rows: readonly (readonly (string | Markup)[])[],
  note: Markup = NOTHING
): Markup {
  if (rows.length === 0) return NOTHING
  const classOf = (index: number) => (columns[index]?.number === true ? html` class="number"` : NOTHING)
  const head = columns.map((column, index) => html`<th scope="col"${classOf(index)}>${column.title}</th>`)
  const body = rows
    .slice(0, MAX_ROWS)
    .map((row) => html`<tr>${row.map((cell, index) => html`<td${classOf(index)}>${cell}</td>`)}</tr>\n`)
  const more =
    rows.length > MAX_ROWS
      ? html`<p class="quiet">${rows.length - MAX_ROWS} more are in the answer with --json.</p>`
      : NOTHING
  return html`<section><h2>${title}</h2><div class="wide"><table><thead><tr>${head}</tr></thead><tbody>
${body}</tbody></table></div>${more}${note}</section>`
}

function partiesOf({ parties }: AuditReport): Markup {
  const rows = parties.map(({ organisation, roles, peer, exported }) => [
    organisation,
    roles.map(roleInWords).join(', '),
    exported ? 'in the file' : 'missing',
    html`<code>${peer}</code>`
  ])
  return tableOf(
    'Parties',
    [{ title: 'Organisation' }, { title: 'As' }, { title: 'Export' }, { title: 'Signs as' }],
    rows
  )
}

function flowsOf({ flows }: AuditReport): Markup {
  const timeOrNot = (at: number | null) =>
    at === null ? html`<span class="quiet">not told</span>` : onOneLine(at)
  const rows = flows.map(({ flow, from, to, parts, sent, received }: CheckedFlow) => [
    String(flow),
    from,
    to,
    parts === null ? '' : String(parts),
    timeOrNot(sent),
    timeOrNot(received)
  ])
  return tableOf(
    'What was handed over',
    [
      { title: 'Flow', number: true },
      { title: 'From' },
      { title: 'To' },
      { title: 'Parts', number: true },
      { title: 'Sent' },
      { title: 'Received' }
    ],
    rows,
    html`<p class="quiet">Sent: when the receiver had said that it holds all, by the clock of the sender. Received: when it was verified and kept, by the clock of the receiver.</p>`
  )
}

function decisionsOf(decisions: readonly CheckedDecision[]): Markup {
  const rows = decisions.map(({ organisation, sequence, at, question, verdict, clauses, standing, why }) => [
    organisation,
    String(sequence),
    onOneLine(at),
    question,
    html`<span class="${verdict}">${verdict}</span>`,
    clausesOf(clauses),
    why === null ? standing : html`${standing}<div class="quiet why">${shown(why, 160)}</div>`
  ])
  return tableOf(
    'What policy was asked, and said',
    [
      { title: 'Organisation' },
      { title: 'Entry', number: true },
      { title: 'When' },
      { title: 'Question' },
      { title: 'Verdict' },
      { title: 'Clauses' },
      { title: 'Standing' }
    ],
    rows
  )
}

/** Clauses of one agreement stand together under its name. */
function clausesOf(clauses: readonly string[]): Markup {
  const by = new Map<string, string[]>()
  for (const clause of clauses) {
    const at = clause.indexOf('#')
    const name = at === -1 ? '' : clause.slice(0, at)
    by.set(name, [...(by.get(name) ?? []), clause.slice(at + 1)])
  }
  const said = [...by].slice(0, MAX_CLAUSES).map(([name, of]) => {
    const more = of.length > MAX_CLAUSES ? ` and ${of.length - MAX_CLAUSES} more` : ''
    const list = of
      .slice(0, MAX_CLAUSES)
      .map((one) => shown(one, 60))
      .join(', ')
    return html`<div>${name === '' ? '' : `${shown(name, 60)}: `}${list}${more}</div>`
  })
  return html`${said}${by.size > MAX_CLAUSES ? html`<div>and ${by.size - MAX_CLAUSES} more</div>` : NOTHING}`
}

function receiptsOf({ steps }: AuditReport): Markup {
  const countOrNot = (count: number | null) => (count === null ? '–' : String(count))
  const rows = steps.map(({ organisation, step, service, rows, bytes, milliseconds }) => [
    organisation,
    String(step),
    service,
    countOrNot(rows),
    countOrNot(bytes),
    countOrNot(milliseconds)
  ])
  return tableOf(
    'Receipts: what ran',
    [
      { title: 'Organisation' },
      { title: 'Step', number: true },
      { title: 'Service' },
      { title: 'Rows', number: true },
      { title: 'Bytes', number: true },
      { title: 'ms', number: true }
    ],
    rows
  )
}

function outcomesOf({ outcomes }: AuditReport): Markup {
  const rows = outcomes.map(({ organisation, result, code, at }) => [
    organisation,
    code === null ? result : html`${result} (<code>${code}</code>)`,
    onOneLine(at)
  ])
  return tableOf('How it ended', [{ title: 'Organisation' }, { title: 'Outcome' }, { title: 'When' }], rows)
}

function verificationsOf({ steps, outcomes }: AuditReport): Markup {
  const said = [
    ...steps.map((step) => ({ ...step, same: 'the same' })),
    ...outcomes.map((outcome) => ({ ...outcome, same: 'different' }))
  ]
  const rows = said.flatMap(({ organisation, same, verification }) =>
    (verification?.results ?? []).flatMap(({ first, again }) => [
      [organisation, same, verification?.of ?? '', html`<code>${first}</code>`],
      [organisation, same, verification?.at ?? '', html`<code>${again}</code>`]
    ])
  )
  return tableOf(
    'What was computed twice',
    [{ title: 'Compared by' }, { title: 'Found' }, { title: 'Result of' }, { title: 'Digest' }],
    rows,
    html`<p class="quiet">That the two were compared is attested by who compared them. Digests of results that are the same may differ in the last digits of floats.</p>`
  )
}

function missingOf({ missing }: AuditReport): Markup {
  if (missing.length === 0) return NOTHING
  const points = missing.slice(0, MAX_ROWS).map((one) => html`<li>${one}</li>\n`)
  return html`<section><h2>What is not in the file</h2><p>This is said, not failed: an exporter need not hold it, or need not show it. Nothing is confirmed about it.</p><ul>${points}</ul>${missing.length > MAX_ROWS ? html`<p class="quiet">and ${counted(missing.length - MAX_ROWS, 'more', 'more')}</p>` : NOTHING}</section>`
}

const MEANING = html`<section><h2>What the words mean</h2>
<p><strong>Prevented</strong> is what cannot happen as long as one honest party takes part: without a signed acceptance of every party no data moves, and nobody receives what its agreement does not allow.</p>
<p><strong>Detected</strong> is what can be done and leaves a contradiction that this check finds: a log that was changed, two stories for two parties, a step that ran twice, a flow that one end tells otherwise. It needs the exports of those who hold the other half.</p>
<p><strong>Attested</strong> is what an organisation signed for, and what nobody else can see: the facts that its rules were given, and what happens to data on its own machines. A decision is <em>replayed</em> when those facts are in the file and the same rules came to the same verdict on this machine; otherwise it is <em>attested</em>, and its organisation’s signature alone stands for it.</p>
<p>All times are those of the clock of the organisation that tells them.</p></section>`
